"""The kinds of finding that the checks of the Xen driver give."""

from __future__ import annotations

from typing import Final

from migrate_plugins import FindingKind, Severity
from migrate_plugins_libvirt import peer, sharing, versions

__all__ = ["GUEST", "KINDS"]

_ERROR, _INFO = Severity.ERROR, Severity.INFO

# What is read from the guest and from what libvirt drives.
GUEST: Final = (
    FindingKind("guest-cannot-suspend", _ERROR, "a paused guest cannot be asked to stand still"),
    FindingKind("guest-is-host", _ERROR, "Domain-0 is the host itself"),
    FindingKind("job-held", _ERROR, "libvirt still holds the job of a migration that failed"),
    FindingKind(
        "pv-live",
        _ERROR,
        "the hypervisor cannot move a PV guest live; a warning where it does not say so",
    ),
    FindingKind("state-wrong", _INFO, "libvirt calls the guest paused, and it runs"),
    FindingKind("toolstack-other", _ERROR, "the plan follows the rules of another toolstack"),
    FindingKind("host-device", _ERROR, "a device of the source is passed through"),
    FindingKind(
        "destination-memory-short",
        _ERROR,
        "the destination has less memory than the guest; a warning where it is only more than is"
        " free",
    ),
    FindingKind("host-facts-unknown", _INFO, "something that a check needs could not be read"),
)

KINDS: Final = (
    FindingKind(
        "destination-name-localhost",
        _ERROR,
        "the destination calls itself localhost, and no migration URI is given",
    ),
    *peer.KINDS,
    *versions.KINDS,
    *sharing.KINDS,
    *GUEST,
)
