"""What libvirt's errors about QEMU migrations mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import Diagnosis, Remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["diagnose"]


class _Known(NamedTuple):
    id: str
    code: int  # virErrorNumber
    pattern: str  # as libvirt 9.0.0 words it
    cause: str
    remedy: str
    confidence: float


_DATA_PORT: Final = r"unable to connect to server at '[^']+:(49\d\d\d)': "
_OPEN: Final = (
    "on the destination open the ports that the plan names (49152-49215/tcp by default), or give"
    " a migration URI with an address and a port that are open"
)

_KNOWN: Final = (
    _Known(
        "dest-name-unresolvable",
        38,
        r"Unable to resolve address '([^']+)' service '\d+'",
        "the source cannot resolve the destination's own name, which libvirt put into the"
        " migration URI",
        "on the source add the name to DNS or /etc/hosts, or give the migration URI tcp://ADDRESS/",
        0.9,
    ),
    _Known(
        "data-port-refused",
        38,
        _DATA_PORT + "Connection refused",
        "a firewall rejects the memory's port, or it is not open on the address used",
        _OPEN,
        0.8,
    ),
    _Known(
        "data-port-no-route",
        38,
        _DATA_PORT + "(No route to host|Connection timed out)",
        "the memory's port cannot be reached: a firewall, or another network",
        _OPEN,
        0.8,
    ),
    _Known(
        "same-host-uuid",
        1,
        r"Attempt to migrate guest to the same host",
        "both URIs lead to one host, or the two hosts have one uuid",
        "correct the destination URI, or give each host its own host_uuid in libvirtd.conf",
        0.9,
    ),
    _Known(
        "tls-qemu-cert",
        1,
        r"Unable to access credentials (\S+)",
        "native TLS was asked for and QEMU's certificates are missing on one side",
        "on both hosts install them in the folder that the message names, readable for qemu",
        0.9,
    ),
    _Known(
        "no-shared-storage",
        81,
        r"Migration without shared storage is unsafe",
        "a disk of the guest is not on storage that both hosts share",
        "copy it with --copy-storage-all, or put it on shared storage",
        0.9,
    ),
    _Known(
        "cpu-missing-features",
        9,
        r"guest CPU doesn't match specification: missing features: (.+)",
        "the destination's CPU lacks features that the guest uses",
        "choose a destination that has them, or start the guest with a common CPU model",
        0.9,
    ),
    _Known(
        "lost-destination",
        1,
        r"client socket is closed|[Cc]onnection closed due to keepalive timeout",
        "the connection to the destination's daemon broke while memory was copied",
        "look whether libvirtd runs on the destination; then migrate again",
        0.7,
    ),
)


def diagnose(text: str, code: int | None) -> Sequence[Diagnosis]:
    """Give what *text* may mean; a *code* that is given must agree."""
    return [
        Diagnosis(known.id, known.cause, (Remedy(known.remedy),), known.confidence)
        for known in _KNOWN
        if (code is None or code == known.code) and re.search(known.pattern, text)
    ]
