"""Sessions and process of the endpoint, answers that it loses, what it is without simulations."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyVmomi import vim, vmodl
from vsphere.endpoint import Endpoint, EndpointError, serving
from vsphere.site import Site, all_of, ended, uri_of, virsh

if TYPE_CHECKING:
    from vsphere.certificates import Certificates
    from vsphere.site import LogIn


# Whoever starts an endpoint, and lives no longer than it is let.
OPENER = """
import time
from vsphere.endpoint import serving
with serving(simulate="") as endpoint:
    print(endpoint.port, flush=True)
    time.sleep(60)
"""


def test_a_late_answer_does_not_hold_the_move(vcenter: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(vcenter))
    site.control(relocate_delay=3)
    hasty = log_in(vcenter, httpConnectionTimeout=1)
    vm = vim.VirtualMachine(site.vm._moId, hasty._stub)
    with pytest.raises(TimeoutError):
        vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
    assert site.is_on(site.neighbour)


def test_an_answer_that_never_comes_does_not_hold_the_move(site: Site) -> None:
    site.control(relocate_drop="yes")
    with pytest.raises(http.client.RemoteDisconnected):
        site.start(host=site.neighbour)
    deadline = time.monotonic() + 10
    while site.vm.runtime.host != site.neighbour and time.monotonic() < deadline:
        time.sleep(0.02)
    assert site.is_on(site.neighbour)


@pytest.mark.parametrize("done", [True, False])
def test_any_call_can_get_no_answer(vcenter: Endpoint, site: Site, *, done: bool) -> None:
    site.control(relocate_seconds=1)
    task = site.start(host=site.neighbour)
    vcenter.lose("CancelTask", done=done)
    with pytest.raises(http.client.RemoteDisconnected):
        task.CancelTask()
    assert ended(task).cancelled == done
    with pytest.raises(vim.fault.InvalidState):  # it is answered again
        task.CancelTask()


def test_stock_answers_late_and_has_moved_the_vm(certificates: Certificates, log_in: LogIn) -> None:
    late = ("-method-delay=RelocateVM_Task:3000",)
    with serving(certificates=certificates, simulate="", flags=late) as endpoint:
        site = Site(log_in(endpoint))
        hasty = log_in(endpoint, httpConnectionTimeout=1)
        vm = vim.VirtualMachine(site.vm._moId, hasty._stub)
        with pytest.raises(TimeoutError):
            vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
        assert site.vm.runtime.host == site.source
        time.sleep(3)
        assert site.vm.runtime.host == site.neighbour


def test_a_wrong_password_is_refused(vcenter: Endpoint, log_in: LogIn) -> None:
    sessions = log_in(vcenter).content.sessionManager
    sessions.Logout()
    for user, password in ((vcenter.user, "wrong"), ("somebody", vcenter.password)):
        with pytest.raises(vim.fault.InvalidLogin):
            sessions.Login(user, password)
    sessions.Login(vcenter.user, vcenter.password)


def test_a_killed_session_ends_simulated_calls_too(vcenter: Endpoint, log_in: LogIn) -> None:
    site, killer = Site(log_in(vcenter)), log_in(vcenter)
    sessions = killer.content.sessionManager
    mine = sessions.currentSession.key
    sessions.TerminateSession([each.key for each in sessions.sessionList if each.key != mine])

    with pytest.raises(vim.fault.NotAuthenticated):
        site.start(host=site.neighbour)
    with pytest.raises(vim.fault.NotAuthenticated):
        site.check(host=site.neighbour)
    assert Site(killer).here


def test_an_idle_session_ends(certificates: Certificates, log_in: LogIn) -> None:
    with serving(certificates=certificates, flags=("-session-timeout=300ms",)) as endpoint:
        service = log_in(endpoint)
        time.sleep(1)
        with pytest.raises(vim.fault.NotAuthenticated):
            service.CurrentTime()


@pytest.mark.parametrize("version", ["7.0.3.0", "8.0.3.0"])
def test_newer_versions_of_the_api_are_spoken(
    certificates: Certificates, log_in: LogIn, version: str
) -> None:
    with serving(certificates=certificates, flags=(f"-api-version={version}",)) as endpoint:
        site = Site(log_in(endpoint))
        assert site.service.content.about.apiVersion == version
        assert site.service._stub.version.rpartition(".")[2] == f"v{version.replace('.', '_')}"
        assert list(site.check(host=site.neighbour).error) == []
        assert site.relocate(host=site.neighbour).state == "success"


def test_an_esxi_host_moves_nothing(esxi: Endpoint, log_in: LogIn) -> None:
    service = log_in(esxi)
    about = service.content.about
    assert (about.apiType, about.productLineId) == ("HostAgent", "embeddedEsx")
    (host,) = all_of(service, vim.HostSystem).values()
    vm = next(iter(all_of(service, vim.VirtualMachine).values()))
    with pytest.raises(vmodl.fault.NotSupported):
        vm.RelocateVM_Task(vim.vm.RelocateSpec(host=host))
    assert vm.name in virsh(
        esxi.esx_uri(no_verify="1", authfile=str(esxi.auth_file)), "list", "--all"
    )


def test_stock_relocations_are_over_at_once_and_leave_lists_stale(
    stock: Endpoint, log_in: LogIn
) -> None:
    site = Site(log_in(stock))
    task = site.start(host=site.neighbour)
    assert (task.info.state, task.info.progress) == ("success", None)
    assert site.vm.runtime.host == site.neighbour
    assert site.vm not in list(site.neighbour.vm)


def test_stock_has_no_checks(stock: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(stock))
    with pytest.raises(vmodl.fault.MethodNotFound):
        site.check(host=site.neighbour)


def test_stock_does_not_speak_to_libvirt(stock: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(stock))
    with pytest.raises(AssertionError, match="missing 'type' property"):
        virsh(uri_of(stock, site.source), "list")


def test_simulations_can_be_left_out_one_by_one(certificates: Certificates, log_in: LogIn) -> None:
    with serving(certificates=certificates, simulate="relocation,hosts") as endpoint:
        site = Site(log_in(endpoint))
        with pytest.raises(vmodl.fault.MethodNotFound):
            site.check(host=site.neighbour)
        assert site.relocate(host=site.neighbour).state == "success"


def test_it_leaves_nothing_behind(certificates: Certificates) -> None:
    with serving(certificates=certificates) as endpoint:
        assert any(endpoint.folder.glob("govcsim-*"))
    assert not endpoint.folder.exists()
    assert not alive(endpoint)


def test_a_killed_endpoint_is_gone_at_once(certificates: Certificates) -> None:
    with serving(certificates=certificates) as endpoint:
        endpoint.kill()
        with pytest.raises(ConnectionRefusedError):
            endpoint.lose("CurrentTime")
    assert not endpoint.folder.exists()


def test_it_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    opener = subprocess.Popen(
        [sys.executable, "-c", OPENER],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert opener.stdout is not None
    with opener, opener.stdout:
        port = int(opener.stdout.readline())
        assert list(tmp_path.glob("*/govcsim-*"))
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        opener.kill()

    deadline = time.monotonic() + 10
    while list(tmp_path.glob("*/govcsim-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not list(tmp_path.glob("*/govcsim-*"))
    time.sleep(0.2)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_what_it_says_is_said_when_it_does_not_start() -> None:
    with pytest.raises(EndpointError, match="is none of: all, relocation"), serving(simulate="no"):
        pass


def alive(endpoint: Endpoint) -> bool:
    try:
        subprocess.run(["kill", "-0", str(endpoint.pid)], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        return False
    return True
