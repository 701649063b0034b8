"""Errors of the control connection: the client's to a daemon, and in peer-to-peer the source's."""

from __future__ import annotations

from typing import Final

from migrate_plugins.catalogue import Entry, Pattern
from migrate_plugins.diagnosis import Remedy
from migrate_plugins.model import Seat

__all__ = ["CONNECTING", "CONTROL_PORTS"]

# libvirtd's own ports, plain and with TLS, and ssh's: what is refused there is no guest's memory.
CONTROL_PORTS: Final = r"(?:16509|16514|22)"

_HOST: Final = r"(?P<host>[^'\n]{1,255})"
_CONTROL: Final = rf"unable to connect to server at '{_HOST}:(?P<port>{CONTROL_PORTS}|16\d\d\d)': "
# The same at any port, where it is known what was opened.
_OURS: Final = (
    r"cannot connect to \w{1,20}(?:\+\w{1,20})?://\S{0,300}: unable to connect to server at"
    rf" '{_HOST}:(?P<port>\d{{1,5}})': "
)
_OPENER: Final = (
    "whoever opens the connection URI (with --p2p the source's daemon, else the client)"
)

CONNECTING: Final = (
    Entry(
        "daemon-name-unresolvable",
        (
            Pattern(
                rf"Unable to resolve address '{_HOST}' service '{CONTROL_PORTS}'",
                "libvirt 9.0.0",
            ),
            Pattern(r"ssh: Could not resolve hostname (?P<host>[^\s:]{1,255}):", "OpenSSH 9.2"),
        ),
        f"{_OPENER} cannot resolve the name {{host}}, which is in that URI",
        (
            Remedy("getent ahosts {host}", Seat.SOURCE),
            Remedy("add {host} to DNS or to /etc/hosts there, or write its address in the URI"),
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "daemon-refused",
        (
            Pattern(_CONTROL + "Connection refused", "libvirt 9.0.0"),
            Pattern(_OURS + "Connection refused", "libvirt 9.0.0"),
        ),
        "no libvirt daemon listens on port {port} of {host}, or a firewall rejects it",
        (
            Remedy("systemctl status libvirtd virtproxyd {daemon}", Seat.DESTINATION),
            Remedy(
                "systemctl enable --now virtproxyd-tls.socket (or libvirtd-tls.socket)",
                Seat.DESTINATION,
            ),
            Remedy("or open the connection over ssh, which needs no such port: {scheme}+ssh://…"),
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "daemon-unreachable",
        (
            *(
                Pattern(
                    form + "(?:No route to host|Connection timed out|Network is unreachable)",
                    "libvirt 9.0.0",
                )
                for form in (_CONTROL, _OURS)
            ),
            Pattern(
                r"ssh: connect to host (?P<host>\S{1,255}) port (?P<port>\d{1,5}): (?:No route to"
                r" host|Connection timed out|Network is unreachable)",
                "OpenSSH 9.2",
            ),
        ),
        f"{_OPENER} cannot reach {{host}} at all: it is down, the address is another one, or a"
        " firewall drops port {port}",
        (
            Remedy("ping -c 3 {host}", Seat.SOURCE),
            Remedy("correct the address in the URI, or open {port}/tcp", Seat.DESTINATION),
        ),
        0.9,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "daemon-not-running",
        (
            Pattern(
                r"Failed to connect socket to '(?P<socket>[^'\n]{1,300})': (?:No such file or"
                r" directory|Connection refused)",
                "libvirt 9.0.0",
            ),
        ),
        "no libvirt daemon listens at the socket {socket}: it does not run, or the URI names"
        " another one ({scheme}:///system is root's, {scheme}:///session your own)",
        (
            Remedy("systemctl enable --now libvirtd.socket (or {daemon}.socket), there"),
            Remedy("virsh uri, to see that the URI is the right one"),
        ),
        0.9,
        codes=(38,),
        domains=(7,),
    ),
    Entry(
        "daemon-ended",
        (Pattern(r"Cannot recv data: Connection reset by peer", "libvirt 9.0.0"),),
        "the daemon took the connection and ended before it answered: it died, or was restarted",
        (
            Remedy("systemctl status {daemon} libvirtd, there, and try again once it runs"),
            Remedy("journalctl -u {daemon} -u libvirtd, there, if it ends again"),
        ),
        0.8,
        codes=(38,),
        domains=(7,),
    ),
    Entry(
        "daemon-permission",
        (
            Pattern(
                r"Failed to connect socket to '(?P<socket>[^'\n]{1,300})': Permission denied",
                "report",
            ),
        ),
        "the user that opens the URI may not use the daemon's socket {socket}",
        (
            Remedy("id, to see the user's groups; usermod -aG libvirt USER adds the one it needs"),
            Remedy("log in anew, so that the group counts"),
        ),
        0.9,
        codes=(38,),
        domains=(7,),
    ),
    Entry(
        "ssh-unreachable",
        (
            Pattern(
                r"ssh: connect to host (?P<host>\S{1,255}) port (?P<port>\d{1,5}):"
                r" Connection refused",
                "libvirt 9.0.0",
            ),
        ),
        "no ssh server listens on port {port} of {host}",
        (
            Remedy("systemctl enable --now ssh (or sshd)", Seat.DESTINATION),
            Remedy("or open the connection another way, such as {scheme}+tls://…"),
        ),
        0.95,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "p2p-host-key",
        (Pattern(r"Host key verification failed", "libvirt 9.0.0, OpenSSH 9.2"),),
        "the user that opens the URI does not know the other host's ssh key: in peer-to-peer that"
        " is the source's daemon (root for /system), not you",
        (
            Remedy("as the daemon's user, once: ssh DESTINATION true", Seat.SOURCE),
            Remedy("or take +tls for the second URI, which needs no ssh"),
            Remedy("or leave out --p2p: the client then opens the destination, with your key"),
        ),
        0.95,
        inferred=(9, 38),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "p2p-auth",
        (
            Pattern(r"Permission denied \(publickey", "libvirt 9.0.0, OpenSSH 9.2"),
            Pattern(r"Permission denied, please try again", "report"),
        ),
        "the user that opens the URI has no key that the other host takes: in peer-to-peer that is"
        " the source's daemon (root for /system), not you",
        (
            Remedy("as the daemon's user: ssh-copy-id USER@DESTINATION", Seat.SOURCE),
            Remedy("and name that user in the second URI: {scheme}+ssh://USER@DESTINATION/system"),
            Remedy("or leave out --p2p: the client then opens the destination, with your key"),
        ),
        0.95,
        inferred=(9, 38),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "p2p-uri-path",
        (
            Pattern(
                r"unexpected [\w ]{1,20} URI path '(?P<path>[^'\n]{0,255})', try"
                r" (?P<right>\w{1,20}:///\w{1,20})",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"Failed to connect to remote libvirt URI \w{1,20}\+\w{1,20}://[^/\s]{1,255}/?(?=$|\n)",
                "report",
            ),
        ),
        "the URI ends in {path} instead of the path of a daemon that runs there: /system, or"
        " /session for a user's own",
        (Remedy("end the URI as in {right}: scheme://HOST/ and that path"),),
        0.9,
        inferred=(1, 9),
        finding="peer2peer-uri-path",
        otherwise={"path": "nothing", "right": "{scheme}:///system"},
    ),
    Entry(
        "ssh-missing",
        (
            Pattern(r"Cannot find '(?P<program>[^'\n]{1,255})' in path", "report"),
            Pattern(
                r"cannot execute binary (?P<program>[^\s:]{1,255}): No such file or directory",
                "libvirt 9.0.0",
            ),
        ),
        "the daemon (or client) that opens the URI finds no program {program}",
        (
            Remedy("apt install openssh-client (or: dnf install openssh-clients)", Seat.SOURCE),
            Remedy("systemctl show libvirtd --property=Environment", Seat.SOURCE),
            Remedy("then name it in the URI: {scheme}+ssh://HOST/system?command=/usr/bin/ssh"),
        ),
        0.9,
        inferred=(38,),
    ),
    Entry(
        "carrier-ended",
        (Pattern(r"Cannot write data: Broken pipe", "libvirt 9.0.0"),),
        "the program that carries the connection (ssh, or what command= in the URI names) ended"
        " before the connection was made, and what it said was not heard",
        (
            Remedy("ssh HOST true, as the user whose daemon opens the URI", Seat.SOURCE),
            Remedy("virsh -c URI uri, as that user: it may say more", Seat.SOURCE),
        ),
        0.7,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "tls-ca-missing",
        (
            Pattern(
                r"Cannot read CA certificate '(?P<file>[^'\n]{1,255})'",
                "libvirt 9.0.0",
            ),
        ),
        "the URI names no transport, so that libvirt takes TLS, and there is no {file}",
        (
            Remedy("name a transport in the URI: {scheme}+ssh://HOST/system"),
            Remedy(
                "or install a certificate authority as {file}:"
                " https://libvirt.org/kbase/tlscerts.html",
                Seat.SOURCE,
            ),
        ),
        0.95,
        codes=(38,),
        domains=(7,),
        finding="peer2peer-unreachable",
    ),
    Entry(
        "tls-peer-name",
        (
            Pattern(r"Failed to verify peer's certificate", "report"),
            Pattern(r"owner does not match the hostname (?P<host>[^\s'\"]{1,255})", "report"),
        ),
        "the certificate of the other host's daemon does not hold the name {host} in the URI",
        (
            Remedy(
                "openssl x509 -in /etc/pki/libvirt/servercert.pem -noout -ext subjectAltName",
                Seat.DESTINATION,
            ),
            Remedy("open the URI by a name that this prints, or issue the certificate anew"),
        ),
        0.85,
        inferred=(45, 1),
        finding="peer2peer-unreachable",
        otherwise={"host": "that is used"},
    ),
    Entry(
        "daemon-login",
        (
            Pattern(r"authentication failed: (?!Failed to verify peer)", "libvirt 9.0.0"),
            Pattern(r"[Aa]uthentication (?:unavailable|cancelled)", "source"),
            Pattern(r"No authentication callback available", "source"),
        ),
        "the daemon was reached and did not let the user in",
        (
            Remedy("virsh -c URI uri, as the user that opens the URI"),
            Remedy(
                "write the credentials into libvirt's auth.conf:"
                " https://libvirt.org/auth.html#client-configuration"
            ),
        ),
        0.7,
        inferred=(45, 79, 94),
    ),
    Entry(
        "connection-uri",
        (
            Pattern(r"remote_open: transport in URL not recognised", "libvirt 9.0.0"),
            Pattern(r"no connection driver available for", "source"),
        ),
        "the connection URI names a transport or a driver that libvirt here does not have",
        (
            Remedy("write one of its transports: +ssh, +tls, +tcp, +unix, +libssh2, +libssh"),
            Remedy("virsh version, to see that the driver is installed there at all"),
        ),
        0.9,
        inferred=(5, 8, 38),
    ),
    Entry(
        "not-a-daemon",
        (Pattern(r"packet \d{1,12} bytes received from server too large", "libvirt 9.0.0"),),
        "something else than a libvirt daemon answers at that port",
        (
            Remedy("ss -ltnp", Seat.DESTINATION),
            Remedy("correct the port in the URI: 16509 is the daemon's for +tcp, 16514 for +tls"),
        ),
        0.9,
        inferred=(39,),
        domains=(7,),
    ),
    Entry(
        "lost-dest",
        (
            Pattern(r"Lost connection to destination host", "report"),
            Pattern(r"client socket is closed", "libvirt 9.0.0"),
            Pattern(r"[Cc]onnection closed due to keepalive timeout", "libvirt 9.0.0"),
            Pattern(r"internal error: received hangup event on socket", "source"),
        ),
        "the control connection to the destination's daemon broke while the guest was moved",
        (
            Remedy("virsh list --all, before anything else: where does the guest run?"),
            Remedy("systemctl status libvirtd {daemon}", Seat.DESTINATION),
            Remedy(
                "then migrate again; on a slow link with higher keepalive_interval and"
                " keepalive_count in libvirtd.conf and {configuration}"
            ),
        ),
        0.8,
        inferred=(1, 9, 38, 39),
    ),
)
