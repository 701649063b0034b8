"""The kinds of finding that the core can give, and which of all kinds somebody wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins.errors import UsageError
from migrate_plugins.findings import FindingKind, Selection, Severity
from migrate_plugins.settings import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins.registry import Registry

__all__ = ["ALWAYS", "KINDS", "all_kinds", "select"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

KINDS: Final = tuple(
    FindingKind(*kind)
    for kind in (
        # What the plan shows by itself.
        (
            "configuration-on-both",
            _WARNING,
            "afterwards both hosts have a configuration of the guest",
        ),
        ("configuration-on-none", _WARNING, "afterwards no host has a configuration of the guest"),
        ("control-plain-text", _WARNING, "a control channel crosses the network in plain text"),
        ("data-plain-text", _WARNING, "the guest's memory crosses the network in plain text"),
        ("guest-paused-meanwhile", _INFO, "the guest stands still while its memory is copied"),
        ("host-in-path", _WARNING, "libvirt reads no host in the URI"),
        (
            "persistent-xml-missing",
            _WARNING,
            "--xml is given and --persistent-xml is not",
        ),
        (
            "revisions-disagree",
            _INFO,
            "the two editions of the rules expect different configurations",
        ),
        # The definitions that the client gives.
        ("definition-other-guest", _ERROR, "a definition that was given is of another guest"),
        (
            "definition-unreadable",
            _ERROR,
            "a definition that was given cannot be read, or is no XML",
        ),
        # What both hosts answer.
        ("already-there", _ERROR, "the guest is active on the destination already"),
        ("destination-not-readable", _INFO, "the client cannot look at the destination"),
        ("guest-busy", _ERROR, "something else is being done to the guest"),
        ("guest-not-found", _ERROR, "the source has no guest of that name"),
        ("guest-not-running", _ERROR, "the guest does not run"),
        ("guest-running", _ERROR, "--offline was given for a guest that runs"),
        (
            "hosts-not-looked-at",
            _WARNING,
            "the driver opens no sessions",
        ),
        ("moved-already", _WARNING, "the guest is where it is to go, and not on the source"),
        ("name-taken", _ERROR, "the destination has another guest of that name"),
        ("same-host", _ERROR, "the destination is the source"),
        ("same-host-name", _ERROR, "both hosts have one name"),
        ("same-host-uuid", _ERROR, "both hosts have one uuid"),
        ("stale-configuration", _WARNING, "the destination has an old configuration of the guest"),
        ("uuid-taken", _ERROR, "the destination has the guest's uuid under another name"),
        # What is seen from within the hosts.
        (
            "data-port-blocked",
            _ERROR,
            "the source cannot connect to the memory's port",
        ),
        ("data-port-taken", _ERROR, "a port that was asked for is taken on the destination"),
        ("data-port-unknown", _INFO, "whether the source can connect to the port is not known"),
        ("data-ports-exhausted", _ERROR, "every port that may receive the memory is taken"),
        (
            "destination-name-elsewhere",
            _ERROR,
            "the destination's name leads to another host",
        ),
        (
            "destination-name-unknown",
            _INFO,
            "whether that name leads to the destination is not known",
        ),
        (
            "destination-name-unresolvable",
            _ERROR,
            "the source cannot resolve the destination's name",
        ),
        ("destination-settings-unknown", _INFO, "settings of the destination could not be read"),
        (
            "listen-address-elsewhere",
            _ERROR,
            "the destination is to listen on an address of another host",
        ),
        # Of plugins, and of the command line.
        ("accept-unused", _WARNING, "--accept names no finding that can be accepted"),
        ("encryption-required", _ERROR, "policy require-encryption refuses memory in the open"),
        ("key-unknown", _ERROR, "config.toml has settings for a driver that there is not"),
        (
            "migration-network-missed",
            _ERROR,
            "policy migration-network knows no address",
        ),
        ("plugin-failed", _WARNING, "a plugin could not check"),
        ("policy-broken", _ERROR, "a policy is configured and broken"),
        ("policy-failed", _ERROR, "a policy could not judge the plan"),
        ("policy-missing", _ERROR, "a policy is configured and not installed"),
        ("policy-not-heard", _WARNING, "a policy is broken or switched off, and has no say"),
    )
)

# What --only leaves in: that something was not looked at is never what nobody asked for.
ALWAYS: Final = frozenset({"accept-unused", "hosts-not-looked-at", "plugin-failed"})


def all_kinds(registry: Registry) -> tuple[FindingKind, ...]:
    """Give the kinds of the core, then those of each plugin; of one id the first."""
    kinds = (*KINDS, *registry.finding_kinds())
    return tuple({kind.id: kind for kind in reversed(kinds)}.values())[::-1]


def select(registry: Registry, only: Iterable[str], skip: Iterable[str]) -> Selection:
    """Tell which findings are wanted.

    Args:
        registry: Whose plugins give findings too.
        only: Ids of the only ones; empty for all.
        skip: Ids of those that are not.

    Raises:
        UsageError: There is no such finding, and no plugin that could give it.
    """
    chosen, skipped = frozenset(only), frozenset(skip)
    # What a plugin finds that lists nothing, nobody can know.
    if not registry.finders_without_kinds():
        _refuse_unknown(sorted(chosen | skipped), [kind.id for kind in all_kinds(registry)])
    return Selection(chosen or None, skipped)


def _refuse_unknown(given: Sequence[str], known: Sequence[str]) -> None:
    unknown = [id_ for id_ in given if id_ not in known]
    if not unknown:
        return
    close = nearest(unknown[0], known)
    hint = f"; it may mean {close}" if close else ""
    raise UsageError(
        f"there is no finding {', '.join(map(repr, unknown))}{hint};"
        " `migrate-plugins list --findings` names them all"
    )
