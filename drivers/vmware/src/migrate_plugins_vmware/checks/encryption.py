"""Whether the memory crosses the network encrypted: the guest's setting, and what hosts can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_vmware.checks.versions import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Host

__all__ = ["check_encryption"]

# Encrypted vMotion came with it.
_SINCE: Final = (6, 5)


def check_encryption(case: Case) -> Iterator[Finding]:
    """Judge migrateEncryption; a guest whose files are encrypted has it required."""
    if not case.live:
        return
    setting = "required" if case.guest.encrypted else case.guest.encryption
    hosts = (case.source, case.destination)
    unable = [host for host in hosts if _encrypts(host) is False]
    if setting == "disabled":
        yield Finding(
            "vmotion-plain-text",
            Severity.WARNING,
            case.source.name,
            "the guest's memory crosses the network in plain text: encrypted vMotion is switched"
            " off for this guest",
            seen="migrateEncryption: disabled",
            expected="opportunistic or required",
            remedy=case.govc(
                "vm.change", "-vm", case.guest.name, "-migrate-encryption", "required"
            ),
        )
    elif unable and setting is not None:
        names = " and ".join(host.name for host in unable)
        yield Finding(
            "vmotion-encryption-unmet" if setting == "required" else "vmotion-plain-text",
            Severity.ERROR if setting == "required" else Severity.WARNING,
            unable[0].name,
            f"{names} cannot encrypt a vMotion"
            + (
                ", and the guest requires it"
                if setting == "required"
                else ": the guest's memory crosses the network in plain text"
            ),
            seen=f"migrateEncryption: {setting}; "
            + ", ".join(f"ESXi {host.version or 'of unknown version'}" for host in unable),
            expected="ESXi 6.5 or later on both hosts",
            remedy="choose a host that can",
        )
    elif setting is None or any(_encrypts(host) is None for host in hosts):
        yield Finding(
            "vmotion-encryption-unknown",
            Severity.INFO,
            case.source.name,
            "whether the guest's memory will be encrypted is not known: the vCenter does not tell"
            + (" the guest's setting" if setting is None else " what the hosts can do"),
            expected="required, where it has to be encrypted",
            remedy=case.govc(
                "vm.change", "-vm", case.guest.name, "-migrate-encryption", "required"
            ),
        )
    else:
        yield Finding(
            "vmotion-encrypted",
            Severity.INFO,
            case.source.name,
            "the guest's memory crosses the network encrypted",
            seen=f"migrateEncryption: {setting}",
        )


def _required(case: Case) -> str:
    words = ("-vm", case.guest.name, "-migrate-encryption", "required")
    return case.govc("vm.change", *words)


def _encrypts(host: Host) -> bool | None:
    """Tell whether a host can, by what it says, or else by its version."""
    if host.encrypts is not None or host.version is None:
        return host.encrypts
    return parsed(host.version) >= _SINCE
