"""Errors of the data channel: the guest's memory on its way from host to host."""

from __future__ import annotations

from typing import Final

from migrate_plugins.catalogue import Entry, Pattern
from migrate_plugins.diagnosis import Remedy
from migrate_plugins.model import Seat
from migrate_plugins.wordings.connecting import CONTROL_PORTS

__all__ = ["MEMORY"]

_HOST: Final = r"(?P<host>[^'\n]{1,255})"
_DATA: Final = (
    rf"[Uu]nable to connect to server at '{_HOST}:(?!{CONTROL_PORTS}'|16\d\d\d')"
    r"(?P<port>\d{1,5})': "
)
_QEMU: Final = rf"[Ff]ailed to connect to (?:socket: )?'?{_HOST}:(?P<port>49\d\d\d)'?: "
_HERE: Final = Seat.SOURCE
# A connection that a client could not open carries no memory, whatever its port.
_CONTROL: Final = (
    r"cannot connect to \w{1,20}(?:\+\w{1,20})?://|[Ff]ailed to connect to the hypervisor"
)
_OPEN: Final = Remedy(
    "open {port}/tcp for the source (by default all of {first}-{last})", Seat.DESTINATION
)
_FIXED: Final = Remedy("or give an open address and port: --migrateuri tcp://ADDRESS:PORT")
_INSIDE: Final = Remedy("or send it through the daemons' connection: --p2p --tunnelled")


def _data(ending: str) -> tuple[Pattern, ...]:
    return (
        Pattern(_DATA + ending, "libvirt 9.0.0"),
        Pattern(_QEMU + ending, "source"),
    )


_SSH_IS_NOT_DATA: Final = Entry(
    "ssh-is-not-data",
    tuple(
        pattern
        for ending in (
            "Connection refused",
            "(?:No route to host|Network is unreachable)",
            "Connection timed out",
        )
        for pattern in _data(ending)
    ),
    "the +ssh or +tls of the connection URI protects the control connection alone: the guest's"
    " memory goes from hypervisor to hypervisor by itself, to port {port} of {host}",
    (
        Remedy("open that port for the source", Seat.DESTINATION),
        Remedy("or have the memory go through the control connection: --p2p --tunnelled"),
        Remedy("or have the hypervisor encrypt it, on that port still: --tls"),
    ),
    0.6,
    inferred=(38,),
    domains=(7,),
    finding="data-plain-text",
    beside=r"\w{1,20}\+(?:ssh|tls|libssh2?)://",
    unless=_CONTROL,
)

