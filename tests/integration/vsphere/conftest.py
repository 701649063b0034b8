"""vSphere endpoints, started for a test and gone after it."""

from __future__ import annotations

import contextlib
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pyVim.connect

# The endpoint serves benchmarks too, so it has its own place.
sys.path.append(str(Path(__file__).parents[2]))

from vsphere.arena import Arena
from vsphere.build import BuildError, program
from vsphere.certificates import Certificates
from vsphere.endpoint import BIG, Endpoint, Inventory, serving
from vsphere.opening import Open, opening
from vsphere.site import Site

from migrate_plugins_vmware.vcenter import VCenters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsphere.site import LogIn

INSTANCES = ("6f1c5f50-3d4e-4f0e-9f54-000000000001", "6f1c5f50-3d4e-4f0e-9f54-000000000002")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the endpoint before any test's time runs."""
    ours = Path(__file__).parent
    if any(item.path.is_relative_to(ours) for item in session.items):
        with contextlib.suppress(BuildError):  # the tests will say it
            program()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority and one certificate for all endpoints."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def vcenter(certificates: Certificates) -> Iterator[Endpoint]:
    """A vCenter with our simulations: 2 clusters of 2 hosts, 1 host in none, 2 datastores."""
    with serving(certificates=certificates, instance=INSTANCES[0]) as endpoint:
        yield endpoint


@pytest.fixture
def vcenters(certificates: Certificates) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Two vCenters that give the same ids to all they have; the VMs of the second are west_…"""
    with (
        serving(certificates=certificates, instance=INSTANCES[0]) as one,
        serving(
            certificates=certificates, instance=INSTANCES[1], flags=("-prefix=west_",)
        ) as other,
    ):
        yield one, other


@pytest.fixture
def stock(certificates: Certificates) -> Iterator[Endpoint]:
    """The same inventory, served by the library as it is."""
    with serving(certificates=certificates, simulate="") as endpoint:
        yield endpoint


@pytest.fixture
def esxi(certificates: Certificates) -> Iterator[Endpoint]:
    """An ESXi host without a vCenter."""
    with serving(Inventory(esx=True), certificates=certificates) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def big(certificates: Certificates) -> Iterator[Endpoint]:
    """A vCenter with 2,000 VMs; shared, so a test leaves it as it was."""
    with serving(BIG, certificates=certificates, instance=INSTANCES[0]) as endpoint:
        yield endpoint


@pytest.fixture
def log_in() -> Iterator[LogIn]:
    """Log in with pyVmomi, verified with the endpoint's own authority."""
    connect: Any = pyVim.connect
    with contextlib.ExitStack() as stack:

        def log_in(endpoint: Endpoint, **options: Any) -> Any:
            given = {
                "host": endpoint.host,
                "port": endpoint.port,
                "user": endpoint.user,
                "pwd": endpoint.password,
                "sslContext": ssl.create_default_context(cafile=str(endpoint.ca)),
                **options,
            }
            service = connect.SmartConnect(**given)
            stack.callback(connect.Disconnect, service)
            return service

        yield log_in


@pytest.fixture
def pool() -> VCenters:
    """The connections of one driver."""
    return VCenters()


@pytest.fixture
def open_session(pool: VCenters) -> Iterator[Open]:
    """Open a session as the driver does; it is closed after the test."""
    with opening(pool) as open_session:
        yield open_session


@pytest.fixture
def open_impatiently() -> Iterator[Open]:
    """Open a session that waits a second for an answer."""
    with opening(VCenters(1)) as open_session:
        yield open_session


@pytest.fixture
def arena(vcenter: Endpoint, log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> Arena:
    """The vCenter with our simulations, with a guest to move in it."""
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(vcenter.auth_file))
    return Arena(vcenter, log_in(vcenter))


@pytest.fixture
def arenas(
    vcenters: tuple[Endpoint, Endpoint], log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> tuple[Arena, Arena]:
    """The two vCenters."""
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(vcenters[0].auth_file))
    here, there = (Arena(endpoint, log_in(endpoint)) for endpoint in vcenters)
    return here, there


@pytest.fixture
def site(vcenter: Endpoint, log_in: LogIn) -> Site:
    """The vCenter as pyVmomi alone sees it."""
    return Site(log_in(vcenter))


@pytest.fixture
def sites(vcenters: tuple[Endpoint, Endpoint], log_in: LogIn) -> tuple[Site, Site]:
    """The two vCenters as pyVmomi alone sees them."""
    east, west = vcenters
    return Site(log_in(east)), Site(log_in(west))
