"""What certificate of a server is taken.

pyVmomi is always given a context of ours: by itself it verifies nothing on a loopback address, and
compares its thumbprint only where the verification has failed.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from migrate_plugins_vmware.places import DIGESTS

if TYPE_CHECKING:
    from migrate_plugins_vmware.places import Place

__all__ = ["Context", "PinError", "Trust", "thumbprint", "why_refused"]

# Seconds for a second look at a certificate that was refused, only to name it.
_LOOK: Final = 5.0

# What OpenSSL calls X509_V_ERR_…: the numbers are its own and do not change.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21, 27})
_OTHER_NAME: Final = frozenset({62, 64})


class Trust(NamedTuple):
    """What is asked of a server's certificate; where several are given, all hold.

    Attributes:
        cacert: File with the authorities that are trusted; None: the system's.
        thumbprint: Digits of the one certificate that is taken, or None.
        no_verify: Take any certificate, if neither of the others is given.
    """

    cacert: str | None = None
    thumbprint: str | None = None
    no_verify: bool = False

    @classmethod
    def of(cls, place: Place) -> Trust:
        """Read it off a place."""
        return cls(place.cacert, place.thumbprint, place.no_verify)

    @property
    def verifies(self) -> bool:
        """Whether a chain of certificates up to an authority is asked for."""
        return self.cacert is not None or not (self.thumbprint or self.no_verify)


class PinError(ssl.SSLError):
    """The server shows another certificate than the one that was pinned.

    Attributes:
        seen: Digits of the one that it shows, by the digest of the pinned one.
    """

    def __init__(self, seen: str) -> None:
        self.seen = seen
        super().__init__(seen)

    def __str__(self) -> str:
        return f"the certificate is not the pinned one, but that of {self.seen.upper()}"


class Context(ssl.SSLContext):
    """A context that also compares the pinned thumbprint, on every connection and before use.

    Attributes:
        certificate: What the server showed last and was taken (DER), or nothing.
    """

    certificate: bytes
    _pinned: str | None

    def __new__(cls, trust: Trust) -> Self:
        """Make the context.

        Raises:
            OSError: The file with the authorities cannot be read; an ``ssl.SSLError`` where it
                has none.
        """
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.certificate = b""
        made._pinned = trust.thumbprint
        if trust.thumbprint or not trust.verifies:
            made.check_hostname = False
        if not trust.verifies:
            made.verify_mode = ssl.CERT_NONE
        elif trust.cacert is not None:
            made.load_verify_locations(cafile=trust.cacert)
        else:
            made.load_default_certs()
        return made

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:  # noqa: ANN401 - see ssl
        """Shake hands, and compare the certificate before anything is sent."""
        wrapped = super().wrap_socket(*args, **kwargs)
        shown = wrapped.getpeercert(binary_form=True) or b""
        if self._pinned is not None:
            seen = hashlib.new(DIGESTS[len(self._pinned)], shown).hexdigest()
            if seen != self._pinned:
                wrapped.close()
                raise PinError(seen)
        self.certificate = shown
        return wrapped


def thumbprint(certificate: bytes, digest: str = "sha1") -> str:
    """Write the digest of a certificate (DER) as vSphere does: ``AA:BB:…``."""
    return hashlib.new(digest, certificate).digest().hex(":").upper()


def why_refused(error: ssl.SSLError, host: str, port: int, trust: Trust) -> str:
    """Say in plain words why a handshake failed, and what would work."""
    if isinstance(error, PinError):
        given = (trust.thumbprint or "").upper()
        return (
            f"it shows another certificate than thumbprint={given}: that of"
            f" {error.seen.upper()}; if the certificate was renewed, compare this with what"
            " the vCenter itself says, and give it instead"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return _why_not_verified(error, host, port, trust)
    reason = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason or "http request" in reason:
        return f"port {port} does not speak TLS ({reason}); name the https port of the vCenter"
    return f"the TLS handshake failed: {reason}"


def _why_not_verified(
    error: ssl.SSLCertVerificationError, host: str, port: int, trust: Trust
) -> str:
    known = trust.cacert or "the system's authorities"
    pin = _pin(host, port)
    if error.verify_code == _EXPIRED:
        return f"its certificate has expired; renew it, or, until then, {pin}"
    if error.verify_code == _NOT_YET_VALID:
        return f"its certificate is not valid yet; look at the clocks of both machines, or {pin}"
    if error.verify_code in _OTHER_NAME:
        return (
            f"its certificate is not for {host}; name the server as its certificate does, or {pin}"
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return (
            f"its certificate is signed by nobody in {known}; give the vCenter's authority with"
            f" cacert=FILE (https://{host}/certs/download.zip has it), or {pin}"
        )
    return f"its certificate is not taken: {error.verify_message}; renew it, or {pin}"


def _pin(host: str, port: int) -> str:
    """Tell how the certificate that the server shows now would be pinned."""
    shown = _look(host, port)
    if shown is None:
        return "pin it with thumbprint=SHA256"
    digits = hashlib.sha256(shown).hexdigest().upper()
    return f"once compared with what the vCenter itself says, pin it with thumbprint={digits}"


def _look(host: str, port: int) -> bytes | None:
    """Read the certificate without taking it; nothing is sent over that connection."""
    try:
        with (
            socket.create_connection((host, port), _LOOK) as plain,
            Context(Trust(no_verify=True)).wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            return wrapped.getpeercert(binary_form=True)
    except OSError:
        return None