MEMORY: Final = (
    Entry(
        "hostname-localhost",
        (
            Pattern(
                r"hostname on destination resolved to localhost, but migration requires an FQDN",
                "libvirt 9.0.0",
            ),
        ),
        "the destination calls itself localhost, so that its libvirt cannot make a migration URI of"
        " its name",
        (
            Remedy("give the migration URI with an address: tcp://ADDRESS/"),
            Remedy("or: hostnamectl set-hostname NAME", Seat.DESTINATION),
            Remedy("or in {configuration}: {own_name}", Seat.DESTINATION),
        ),
        0.98,
        codes=(1,),
        domains=(10, 41),
        finding="destination-name-localhost",
    ),
    Entry(
        "dest-name-unresolvable",
        (
            Pattern(
                rf"Unable to resolve address '{_HOST}' service '(?!{CONTROL_PORTS}')"
                r"(?P<port>\d{1,5})'",
                "libvirt 9.0.0",
            ),
            Pattern(rf"address resolution failed for {_HOST}", "source"),
        ),
        "the source cannot resolve {host}: nobody typed that name, the destination gave it as its"
        " own",
        (
            Remedy("getent ahosts {host}", Seat.SOURCE),
            Remedy("add {host} to DNS or to /etc/hosts", Seat.SOURCE),
            Remedy("or give the migration URI with an address: tcp://ADDRESS/"),
        ),
        0.95,
        codes=(38,),
        domains=(7,),
        finding="destination-name-unresolvable",
    ),
    Entry(
        "data-port-refused",
        _data("Connection refused"),
        "a firewall rejects port {port} of {host}, which receives the guest's memory, or the"
        " destination listens on another address",
        (
            _OPEN,
            Remedy("firewall-cmd --add-port={first}-{last}/tcp", Seat.DESTINATION),
            Remedy(
                "grep -E '{settings}' /etc/libvirt/{configuration}: is it {host}?",
                Seat.DESTINATION,
            ),
            _FIXED,
            _INSIDE,
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="data-port-blocked",
        unless=_CONTROL,
    ),
    Entry(
        "data-port-no-route",
        _data("(?:No route to host|Network is unreachable)"),
        "the source has no way to port {port} of {host}, which receives the guest's memory: a"
        " firewall says so, or there is no such host on the network",
        (
            Remedy("ip route get {host}", Seat.SOURCE),
            _OPEN,
            _FIXED,
            _INSIDE,
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="data-port-blocked",
        unless=_CONTROL,
    ),
    Entry(
        "data-port-timeout",
        _data("(?:Connection timed out|Operation timed out)"),
        "packets to port {port} of {host}, which receives the guest's memory, are lost: a firewall"
        " drops them, or the route leads elsewhere",
        (
            _OPEN,
            Remedy("ip route get {host}, and compare VLAN and MTU on the way", Seat.SOURCE),
            _FIXED,
            _INSIDE,
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="data-port-blocked",
        unless=_CONTROL,
    ),
    _SSH_IS_NOT_DATA,
    Entry(
        "port-range-exhausted",
        (
            Pattern(
                r"Unable to find an unused port in range '[^'\n]{1,60}'"
                r"(?: \((?P<first>\d{1,5})-(?P<last>\d{1,5})\))?",
                "libvirt 9.0.0",
            ),
        ),
        "every port of the destination's range ({first}-{last}) is taken: each stream takes one,"
        " and so does each disk that is copied",
        (
            Remedy("ss -ltnp, to see who holds the ports", Seat.DESTINATION),
            Remedy("move fewer guests at once"),
            Remedy(
                "or raise {last_port} in {configuration}, and open those ports too",
                Seat.DESTINATION,
            ),
        ),
        0.98,
        codes=(1,),
        finding="data-ports-exhausted",
    ),
    Entry(
        "port-reserve-failed",
        (Pattern(r"Failed to reserve port (?P<port>\d{1,5})", "source"),),
        "port {port} of the migration URI is in use by another migration of the same daemon",
        (
            Remedy("leave the port out of the migration URI: the daemon then takes a free one"),
            Remedy("or: ss -ltnp 'sport = :{port}', and give another", Seat.DESTINATION),
        ),
        0.95,
        inferred=(1,),
        finding="data-port-taken",
    ),
    Entry(
        "data-port-taken",
        (
            Pattern(
                r"Failed to bind socket: Address already in use",
                "QEMU 7.2",
            ),
            Pattern(
                r"[Ff]ailed to (?:find an available port|listen on socket): Address already in use",
                "QEMU 7.2",
            ),
            Pattern(r"unable to bind to port: Address already in use", "source"),
        ),
        "another program holds the port that is to receive the guest's memory",
        (
            Remedy("ss -ltnp, to see which", Seat.DESTINATION),
            Remedy("leave the port out of the migration URI: the daemon then takes a free one"),
        ),
        0.9,
        inferred=(1, 9, 38),
        finding="data-port-taken",
    ),
    Entry(
        "bind-address",
        (
            Pattern(
                r"Failed to bind socket: Cannot assign requested address",
                "libvirt 9.0.0, QEMU 7.2",
            ),
            Pattern(r"[Uu]nable to bind to port: Cannot assign requested address", "source"),
        ),
        "the destination has no such address as --listen-address, or the migration URI, tells it to"
        " listen on",
        (
            Remedy("ip -brief address", Seat.DESTINATION),
            Remedy("give --listen-address, or the migration URI, with one of those"),
        ),
        0.95,
        inferred=(1, 9, 38),
        finding="listen-address-missing",
    ),
    Entry(
        "data-connection-broke",
        (
            Pattern(
                r"Unable to write to socket: (?:Broken pipe|Connection reset)",
                "libvirt 9.0.0, QEMU 7.2",
            ),
            Pattern(r"load of migration failed: Input/output error", "libvirt 9.0.0, QEMU 7.2"),
        ),
        "the stream of the guest's memory was cut on its way: the link broke, one of the two ends"
        " did, or somebody cancelled the migration (libvirt may word that so too)",
        (
            Remedy("virsh domstate --reason GUEST (as before, where it was cancelled)", _HERE),
            Remedy("tail -n 40 {log}", Seat.DESTINATION),
            Remedy("ping -c 5 DESTINATION, and migrate again once the link holds", _HERE),
        ),
        0.75,
        inferred=(1, 9, 38),
    ),
    Entry(
        "transfer-stalled",
        (Pattern(r"no memory has been sent for \d{1,4} s", "migrate-plugins 0.1.0"),),
        "the link between the hosts lets nothing through, or the destination stands still; the"
        " migration was stopped",
        (
            Remedy("ping -c 5 DESTINATION", _HERE),
            Remedy("ping -c 3 -M do -s 1472 DESTINATION, for a lower MTU on the way", _HERE),
            Remedy("systemctl status libvirtd {daemon}", Seat.DESTINATION),
        ),
        0.9,
    ),
    Entry(
        "cancel-not-heeded",
        (Pattern(r"it was to stop, and has not for \d{1,4} s", "migrate-plugins 0.1.0"),),
        "the hypervisor was asked to stop the migration and is stuck in it: its link is too slow,"
        " or cut",
        (
            Remedy("migrate-plugins reconcile GUEST"),
            Remedy("ping -c 5 DESTINATION", _HERE),
        ),
        0.9,
    ),
)
