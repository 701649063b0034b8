"""Errors of QEMU's migration stream: its encryption, its modes, and how it ends."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Entry, Pattern, Remedy, Seat

__all__ = ["STREAMS"]

STREAMS: Final = (
    Entry(
        "tunnel-with-migrateuri",
        (
            Pattern(
                r"migration URI is not supported by tunnelled migration",
                "libvirt 9.0.0",
            ),
        ),
        "a tunnelled migration goes through the daemons' connection: it has no migration URI, and"
        " one was given",
        (Remedy("leave out the last URI (--migrateuri), or --tunnelled"),),
        0.98,
        codes=(74,),
        domains=(10,),
        finding="migration-uri-not-used",
    ),
    Entry(
        "tls-qemu-name",
        (
            Pattern(
                r"Certificate does not match the hostname (?P<host>[^\s]{1,255})",
                "report",
            ),
        ),
        "the certificate of the destination's QEMU does not hold {host}, the host of the migration"
        " URI",
        (
            Remedy(
                "openssl x509 -in /etc/pki/qemu/server-cert.pem -noout -ext subjectAltName",
                Seat.DESTINATION,
            ),
            Remedy("give a name that this prints: --tls-destination NAME"),
            Remedy("or issue the certificate anew, with {host} in it", Seat.DESTINATION),
        ),
        0.95,
        inferred=(1, 9),
        finding="tls-certificate-name",
    ),
    Entry(
        "tls-qemu-cert",
        (
            Pattern(
                r"Unable to access credentials (?P<file>[^\s:]{1,255})",
                "libvirt 9.0.0, QEMU 7.2",
            ),
            Pattern(r"Cannot read from TLS channel", "report"),
            Pattern(r"Cannot write to TLS channel", "source"),
            Pattern(r"TLS handshake failed", "source"),
        ),
        "native TLS was asked for, and QEMU's certificates ({file}) are missing on one side, cannot"
        " be read by the user that QEMU runs as, or are not taken by the other side",
        (
            Remedy("ls -l {file}, as the user that QEMU runs as", Seat.SOURCE),
            Remedy("ls -l {file}, as the user that QEMU runs as", Seat.DESTINATION),
            Remedy(
                "install ca-cert, server-cert and client-cert there (or where"
                " migrate_tls_x509_cert_dir of qemu.conf says):"
                " https://libvirt.org/kbase/tlscerts.html"
            ),
        ),
        0.9,
        inferred=(1, 9),
        finding="tls-certificate-missing",
        otherwise={"file": "/etc/pki/qemu/ca-cert.pem"},
    ),
    Entry(
        "tls-required",
        (
            Pattern(
                r"allows migration only with VIR_MIGRATE_TLS flag",
                "libvirt 9.0.0",
            ),
        ),
        "migrate_tls_force is set in the qemu.conf of one of the hosts: it sends and takes no guest"
        " in plain text",
        (
            Remedy("migrate with --tls (which excludes --tunnelled)"),
            Remedy("grep migrate_tls_force /etc/libvirt/qemu.conf", Seat.SOURCE),
            Remedy("grep migrate_tls_force /etc/libvirt/qemu.conf", Seat.DESTINATION),
        ),
        0.98,
        codes=(55,),
        domains=(10,),
        finding="tls-required",
    ),
    Entry(
        "dest-qemu-died",
        (
            Pattern(
                r"(?:QEMU|qemu) unexpectedly closed the monitor",
                "libvirt 9.0.0",
            ),
            Pattern(r"process exited while connecting to monitor", "source"),
            Pattern(r"load of migration failed", "QEMU 7.2"),
            Pattern(r"End of file while reading data: Input/output error", "report"),
            Pattern(r"End of file from qemu monitor", "source"),
            Pattern(r"Unable to write to socket: Bad file descriptor", "libvirt 9.0.0, QEMU 7.2"),
        ),
        "the QEMU that was to receive the guest ended by itself, or was killed; the reason is in"
        " its log",
        (
            Remedy("tail -n 40 /var/log/libvirt/qemu/GUEST.log", Seat.DESTINATION),
            Remedy("migrate-plugins diagnose /var/log/libvirt/qemu/GUEST.log", Seat.DESTINATION),
            Remedy("dmesg | grep -i 'out of memory'", Seat.DESTINATION),
        ),
        0.7,
        inferred=(1, 9, 38),
    ),
    Entry(
        "stream-hidden",
        (
            Pattern(r"job 'migration (?:out|in)' unexpectedly failed", "libvirt 9.0.0"),
            Pattern(r"migration (?:out|in) job: unexpectedly failed", "report"),
        ),
        "QEMU gave up on the migration, and libvirt does not say why: the reason is in the log of"
        " the destination's QEMU, or of the source's",
        (
            Remedy("tail -n 40 /var/log/libvirt/qemu/GUEST.log", Seat.DESTINATION),
            Remedy("tail -n 40 /var/log/libvirt/qemu/GUEST.log", Seat.SOURCE),
            Remedy("migrate-plugins diagnose /var/log/libvirt/qemu/GUEST.log", Seat.DESTINATION),
        ),
        0.4,
        inferred=(9,),
    ),
    Entry(
        "postcopy-failed",
        (
            Pattern(r"failed in post-copy phase", "report"),
            Pattern(r"(?:cannot|can't) abort migration in post-copy mode", "source"),
            Pattern(r"migration was interrupted in post-copy", "source"),
        ),
        "the link broke after the switch to post-copy: the guest's memory is on two hosts, and"
        " neither of them has all of it",
        (
            Remedy("keep both halves: stop the guest on neither host"),
            Remedy("mend the link between the hosts"),
            Remedy("virsh domstate --reason GUEST", Seat.DESTINATION),
            Remedy("repeat the migration with --postcopy --postcopy-resume", Seat.SOURCE),
        ),
        0.9,
        inferred=(9, 55),
        domains=(10,),
    ),
    Entry(
        "postcopy-unsupported",
        (
            Pattern(r"Postcopy is not supported", "QEMU 7.2"),
            Pattern(r"userfaultfd.{0,60}(?:not|Operation)", "QEMU 7.2"),
        ),
        "post-copy needs the kernel's userfaultfd, which QEMU may not use on that host",
        (
            Remedy("sysctl vm.unprivileged_userfaultfd", Seat.DESTINATION),
            Remedy("sysctl -w vm.unprivileged_userfaultfd=1", Seat.DESTINATION),
            Remedy("or migrate without --postcopy"),
        ),
        0.85,
        inferred=(1, 9),
    ),
)
