"""Open sessions with a vSphere endpoint as the driver does."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from migrate_plugins_vmware.session import VSphereSession, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsphere.endpoint import Endpoint

    from migrate_plugins_vmware.vcenter import VCenters

HOST = ("DC0", "DC0_C0", "DC0_C0_H0")


class Open(Protocol):
    """Open a session with a host, by default :data:`HOST`; it is closed at the end."""

    def __call__(
        self, endpoint: Endpoint, *place: str, user: str | None = None, **query: str
    ) -> VSphereSession: ...


@contextmanager
def opening(pool: VCenters) -> Iterator[Open]:
    """Give a way to open sessions; they are closed at the end."""
    with ExitStack() as opened:

        def open_session(
            endpoint: Endpoint, *place: str, user: str | None = None, **query: str
        ) -> VSphereSession:
            """Open a session with a host of *endpoint*; an empty value leaves a parameter out."""
            # Written once: it is empty for a moment, and others may be reading it.
            file = endpoint.folder / "auth.conf"
            written = file if file.exists() else endpoint.auth_file
            given = {"authfile": str(written), "cacert": str(endpoint.ca), **query}
            asked = {name: value for name, value in given.items() if value}
            session = connect(endpoint.uri(*(place or HOST), user=user, **asked), pool)
            opened.callback(session.close)
            return session

        yield open_session
