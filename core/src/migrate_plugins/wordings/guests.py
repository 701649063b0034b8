"""Errors about the guest itself: its state, its name, its jobs, and what it needs over there."""

from __future__ import annotations

from typing import Final

from migrate_plugins.catalogue import Entry, Pattern
from migrate_plugins.diagnosis import Remedy
from migrate_plugins.model import Seat

__all__ = ["GUESTS"]

_GUEST: Final = r"(?P<guest>[^'\n]{1,255})"

GUESTS: Final = (
    Entry(
        "guest-not-found",
        (
            Pattern(rf"no domain with matching (?:name|uuid) '{_GUEST}'", "libvirt 9.0.0"),
            Pattern(rf"failed to get domain '{_GUEST}'", "libvirt 9.0.0"),
        ),
        "the host that was asked has no guest {guest}: it may have moved already",
        (
            Remedy("virsh list --all", Seat.SOURCE),
            Remedy("virsh list --all", Seat.DESTINATION),
        ),
        0.95,
        codes=(42,),
        finding="guest-not-found",
    ),
    Entry(
        "not-running",
        (Pattern(r"domain is not running", "libvirt 9.0.0"),),
        "the guest does not run, so that there is no memory to move: it was shut off, or stopped on"
        " the way",
        (
            Remedy("virsh domstate --reason GUEST", Seat.SOURCE),
            Remedy("start it first"),
            Remedy("or move its definition: {offline}"),
        ),
        0.95,
        codes=(55, 9),
        domains=(20, 10, 41),
        finding="guest-not-running",
    ),
    Entry(
        "already-there",
        (Pattern(rf"domain '{_GUEST}' is already active", "libvirt 9.0.0"),),
        "a guest with the uuid of {guest} is active on the destination already",
        (
            Remedy("virsh domstate --reason {guest}", Seat.SOURCE),
            Remedy("virsh domstate --reason {guest}", Seat.DESTINATION),
            Remedy("find out which of the two is the right one; start and stop neither before"),
        ),
        0.95,
        codes=(55,),
        domains=(20,),
        finding="already-there",
    ),
    Entry(
        "name-taken",
        (
            Pattern(
                rf"domain '{_GUEST}' already exists with uuid (?P<uuid>[0-9a-f-]{{36}})",
                "libvirt 9.0.0",
            ),
        ),
        "the destination has another guest of the name {guest} (uuid {uuid})",
        (
            Remedy("give the guest another name there: --dname NAME"),
            Remedy(
                "or remove the other one, if it is stale: virsh undefine {guest}", Seat.DESTINATION
            ),
        ),
        0.95,
        codes=(9,),
        domains=(20,),
        finding="name-taken",
    ),
    Entry(
        "uuid-taken",
        (
            Pattern(
                rf"domain '{_GUEST}' is already defined with uuid (?P<uuid>[0-9a-f-]{{36}})",
                "libvirt 9.0.0",
            ),
        ),
        "the destination has a configuration of the guest's uuid under the name {guest}",
        (
            Remedy("give the guest that name there: --dname {guest}"),
            Remedy(
                "or remove that configuration, if it is stale: virsh undefine {guest}",
                Seat.DESTINATION,
            ),
        ),
        0.95,
        codes=(9,),
        domains=(20,),
        finding="uuid-taken",
    ),
    Entry(
        "job-lock",
        (
            Pattern(
                r"cannot acquire state change lock"
                r"(?: \(held by (?:[a-z]{1,20}=)?(?P<holder>[\w ,=]{1,200})\))?",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"another migration job is already running(?: for domain '[^'\n]{1,255}')?",
                "libvirt 9.0.0",
            ),
        ),
        "something else is being done to the guest: {holder}",
        (
            Remedy("virsh domjobinfo GUEST", Seat.SOURCE),
            Remedy("wait for its end, or end it: {abort}", Seat.SOURCE),
            Remedy("tell monitoring to ask with --nowait, so that it never waits for the lock"),
        ),
        0.95,
        codes=(68, 55),
        finding="guest-busy",
        otherwise={"holder": "a migration that is going on"},
    ),
    Entry(
        "dest-network",
        (
            Pattern(r"no network with matching name '(?P<network>[^'\n]{1,255})'", "libvirt 9.0.0"),
            Pattern(r"network '(?P<network>[^'\n]{1,255})' is not active", "libvirt 9.0.0"),
            Pattern(
                r"Cannot get interface MTU on '(?P<network>[^'\n]{1,255})': No such device",
                "libvirt 9.0.0",
            ),
            Pattern(r"Network not found", "report"),
            Pattern(r"MTU .{0,60}does not match source", "source"),
        ),
        "the network or bridge {network} that the guest is plugged into is not there on the"
        " destination, or is another one",
        (
            Remedy("virsh net-list --all", Seat.DESTINATION),
            Remedy("virsh net-start {network} (or: ip link show {network})", Seat.DESTINATION),
            Remedy("or plug the guest into another one there: --xml FILE"),
        ),
        0.9,
        inferred=(38, 43, 55, 67),
        finding="network-missing",
        otherwise={"network": "NETWORK"},
    ),
    Entry(
        "persist-failed",
        (Pattern(r"[Ff]ailed to make domain persistent after migration", "source"),),
        "the guest did move and runs on the destination; only its configuration was not stored"
        " there: do not migrate again",
        (
            Remedy("virsh dumpxml --inactive GUEST > GUEST.xml", Seat.DESTINATION),
            Remedy("virsh define GUEST.xml", Seat.DESTINATION),
            Remedy("then: virsh undefine GUEST", Seat.SOURCE),
        ),
        0.95,
        codes=(69,),
    ),
    Entry(
        "cancelled",
        (
            Pattern(r"job '[\w ]{1,40}' canceled by client", "libvirt 9.0.0"),
            Pattern(r"[\w ]{1,40} job: canceled by client", "report"),
            Pattern(r"operation aborted: [\w ':]{1,60}: canceled by client", "report"),
        ),
        "somebody cancelled the migration; nothing is wrong, and the guest is where it was",
        (
            Remedy("virsh domstate --reason GUEST", Seat.SOURCE),
            Remedy("migrate again, or ask who cancelled it"),
        ),
        0.98,
        codes=(78,),
        domains=(10,),
    ),
)
