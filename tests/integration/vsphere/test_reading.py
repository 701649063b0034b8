"""What is read of a vSphere endpoint, and that libvirt's own client reads the same."""

from __future__ import annotations

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim
from vsphere.endpoint import Inventory, serving

from migrate_plugins import ConnectError, DriverError, GuestFacts, GuestState, HostFacts
from migrate_plugins_vmware import inventory
from migrate_plugins_vmware import session as sessions
from migrate_plugins_vmware.inventory import read, read_along, read_below
from migrate_plugins_vmware.session import VSphereSession, connect
from migrate_plugins_vmware.vcenter import VCenter, VCenters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vsphere.certificates import Certificates
    from vsphere.endpoint import Endpoint
    from vsphere.opening import Open

    from migrate_plugins import Ask
    from migrate_plugins_vmware.places import Place

ALONE = ("DC0", "DC0_H0")
NAME = "DC0_H0_VM0"
PLACES = [
    ("DC0", "DC0_H0"),
    ("DC0", "DC0_C0", "DC0_C0_H0"),
    ("DC0", "DC0_C0", "DC0_C0_H1"),
    ("DC0", "DC0_C1", "DC0_C1_H0"),
    ("DC0", "DC0_C1", "DC0_C1_H1"),
]


def task_ended(task: Any, seconds: float = 20) -> None:
    """Wait for a task of pyVmomi's own, as another client would."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if task.info.state not in {"queued", "running"}:
            assert task.info.state == "success", task.info.error
            return
        time.sleep(0.01)
    pytest.fail(f"the task still runs after {seconds} s")


def virsh(endpoint: Endpoint, *command: str, uri: str) -> str:
    done = subprocess.run(
        ["virsh", "--quiet", "-c", uri, *command],
        env={**os.environ, "LIBVIRT_AUTH_FILE": str(endpoint.auth_file), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert not told, told
    return done.stdout


def guest_names(vcenter: VCenter) -> dict[str, str]:
    """Every guest, with the name of its host."""
    root = vcenter.content.rootFolder
    hosts = {
        one.key: one.values["name"] for one in read_below(vcenter, root, vim.HostSystem, ["name"])
    }
    return {
        one.values["name"]: hosts[inventory.key_of(vcenter, one.values["runtime.host"])]
        for one in read_below(vcenter, root, vim.VirtualMachine, ["name", "runtime.host"])
    }


# --- a host and its guests ------------------------------------------------------------------------


def test_host_says_what_it_is(vcenter: Endpoint, open_session: Open) -> None:
    facts = open_session(vcenter, *ALONE).host()

    assert facts == HostFacts(
        name="DC0_H0",
        uuid=facts.uuid,
        hypervisor="VMware ESXi 6.5.0",
        daemon="VMware vCenter Server 6.5.0 build-5973321",
        inventory=f"{vcenter.instance} at {vcenter.host}:{vcenter.port}",
    )
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", facts.uuid or "")


@pytest.mark.parametrize("serve", ["vcenter", "stock"])
def test_guest_is_read_by_name_and_by_uuid(
    request: pytest.FixtureRequest, open_session: Open, serve: str
) -> None:
    session = open_session(request.getfixturevalue(serve), *ALONE)

    guest = session.guest(NAME)

    assert guest is not None
    assert guest == GuestFacts(NAME, guest.uuid, GuestState.RUNNING, persistent=True, memory=32768)
    assert session.guest_by_uuid(guest.uuid.upper()) == guest
    assert session.guest("absent") is None
    assert session.guest_by_uuid("00000000-0000-0000-0000-000000000000") is None


def test_guest_is_on_one_host_alone(vcenter: Endpoint, open_session: Open) -> None:
    sessions = [open_session(vcenter, *place) for place in PLACES]
    where = guest_names(sessions[0].vcenter)

    assert len(where) == 6
    for name, host in where.items():
        seen = {session.host().name for session in sessions if session.guest(name)}
        assert seen == {host}
        elsewhere = {session.host().name: session.find_elsewhere(name) for session in sessions}
        assert elsewhere == {
            session.host().name: () if session.host().name == host else (host,)
            for session in sessions
        }


def test_states_are_those_of_libvirt(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    found = session.find_guest(NAME)
    assert found is not None
    vm = vim.VirtualMachine(found.key.moid, log_in(vcenter)._stub)
    uri = vcenter.uri(*ALONE, no_verify="1")

    for change, state, words in [
        (vm.SuspendVM_Task, GuestState.PAUSED, "paused"),
        (vm.PowerOnVM_Task, GuestState.RUNNING, "running"),
        (vm.PowerOffVM_Task, GuestState.SHUTOFF, "shut off"),
    ]:
        task_ended(change())
        guest = session.guest(NAME)
        assert guest is not None
        assert guest.state is state
        assert virsh(vcenter, "domstate", NAME, uri=uri).strip() == words


def test_guest_that_moves_says_so(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    there = open_session(vcenter, *PLACES[1])
    found = session.find_guest(NAME)
    assert found is not None
    service = log_in(vcenter)
    vm = vim.VirtualMachine(found.key.moid, service._stub)
    seconds = vim.option.OptionValue(key="sim.relocate.seconds", value="2")
    task_ended(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[seconds])))
    host = vim.HostSystem(there.target.key.moid, service._stub)
    pool = vim.ClusterComputeResource(
        there.target.values["parent"]._GetMoId(), service._stub
    ).resourcePool
    task = vm.RelocateVM_Task(vim.vm.RelocateSpec(host=host, pool=pool))

    under_way = session.guest(NAME)
    not_yet = there.guest(NAME)
    task_ended(task)

    assert under_way is not None
    assert under_way.job == "migration out"
    assert not_yet is None
    assert session.guest(NAME) is None
    arrived = there.guest(NAME)
    assert arrived is not None
    assert arrived == under_way._replace(job=None)
    assert there.guest_by_uuid(under_way.uuid) == arrived


def test_guest_is_found_where_the_hosts_own_list_is_stale(
    stock: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(stock, *ALONE)
    there = open_session(stock, *PLACES[1])
    found = session.find_guest(NAME)
    assert found is not None
    service = log_in(stock)
    vm = vim.VirtualMachine(found.key.moid, service._stub)
    host = vim.HostSystem(there.target.key.moid, service._stub)
    task_ended(vm.RelocateVM_Task(vim.vm.RelocateSpec(host=host)))

    listed = read_along(there.vcenter, there.target.reference, "vm", vim.VirtualMachine, ["name"])

    assert NAME not in {one.values["name"] for one in listed}
    assert session.guest(NAME) is None
    assert there.guest(NAME) is not None


def test_two_guests_of_one_name_are_told_apart_by_nobody(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    first, second = (session.find_guest(f"DC0_H0_VM{number}") for number in range(2))
    assert first is not None
    assert second is not None
    vm = vim.VirtualMachine(second.key.moid, log_in(vcenter)._stub)
    task_ended(vm.ReconfigVM_Task(vim.vm.ConfigSpec(name=NAME)))

    with pytest.raises(DriverError) as caught:
        session.guest(NAME)

    assert caught.value.problem.startswith("2 guests there are called so: ")
    for one in (first, second):
        assert f"{one.key.moid} (uuid {one.values['config.uuid']})" in caught.value.problem
    assert caught.value.problem.endswith("; rename all but one")
    assert session.guest_by_uuid(first.values["config.uuid"]) is not None


# --- in bulk --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 6, 100])
def test_pages_make_one_answer(
    vcenter: Endpoint, open_session: Open, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    opened = open_session(vcenter).vcenter
    whole = guest_names(opened)
    calls = []
    stub = opened.content.propertyCollector._stub
    invoke = stub.InvokeMethod

    def counted(mo: Any, info: Any, *given: Any) -> Any:
        calls.append(info.name)
        return invoke(mo, info, *given)

    monkeypatch.setattr(inventory, "_PAGE", size)
    monkeypatch.setattr(stub, "InvokeMethod", counted)
    root = opened.content.rootFolder
    found = read_below(opened, root, vim.VirtualMachine, ["name"])

    assert sorted(one.values["name"] for one in found) == sorted(whole)
    assert calls.count("ContinueRetrievePropertiesEx") == -(-6 // size) - 1


def test_all_of_two_thousand_guests_are_read(big: Endpoint, open_session: Open) -> None:
    opened = open_session(big).vcenter

    found = read_below(
        opened, opened.content.rootFolder, vim.VirtualMachine, ["name", "runtime.host"]
    )

    assert len({one.key for one in found}) == 2000
    assert all(one.values.keys() == {"name", "runtime.host"} for one in found)


def test_many_that_list_at_once_share_the_readings(
    big: Endpoint, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_session(big).vcenter
    readings = []

    def counted(*given: Any) -> Any:
        readings.append(time.monotonic())
        return read_below(*given)

    monkeypatch.setattr(inventory, "read_below", counted)
    began = time.monotonic()
    with ThreadPoolExecutor(30) as threads:
        lists = list(threads.map(lambda _: opened.guests.read(), range(30)))

    assert {len(found) for found in lists} == {2000}
    assert 1 <= len(readings) < 10
    assert began <= min(readings)
    opened.guests.read()
    assert len(readings) > 1  # who comes later sees what has changed


def test_property_that_is_not_set_is_absent(stock: Endpoint, open_session: Open) -> None:
    session = open_session(stock, *ALONE)
    guest = session.find_guest(NAME)
    assert guest is not None

    (found,) = read(session.vcenter, [guest.reference], ["name", "snapshot", "resourceConfig"])

    assert found.values == {"name": NAME}
    assert found.unread == {}


def test_removed_object_is_left_out(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    guests = [session.find_guest(f"DC0_H0_VM{number}") for number in range(2)]
    gone, kept = (one for one in guests if one is not None)
    vm = vim.VirtualMachine(gone.key.moid, log_in(vcenter)._stub)
    task_ended(vm.PowerOffVM_Task())
    task_ended(vm.Destroy_Task())

    found = read(session.vcenter, [gone.reference, kept.reference], ["name"])

    assert [one.key for one in found] == [kept.key]
    assert read(session.vcenter, [gone.reference], ["name"]) == []
    assert read(session.vcenter, [], ["name"]) == []


def test_two_vcenters_that_number_alike_are_kept_apart(
    vcenters: tuple[Endpoint, Endpoint], open_session: Open
) -> None:
    one, other = (open_session(endpoint, *ALONE) for endpoint in vcenters)
    here, there = one.find_guest(NAME), other.find_guest(f"west_{NAME}")
    assert here is not None
    assert there is not None

    assert here.reference == there.reference  # to pyVmomi
    assert here.key.moid == there.key.moid
    assert here.key != there.key
    assert one.vcenter is not other.vcenter
    assert one.host().inventory != other.host().inventory
    assert (one.host().inventory or "").startswith(f"{vcenters[0].instance} at ")


# --- where a path leads, as libvirt has it --------------------------------------------------------


@pytest.fixture
def folders(vcenter: Endpoint, log_in: Callable[[Endpoint], Any]) -> Endpoint:
    """Its inventory has folders, and names that have to be escaped."""
    root = log_in(vcenter).content.rootFolder
    datacenter = root.CreateFolder("my folder").CreateFolder("inner").CreateDatacenter("DC x")
    racks = datacenter.hostFolder.CreateFolder("racks+1")
    cluster = racks.CreateClusterEx("C%2f1", vim.cluster.ConfigSpecEx())
    spec = vim.host.ConnectSpec(hostName="h:1", userName="root", force=True)
    task_ended(cluster.AddHost_Task(spec, True))
    spec.hostName = "alone"
    task_ended(racks.AddStandaloneHost_Task(spec=spec, addConnected=True))
    return vcenter


# fmt: off
WAYS = [
    # path, name of the host
    ("DC0/DC0_H0",                                  "DC0_H0"),
    ("DC0/DC0_C1/DC0_C1_H1",                        "DC0_C1_H1"),
    ("/DC0//DC0_C1/DC0_C1_H1/",                     "DC0_C1_H1"),
    ("my%20folder/inner/DC%20x/racks%2B1/alone",    "alone"),
    ("my%20folder/inner/DC%20x/racks+1/alone",      "alone"),
    ("my%20folder/inner/DC%20x/racks+1/C%252f1/h:1", "h:1"),
    ("my%20folder%2Finner/DC%20x/racks+1/alone",    "alone"),
]

DEEP = "my%20folder/inner/DC%20x/racks%2B1"

ASTRAY = [
    # path, what is said of it
    ("DC9/h",
     "there is no folder or datacenter 'DC9' in the inventory; there is DC0, my folder"),
    ("dc0/DC0_H0",
     "there is no folder or datacenter 'dc0' in the inventory; there is DC0, my folder"),
    ("my%20folder/inner",
     "its path ends before a datacenter in my folder/inner; there is DC x"),
    ("my%20folder/DC%20x/h",
     "there is no folder or datacenter 'DC x' in my folder; there is inner"),
    (DEEP,
     ("its path ends before a cluster or host in my folder/inner/DC x/racks+1; there is C%2f1,"
      " alone")),
    ("DC0/C7/h",
     "there is no folder or cluster or host 'C7' in DC0; there is DC0_C0, DC0_C1, DC0_H0"),
    ("DC0/DC0_C0",
     "its path ends before a host in DC0/DC0_C0; there is DC0_C0_H0, DC0_C0_H1"),
    ("DC0/DC0_C0/h",
     "there is no host 'h' in DC0/DC0_C0; there is DC0_C0_H0, DC0_C0_H1"),
    ("DC0/DC0_C0/DC0_C0_H0/x/y",
     "its path goes on behind the host DC0_C0_H0: x/y; leave that out"),
    ("DC0/DC0_H0/DC0_H0",
     "its path goes on behind the host DC0_H0: DC0_H0; leave that out"),
    (f"{DEEP}/C%2f1/h:1",
     ("there is no folder or cluster or host 'C' in my folder/inner/DC x/racks+1; there is C%2f1,"
      " alone")),
]
# fmt: on


def opened_by_both(endpoint: Endpoint, pool: VCenters, path: str) -> VSphereSession | str:
    """Open a path by the driver; libvirt has to agree whether there is a host."""
    base = f"vpx://{endpoint.host}:{endpoint.port}/{path}?no_verify=1"
    said = subprocess.run(
        ["virsh", "--quiet", "-c", base, "version"],
        env={**os.environ, "LIBVIRT_AUTH_FILE": str(endpoint.auth_file)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    try:
        session = connect(f"{base}&authfile={endpoint.auth_file}", pool)
    except ConnectError as error:
        assert said.returncode
        return error.problem
    assert not said.returncode, said.stderr[-500:]
    return session


@pytest.mark.parametrize(("path", "name"), WAYS)
def test_path_leads_to_a_host(folders: Endpoint, pool: VCenters, path: str, name: str) -> None:
    session = opened_by_both(folders, pool, path)

    assert isinstance(session, VSphereSession)
    assert session.host().name == name
    session.close()


@pytest.mark.parametrize(("path", "said"), ASTRAY)
def test_path_that_leads_nowhere_names_what_is_there(
    folders: Endpoint, pool: VCenters, path: str, said: str
) -> None:
    assert opened_by_both(folders, pool, path) == said


@pytest.fixture
def lonely(certificates: Certificates) -> Iterator[Endpoint]:
    """A vCenter with one host, whose address is that of loopback."""
    with serving(Inventory(clusters=0), certificates=certificates) as endpoint:
        yield endpoint


def test_host_is_found_in_its_vcenter_by_its_address(lonely: Endpoint, pool: VCenters) -> None:
    files = f"authfile={lonely.auth_file}&cacert={lonely.ca}"

    for host in ("127.0.0.1", "localhost"):
        uri = f"esx://{host}:{lonely.port}/?vcenter=127.0.0.1&{files}"
        session = connect(uri, pool)
        assert session.host().name == "DC0_H0"
        assert session.guest(NAME) is not None
        session.close()
    with pytest.raises(ConnectError, match=r"has no host of the name or address 192\.0\.2\.9; wr"):
        connect(f"esx://192.0.2.9:{lonely.port}/?vcenter=127.0.0.1&{files}", pool)


def test_host_names_its_own_vcenter(
    esxi: Endpoint, lonely: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Network(VCenters):
        """Two addresses that have one port, where the endpoints have one address and two ports."""

        def open(
            self,
            place: Place,
            ask: Ask | None = None,
            *,
            server: str | None = None,
            host: bool = False,
        ) -> VCenter:
            endpoint = {None: esxi, "192.0.2.7": lonely}[server]
            there = place._replace(
                host=endpoint.host,
                port=endpoint.port,
                authfile=str(endpoint.auth_file),
                cacert=str(endpoint.ca),
            )
            return super().open(there, ask, host=host)

    def read_with_vcenter(vcenter: VCenter, *given: Any) -> Any:
        (host,) = read_below(vcenter, *given)
        assert "summary.managementServerIp" not in host.values  # the endpoint's host has none
        return [host._replace(values={**host.values, "summary.managementServerIp": "192.0.2.7"})]

    monkeypatch.setattr(sessions, "read_below", read_with_vcenter)

    session = connect(f"{esxi.esx_uri()}?vcenter=*", Network())

    assert session.vcenter.instance == lonely.instance
    assert session.host().name == "DC0_H0"
    session.close()


def test_address_of_several_hosts_names_none(vcenter: Endpoint, pool: VCenters) -> None:
    files = f"authfile={vcenter.auth_file}&cacert={vcenter.ca}"

    with pytest.raises(ConnectError, match="has 5 hosts of the name or address"):
        connect(f"esx://127.0.0.1:{vcenter.port}/?vcenter=127.0.0.1&{files}", pool)


# --- libvirt's own client -------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[-1])
def test_libvirt_reads_the_same_guests(
    vcenter: Endpoint, open_session: Open, place: tuple[str, ...]
) -> None:
    session = open_session(vcenter, *place)
    uri = vcenter.uri(*place, no_verify="1")
    names = [name for name in guest_names(session.vcenter) if session.guest(name)]

    listed = virsh(vcenter, "list", "--all", "--name", uri=uri).split()

    assert sorted(listed) == sorted(names)
    for name in names:
        guest = session.guest(name)
        assert guest is not None
        told = dict(
            re.split(r":\s+", line, maxsplit=1)
            for line in virsh(vcenter, "dominfo", name, uri=uri).splitlines()
            if re.search(r":\s+\S", line)
        )
        assert told["UUID"] == guest.uuid
        assert told["State"] == guest.state
        assert told["Max memory"] == f"{guest.memory} KiB"
        assert told["Persistent"] == "yes"
