"""The kinds of finding that the checks of the Xen driver give."""

from __future__ import annotations

from typing import Final

from migrate_plugins import FindingKind, Severity
from migrate_plugins_libvirt import peer, sharing, versions

__all__ = ["GUEST", "KINDS", "XL"]

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

# What xl migrate needs, where it is what moves the guest.
XL: Final = (
    FindingKind("xl-no-shell", _ERROR, "no program can be run on the source"),
    FindingKind("xl-unusable", _ERROR, "xl does not answer on the source"),
    FindingKind("xl-ssh", _ERROR, "root on the source cannot run xl on the destination"),
    FindingKind("xl-option", _ERROR, "an option that only libvirt has"),
    FindingKind("xl-name-taken", _ERROR, "the destination has a guest of that name"),
    FindingKind("xen-versions", Severity.WARNING, "the hosts have two versions of Xen"),
)

KINDS: Final = (
    *XL,
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
