"""QEMU's certificates, where its own transport is to be encrypted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_qemu.checks.case import Case
    from migrate_plugins_qemu.looks import Look

__all__ = ["check_certificates"]


def check_certificates(case: Case) -> Iterator[Finding]:
    """Look at both hosts; the source is QEMU's client, the destination its server."""
    if not case.live:
        return
    here, there = case.inspection.here, case.inspection.there
    client: tuple[str, ...] = ("ca-cert", "client-cert", "client-key")
    if there is not None and not there.certificates.verified:
        client = ("ca-cert",)
    sides = (
        (case.source, here, client),
        (case.destination, there, ("ca-cert", "server-cert", "server-key")),
    )
    unknown = []
    for host, look, names in sides:
        if look is None:
            unknown.append(host)
        elif case.plan.request.tls:
            yield from _side(case, host, look, names)
        elif look.certificates.forced:
            yield Finding(
                "tls-required",
                Severity.ERROR,
                host,
                f"{host} allows migrations with TLS alone",
                seen="migrate_tls_force = 1 in qemu.conf",
                expected="--tls, or migrate_tls_force = 0",
                remedy="--tls",
            )
    if case.plan.request.tls and unknown:
        yield Finding(
            "tls-certificates-unknown",
            Severity.INFO,
            None,
            f"whether QEMU has its certificates on {' and '.join(unknown)} is unknown: the client"
            " cannot look at the hosts from within",
            seen="nobody could look",
            expected="ca-cert.pem, server-cert.pem and server-key.pem on the destination,"
            " ca-cert.pem, client-cert.pem and client-key.pem on the source",
            remedy=f"on {unknown[0]}: ls -l /etc/pki/qemu",
        )


def _side(case: Case, host: str, look: Look, names: tuple[str, ...]) -> Iterator[Finding]:
    folder, files = look.certificates.folder, look.certificates.files
    missing = [f"{name}.pem" for name in names if name not in files]
    if missing:
        yield Finding(
            "tls-certificate-missing",
            Severity.ERROR,
            host,
            f"QEMU on {host} lacks what TLS needs",
            seen=f"no {', '.join(missing)} in {folder}",
            expected=", ".join(f"{name}.pem" for name in names),
            remedy=f"on {host}: ls -l {shlex.quote(folder)}; see"
            " https://libvirt.org/kbase/tlscerts.html",
        )
    for name in names:
        pem = files.get(name)
        path = f"{folder}/{name}.pem"
        if pem is None:
            continue
        if pem.readable is False:
            yield Finding(
                "tls-certificate-unreadable",
                Severity.ERROR,
                host,
                f"QEMU on {host} may not read {path}",
                seen="not readable for QEMU's user",
                expected="readable for it",
                remedy=f"on {host}: setfacl -m u:QEMU-USER:r {shlex.quote(path)}",
            )
        if pem.expired:
            yield Finding(
                "tls-certificate-expired",
                Severity.ERROR,
                host,
                f"the time of {path} is over",
                seen="expired",
                expected="a certificate of today",
                remedy=f"issue a new one; on {host}: openssl x509 -noout -enddate -in"
                f" {shlex.quote(path)}",
            )
        if name == "server-cert" and pem.named is False:
            expected = case.plan.request.tls_destination or case.plan.receiver or case.destination
            yield Finding(
                "tls-certificate-name",
                Severity.ERROR,
                host,
                f"the certificate of {host} is not for the name that the source expects",
                seen=path,
                expected=expected,
                remedy="--tls-destination NAME, with a name that is in the certificate",
            )
