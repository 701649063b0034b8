"""What a plan for vMotion shows by itself: whose vCenter, which cluster, what encrypts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import ConnectionURI, Finding, FindingKind, MigrationURI, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["KINDS", "foresee"]

KINDS: Final = (
    FindingKind("certificate-not-verified", Severity.WARNING, "no_verify=1 takes any certificate"),
    FindingKind("cluster-changes", Severity.WARNING, "the guest leaves its resource pool"),
    FindingKind("datacenter-changes", Severity.WARNING, "the destination is in another datacenter"),
    FindingKind("encryption-up-to-guest", Severity.INFO, "the guest decides what is encrypted"),
    FindingKind("no-abort", Severity.INFO, "nobody can abort it, nor tell how far it is"),
    FindingKind("vcenter-missing", Severity.ERROR, "a host is opened without its vCenter"),
    FindingKind("vcenter-name", Severity.WARNING, "the migration URI names the vCenter by a name"),
    FindingKind("vcenter-other", Severity.ERROR, "the two hosts are opened through two vCenters"),
)

_WITHOUT: Final = "*"  # of ?vcenter=: whichever manages the host


class _Place(NamedTuple):
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
    here, there = map(_place, uris)
    if here.vcenter and there.vcenter and here.vcenter.lower() != there.vcenter.lower():
        yield Finding(
            "vcenter-other",
            Severity.ERROR,
            texts[1],
            "the two hosts are opened through two vCenters, and libvirt moves a guest within one"
            " alone",
            seen=there.vcenter,
            expected=here.vcenter,
            remedy="open both through the same vCenter, by the same name",
        )
    elif here.datacenter and there.datacenter and here.datacenter != there.datacenter:
        yield Finding(
            "datacenter-changes",
            Severity.WARNING,
            texts[1],
            "the destination is in another datacenter, where a move needs a folder too, which"
            " libvirt's call cannot name: the vCenter may refuse it",
            seen=there.datacenter,
            expected=here.datacenter,
            remedy="choose a host of the same datacenter, or move the guest in the vCenter itself",
        )
    elif here.cluster != there.cluster and here.datacenter and there.datacenter:
        yield Finding(
            "cluster-changes",
            Severity.WARNING,
            texts[1],
            "the destination is in another cluster: the guest leaves its resource pool, with its"
            " shares and limits, for the root pool there",
            seen=there.cluster or "no cluster",
            expected=here.cluster or "no cluster",
            remedy="put the guest into the right pool afterwards",
        )
    yield from _third(plan)
    yield Finding(
        "encryption-up-to-guest",
        Severity.INFO,
        None,
        "whether vMotion encrypts the memory is a setting of the guest, migrateEncryption:"
        " opportunistic unless somebody has changed it, which is in plain text where one host"
        " cannot",
        expected="required, where it has to be encrypted",
        remedy="set it in the vCenter: Edit Settings, VM Options, Encryption, Encrypted vMotion",
    )
    yield Finding(
        "no-abort",
        Severity.INFO,
        None,
        "libvirt starts a vMotion and waits: it neither aborts one nor tells how far it is",
        remedy="watch and cancel the task in the vCenter",
    )


def _place(uri: ConnectionURI) -> _Place:
    # esx:// names a host by itself; its vCenter, if any, stands in the query.
    if uri.driver.lower() != "vpx":
        named = uri.parameters.get("vcenter")
        return _Place(None if named == _WITHOUT else named, None, None)
    parts = [part for part in uri.path.split("/") if part]
    if len(parts) not in {2, 3}:  # with folders nobody can tell by the path what is what
        return _Place(uri.host, None, None)
    return _Place(uri.host, parts[0], parts[1] if len(parts) > 2 else None)  # noqa: PLR2004


def _opened(text: str, uri: ConnectionURI) -> Iterator[Finding]:
    """Look at one URI."""
    driver = uri.driver.lower()
    if driver == "gsx" or (driver == "esx" and not uri.parameters.get("vcenter")):
        yield Finding(
            "vcenter-missing",
            Severity.ERROR,
            text,
            "this opens a host without its vCenter, and vMotion is the vCenter's",
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
            remedy="have the vCenter's authority trusted here, and leave no_verify out",
        )


def _third(plan: Plan) -> Iterator[Finding]:
    """Look at a migration URI that was given."""
    text = plan.uris.migration.value
    host = None if text is None else MigrationURI.parse(text).host
    if host is not None and not _is_address(host):
        yield Finding(
            "vcenter-name",
            Severity.WARNING,
            text,
            "libvirt compares this with the vCenter's IP address, letter by letter",
            seen=host,
            expected="the address that the vCenter's name resolves to",
            remedy="write the address, or leave the migration URI out: libvirt makes it",
        )


def _is_address(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - few plans give a migration URI

    try:
        ip_address(host)
    except ValueError:
        return False
    return True
