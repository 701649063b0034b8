"""A certificate authority of the tests' own, and a certificate of it for loopback."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


class Certificates(NamedTuple):
    """An authority and a server's certificate that it signed."""

    ca: Path
    """PEM of the authority."""
    certificate: Path
    """PEM of the server's certificate."""
    key: Path

    @classmethod
    def make(cls, folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Self:
        """Make both with openssl, in *folder*.

        Args:
            folder: Where the files are kept.
            names: Whom the server's certificate is for.
        """
        made = cls(folder / "ca.pem", folder / "server.pem", folder / "server.key")
        ca_key = folder / "ca.key"
        _openssl(
            *_EC, "-subj", "/CN=migrate-plugins tests",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", ca_key, "-out", made.ca,
        )  # fmt: skip
        _openssl(
            *_EC, "-subj", "/CN=vSphere endpoint", "-CA", made.ca, "-CAkey", ca_key,
            "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", made.key, "-out", made.certificate,
        )  # fmt: skip
        return made

    def thumbprint(self, digest: str = "sha1") -> str:
        """The server certificate's digest as vSphere writes it: ``AA:BB:…``."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return hashlib.new(digest, der).digest().hex(":").upper()


def _openssl(*options: str | Path) -> None:
    done = subprocess.run(
        ["openssl", "req", "-x509", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"openssl: {done.stderr}")
