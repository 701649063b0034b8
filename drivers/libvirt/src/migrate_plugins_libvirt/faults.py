"""libvirt's errors as ours: one table, at the driver's edge."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import libvirt

from migrate_plugins import AuthenticationError, ConnectError, DriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOT_THERE", "connecting", "doing"]

_REFUSED: Final = frozenset(
    {
        libvirt.VIR_ERR_AUTH_FAILED,
        libvirt.VIR_ERR_AUTH_CANCELLED,
        libvirt.VIR_ERR_AUTH_UNAVAILABLE,
    }
)

NOT_THERE: Final = libvirt.VIR_ERR_NO_DOMAIN


@contextmanager
def connecting(uri: str) -> Iterator[None]:
    """Map what goes wrong while a connection is opened."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() in _REFUSED:
            raise AuthenticationError(
                uri,
                problem=f"{_message(error)}; libvirt reads credentials from its auth.conf:"
                " https://libvirt.org/auth.html#client-configuration",
                code=error.get_error_code(),
                domain=error.get_error_domain(),
            ) from error
        raise ConnectError(
            uri,
            problem=_message(error),
            code=error.get_error_code(),
            domain=error.get_error_domain(),
        ) from error


@contextmanager
def doing(action: str) -> Iterator[None]:
    """Map what goes wrong on an open connection."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise DriverError(
            action,
            problem=_message(error),
            code=error.get_error_code(),
            domain=error.get_error_domain(),
        ) from error


def _message(error: libvirt.libvirtError) -> str:
    return error.get_error_message() or str(error)
