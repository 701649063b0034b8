"""What a plan for vMotion shows by itself: whose vCenter, which cluster, what encrypts it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import ConnectionURI, Finding, FindingKind, MigrationURI, Severity, netloc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["KINDS", "foresee"]

KINDS: Final = (
    FindingKind("certificate-not-verified", Severity.WARNING, "no_verify=1 takes any certificate"),
    FindingKind("cluster-changes", Severity.WARNING, "the guest leaves its resource pool"),
    FindingKind("datacenter-changes", Severity.WARNING, "the guest leaves its folder"),
    FindingKind("encryption-up-to-guest", Severity.INFO, "the guest decides what is encrypted"),
    FindingKind("vcenter-missing", Severity.ERROR, "a host is opened without its vCenter"),
    FindingKind(
        "vcenter-name", Severity.INFO, "libvirt would not take the migration URI that was given"
    ),
    FindingKind(
        "vcenter-other",
        Severity.ERROR,
        "the guest goes to another vCenter; an error with a migration URI, else a warning",
    ),
)

_WITHOUT: Final = "*"  # of ?vcenter=: whichever manages the host
_HTTPS: Final = 443
_FULL: Final = 3  # names in a path: datacenter, cluster, host


class _Where(NamedTuple):
    """Where a URI leads: vpx://VCENTER/[FOLDER/]DATACENTER/[FOLDER/][CLUSTER/]HOST."""

    vcenter: str | None
    datacenter: str | None
    cluster: str | None


def foresee(plan: Plan) -> Iterator[Finding]:
    """Give what the plan alone shows."""
    texts = (plan.uris.source.value or "", plan.uris.destination.value or "")
    uris = [ConnectionURI.parse(text) for text in texts]
    for text, uri in zip(texts, uris, strict=True):
        yield from _opened(text, uri)
    here, there = map(_where, uris)
    if here.vcenter and there.vcenter and here.vcenter.lower() != there.vcenter.lower():
        yield _crossing(plan, texts[1], here.vcenter, there.vcenter)
    elif here.datacenter and there.datacenter and here.datacenter != there.datacenter:
        if "folder" not in plan.own:
            yield Finding(
                "datacenter-changes",
                Severity.WARNING,
                texts[1],
                "the destination is in another datacenter: the guest leaves its folder, with the"
                " permissions that it has by it, for the first one there",
                seen=there.datacenter,
                expected=here.datacenter,
                remedy="-o folder=PATH names another one there",
            )
        yield from _pool(plan, texts[1], here, there)
    elif here.datacenter and there.datacenter and here.cluster != there.cluster:
        yield from _pool(plan, texts[1], here, there)
    yield from _third(plan)
    yield Finding(
        "encryption-up-to-guest",
        Severity.INFO,
        None,
        "whether vMotion encrypts the memory is a setting of the guest and not of the move,"
        " migrateEncryption: opportunistic unless somebody has changed it, which is in plain text"
        " where one host cannot; a check reads it",
        expected="required, where it has to be encrypted",
        remedy=shlex.join(
            ["govc", "vm.change", "-vm", plan.guest, "-migrate-encryption", "required"]
        ),
    )


def _where(uri: ConnectionURI) -> _Where:
    # esx:// names a host by itself; its vCenter, if any, stands in the query.
    if uri.driver.lower() != "vpx":
        named = uri.parameters.get("vcenter")
        return _Where(None if named == _WITHOUT else named, None, None)
    vcenter = uri.host
    if vcenter is not None and uri.port not in {None, _HTTPS}:
        vcenter = netloc(vcenter, uri.port)
    parts = [part for part in uri.path.split("/") if part]
    if len(parts) not in {_FULL - 1, _FULL}:  # with folders no path tells what is what
        return _Where(vcenter, None, None)
    return _Where(vcenter, parts[0], parts[1] if len(parts) == _FULL else None)


def _opened(text: str, uri: ConnectionURI) -> Iterator[Finding]:
    """Look at one URI."""
    driver = uri.driver.lower()
    if driver == "gsx" or (driver == "esx" and not uri.parameters.get("vcenter")):
        yield Finding(
            "vcenter-missing",
            Severity.ERROR,
            text,
            "this opens a host without its vCenter, and vMotion is the vCenter's: it keeps the one"
            " inventory by which a guest is on one host and not on two",
            seen=text,
            expected="vpx://VCENTER/DATACENTER/CLUSTER/HOST, or esx://HOST?vcenter=*",
            remedy="GSX has none: no guest of it can move"
            if driver == "gsx"
            else f"write {text}{'&' if uri.query else '?'}vcenter=*",
        )
    if uri.parameters.get("no_verify") == "1":
        yield Finding(
            "certificate-not-verified",
            Severity.WARNING,
            text,
            "no_verify=1 takes any certificate: whoever is on the way can read the password and"
            " give commands",
            seen="no_verify=1",
            expected="a certificate that is verified",
            remedy="write cacert=FILE with the vCenter's authority, or thumbprint=SHA256 of its"
            " certificate, instead of no_verify=1",
        )


def _crossing(plan: Plan, text: str, here: str, there: str) -> Finding:
    """Tell what a move to another vCenter is; libvirt and its migration URI know none."""
    named = plan.uris.migration.value is not None
    return Finding(
        "vcenter-other",
        Severity.ERROR if named else Severity.WARNING,
        text,
        "the migration URI names host and pool by ids of one vCenter, and the destination belongs"
        " to another"
        if named
        else "the guest goes to another vCenter: its history, permissions, tags and alarms stay"
        " behind, the source's vCenter is given the user and password of the other one, and the two"
        " have to reach each other",
        seen=there,
        expected=here,
        remedy="leave the migration URI out"
        if named
        else "if both names are of one vCenter, write the same one in both URIs",
        acceptable=not named,
    )


def _pool(plan: Plan, text: str, here: _Where, there: _Where) -> Iterator[Finding]:
    """Tell that the guest leaves its pool, where nobody chose another one."""
    if "resource-pool" in plan.own or plan.uris.migration.value is not None:
        return
    yield Finding(
        "cluster-changes",
        Severity.WARNING,
        text,
        "the destination is in another cluster: the guest leaves its resource pool, with its"
        " shares and limits, for the root pool there",
        seen=f"{there.datacenter}/{there.cluster or 'no cluster'}",
        expected=f"{here.datacenter}/{here.cluster or 'no cluster'}",
        remedy="-o resource-pool=PATH names another one there",
    )


def _third(plan: Plan) -> Iterator[Finding]:
    """Look at a migration URI that was given."""
    text = plan.uris.migration.value
    host = None if text is None else MigrationURI.parse(text).host
    if host is not None and not _is_address(host):
        yield Finding(
            "vcenter-name",
            Severity.INFO,
            text,
            "libvirt compares this with the vCenter's IP address, letter by letter: virsh migrate"
            " would refuse it",
            seen=host,
            expected="the address that the vCenter's name resolves to",
            remedy="write the address, or leave the migration URI out: it is made",
        )


def _is_address(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - few plans give a migration URI

    try:
        ip_address(host)
    except ValueError:
        return False
    return True
