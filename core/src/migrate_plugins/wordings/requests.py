"""Errors about what was asked for: URIs and options that libvirt does not take together."""

from __future__ import annotations

from typing import Final

from migrate_plugins.catalogue import Entry, Pattern
from migrate_plugins.diagnosis import Remedy
from migrate_plugins.model import Seat

__all__ = ["REQUESTS"]

REQUESTS: Final = (
    Entry(
        "same-host-uuid",
        (
            Pattern(
                r"Attempt to migrate guest to the same host(?: (?P<uuid>[^\s]{1,100}))?",
                "libvirt 9.0.0",
            ),
        ),
        "the destination is the source (a URI without a host means the machine that opens it), or"
        " both hosts say that they are {uuid}",
        (
            Remedy("virsh capabilities | grep -m1 uuid", Seat.SOURCE),
            Remedy("virsh capabilities | grep -m1 uuid", Seat.DESTINATION),
            Remedy("if they differ, correct the destination URI"),
            Remedy(
                'if not, give one host a uuid of its own: host_uuid = "…" in libvirtd.conf (from'
                " uuidgen), then systemctl restart libvirtd",
                Seat.DESTINATION,
            ),
        ),
        0.98,
        codes=(1, 8),
        domains=(10, 20, 41),
        finding="same-host",
        otherwise={"uuid": "one and the same"},
    ),
    Entry(
        "flag-conflict",
        (
            Pattern(
                r"Flags '(?P<one>\w{1,60})' and '(?P<other>\w{1,60})' are mutually exclusive",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"(?P<one>post-copy) is not supported with (?P<other>tunnelled migration)",
                "libvirt 9.0.0",
            ),
            Pattern(r"Turn (?P<other>[\w ]{1,40}) on to tune (?P<one>it)", "libvirt 9.0.0"),
            Pattern(
                r"(?P<one>Zero copy) only available for (?P<other>non-compressed non-TLS multifd"
                r" migration)",
                "report",
            ),
            Pattern(
                r"(?P<one>zero-copy) is only available for (?P<other>parallel migration)",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"(?P<one>offline migration) must be specified with the (?P<other>persistent) flag",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"(?P<one>Unsupported compression method) (?P<other>'[\w-]{1,40}')",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"cannot perform (?P<one>tunnelled migration) without using (?P<other>peer2peer)"
                r" flag",
                "libvirt 9.0.0",
            ),
        ),
        "two options do not go together, or one needs another that was not given: {one} and"
        " {other}",
        (
            Remedy("leave one of the two out, or add the one that is missing"),
            Remedy("migrate-plugins plan, with the same arguments: it names every such pair"),
        ),
        0.95,
        inferred=(1, 8, 55, 74),
        domains=(10, 20),
        finding="option-excludes",
    ),
    Entry(
        "unmanaged-refused",
        (Pattern(r"direct migration is not supported by the source host", "libvirt 9.0.0"),),
        "the source was asked to migrate by itself, without libvirt at the destination, and"
        " libvirt has a hypervisor do that no longer",
        (
            Remedy("give the destination's connection URI, without --direct"),
            Remedy("or: migrate-plugins matrix, to see which driver offers native-unmanaged"),
        ),
        0.98,
        codes=(74,),
        domains=(20,),
        finding="scenario-not-offered",
    ),
    Entry(
        "driver-unsupported",
        (
            Pattern(
                r"not supported by the connection driver: (?P<call>virDomainMigrate\w{0,40})",
                "libvirt 9.0.0, Xen 4.17",
            ),
            Pattern(
                r"(?P<call>\w{1,20} migration) is not supported by the (?:source|destination) host",
                "libvirt 9.0.0, Xen 4.17",
            ),
        ),
        "libvirt's driver for that hypervisor does not have this way of migrating ({call})",
        (
            Remedy("migrate-plugins matrix, to see what each driver offers"),
            Remedy("migrate-plugins plan, for the hypervisor's own command (xl, VBoxManage, govc)"),
        ),
        0.85,
        inferred=(3, 74),
        finding="scenario-not-offered",
    ),
    Entry(
        "migration-uri-scheme",
        (
            Pattern(
                r"unsupported scheme (?P<scheme>\S{1,60}) in migration URI (?P<uri>\S{1,300})",
                "libvirt 9.0.0",
            ),
            Pattern(r"missing scheme in migration URI: (?P<uri>\S{1,300})", "libvirt 9.0.0"),
            Pattern(r"unable to parse URI: (?P<uri>\S{1,300})", "libvirt 9.0.0, Xen 4.17"),
        ),
        "the migration URI {uri} is none that the hypervisor reads",
        (Remedy("write it as tcp://ADDRESS/ or tcp://ADDRESS:PORT, or leave it out"),),
        0.95,
        codes=(8, 74),
        domains=(10, 41),
    ),
)
