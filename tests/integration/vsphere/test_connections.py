"""Connections with a vSphere endpoint: who is let in, what is trusted, what is shared."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim
from vsphere.opening import HOST

from migrate_plugins import AuthenticationError, ConnectError, DriverError
from migrate_plugins_vmware.hooks import VMware
from migrate_plugins_vmware.inventory import read
from migrate_plugins_vmware.session import VSphereSession, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from vsphere.endpoint import Endpoint
    from vsphere.opening import Open

    from migrate_plugins_vmware.vcenter import VCenter, VCenters

ALONE = ("DC0", "DC0_H0")
OTHER = ("DC0", "DC0_C1", "DC0_C1_H1")


def refusal(open_session: Open, endpoint: Endpoint, **query: str) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        open_session(endpoint, **query)
    assert endpoint.password not in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value


def logins(service: Any) -> list[str]:
    """The sessions of the endpoint, but for our own look at them."""
    manager = service.content.sessionManager
    return sorted(one.key for one in manager.sessionList if one.key != manager.currentSession.key)


# --- who is let in --------------------------------------------------------------------------------


def test_login_with_libvirts_auth_file(vcenter: Endpoint, open_session: Open) -> None:
    opened = open_session(vcenter).vcenter

    assert opened.is_vcenter
    assert opened.credential() == (vcenter.user, vcenter.password)
    assert opened.instance == vcenter.instance
    assert opened.url == vcenter.url
    assert vcenter.password not in repr(opened)


def test_wrong_password_is_refused(vcenter: Endpoint, open_session: Open) -> None:
    file = vcenter.folder / "wrong.conf"
    file.write_text(vcenter.auth.replace(vcenter.password, "guessed"))

    error = refusal(open_session, vcenter, authfile=str(file))

    assert isinstance(error, AuthenticationError)
    assert error.problem == (
        f"127.0.0.1 does not take {vcenter.user} with the password of {file}"
        " (vim.fault.InvalidLogin: Login failure)"
    )
    assert "guessed" not in str(error)


def test_user_of_the_uri_logs_in(vcenter: Endpoint, open_session: Open) -> None:
    with pytest.raises(AuthenticationError, match=r"vim\.fault\.InvalidLogin"):
        open_session(vcenter, user="stranger")

    assert open_session(vcenter, user=vcenter.user).vcenter.user == vcenter.user


def test_person_types_the_password_once(
    vcenter: Endpoint, pool: VCenters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(vcenter.folder))
    typed = ["wrong", vcenter.password]
    asked = []

    def ask(question: str, *, secret: bool) -> str:
        asked.append((question, secret))
        return typed.pop(0)

    uri = vcenter.uri(*HOST, user=vcenter.user, cacert=str(vcenter.ca))
    with pytest.raises(AuthenticationError, match="InvalidLogin"):
        connect(uri, pool, ask)
    for _ in range(3):
        connect(uri, pool, ask).close()

    assert asked == [(f"password of {vcenter.user} for 127.0.0.1", True)] * 2


def test_nobody_is_asked_where_nobody_answers_the_port(pool: VCenters) -> None:
    def ask(question: str, *, secret: bool) -> str:
        raise AssertionError(question, secret)

    with pytest.raises(ConnectError, match=r"nobody listens at 127\.0\.0\.1:1"):
        connect("vpx://127.0.0.1:1/DC0/h", pool, ask)


def test_host_without_vcenter_is_refused_before_the_login(
    esxi: Endpoint, pool: VCenters, log_in: Callable[[Endpoint], Any]
) -> None:
    files = f"authfile={esxi.auth_file}&cacert={esxi.ca}"
    service = log_in(esxi)

    for uri, said in [
        (f"{esxi.esx_uri()}?{files}", "this opens a host without its vCenter"),
        (f"vpx://127.0.0.1:{esxi.port}/ha-datacenter/localhost?{files}", "not a vCenter, and only"),
        (f"{esxi.esx_uri()}?vcenter=127.0.0.1&{files}", "not a vCenter, and only a vCenter moves"),
        (f"{esxi.esx_uri()}?vcenter=*&{files}", "127.0.0.1 is managed by no vCenter"),
    ]:
        with pytest.raises(ConnectError, match=re.escape(said)):
            connect(uri, pool)

    assert logins(service) == []


# --- what is trusted ------------------------------------------------------------------------------


def test_certificate_is_verified_on_loopback_too(vcenter: Endpoint, open_session: Open) -> None:
    problem = refusal(open_session, vcenter, cacert="").problem

    assert "its certificate is signed by nobody in the system's authorities" in problem
    assert "cacert=FILE" in problem
    shown = vcenter.certificates.thumbprint("sha256").replace(":", "")
    assert f"thumbprint={shown}" in problem


def test_certificate_of_the_own_authority_is_taken(vcenter: Endpoint, open_session: Open) -> None:
    opened = open_session(vcenter).vcenter

    assert opened.thumbprint == vcenter.certificates.thumbprint("sha1")
    assert opened.thumbprint_sha256 == vcenter.certificates.thumbprint("sha256")


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_pinned_certificate_is_taken(vcenter: Endpoint, open_session: Open, digest: str) -> None:
    pin = vcenter.certificates.thumbprint(digest)

    opened = open_session(vcenter, cacert="", thumbprint=pin).vcenter

    assert opened.thumbprint == vcenter.certificates.thumbprint("sha1")


@pytest.mark.parametrize("further", [{}, {"no_verify": "1"}], ids=["alone", "with no_verify"])
def test_other_certificate_than_the_pinned_one_is_refused(
    vcenter: Endpoint, open_session: Open, further: dict[str, str]
) -> None:
    for cacert in ("", str(vcenter.ca)):
        problem = refusal(
            open_session, vcenter, cacert=cacert, thumbprint="ab" * 32, **further
        ).problem

        assert "it shows another certificate than thumbprint=ABAB" in problem
        assert vcenter.certificates.thumbprint("sha256").replace(":", "") in problem


def test_any_certificate_is_taken_when_asked(vcenter: Endpoint, open_session: Open) -> None:
    opened = open_session(vcenter, cacert="", no_verify="1").vcenter

    assert opened.thumbprint == vcenter.certificates.thumbprint("sha1")


def test_authority_that_cannot_be_read_is_refused(vcenter: Endpoint, open_session: Open) -> None:
    nothing = vcenter.folder / "nothing.pem"
    nothing.write_text("")

    assert "nothing.pem holds no certificate in PEM" in str(
        refusal(open_session, vcenter, cacert=str(nothing))
    )
    assert "cannot be read: No such file" in str(
        refusal(open_session, vcenter, cacert=str(vcenter.folder / "absent"))
    )


class Tunnel(BaseHTTPRequestHandler):
    """A proxy that lets through what it is asked for by CONNECT."""

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        with socket.create_connection((host, int(port)), 10) as there:
            self.send_response(200)
            self.end_headers()
            here = self.connection
            while True:
                ready, _, _ = select.select([here, there], [], [], 20)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    (there if one is here else here).sendall(data)
                if not ready:
                    return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_proxy_is_gone_through_and_the_server_is_verified(
    vcenter: Endpoint, open_session: Open
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Tunnel) as proxy:
        asked: list[str] = []
        proxy.asked = asked  # type: ignore[attr-defined]
        thread = Thread(target=proxy.serve_forever)
        thread.start()
        name = f"http://127.0.0.1:{proxy.server_port}"

        session = open_session(vcenter, proxy=name)
        refused = refusal(open_session, vcenter, proxy=name, cacert="")
        session.close()
        proxy.shutdown()
        thread.join(10)

    assert set(asked) == {f"127.0.0.1:{vcenter.port}"}
    assert session.vcenter.thumbprint == vcenter.certificates.thumbprint("sha1")
    assert "its certificate is signed by nobody in the system's authorities" in refused.problem


# --- what is shared -------------------------------------------------------------------------------


def test_fifty_at_once_share_one_login(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    service = log_in(vcenter)
    assert vcenter.auth_file.exists()
    places = [HOST, OTHER] * 25

    with ThreadPoolExecutor(50) as threads:
        sessions = list(threads.map(lambda place: open_session(vcenter, *place), places))
        names = list(threads.map(lambda session: session.host().name, sessions))

    assert names == [place[-1] for place in places]
    assert len({session.vcenter for session in sessions}) == 1
    assert len(logins(service)) == 1
    for session in sessions[1:]:
        session.close()
        session.close()
    assert len(logins(service)) == 1
    sessions[0].close()
    assert logins(service) == []


def test_both_hosts_opened_at_once_by_one_driver_share_one_login(vcenter: Endpoint) -> None:
    driver = VMware()
    files = {"authfile": str(vcenter.auth_file), "cacert": str(vcenter.ca)}
    uris = [vcenter.uri(*place, **files) for place in (HOST, OTHER)]

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(lambda uri: driver.migrate_connect(uri, None), uris)

    assert isinstance(one, VSphereSession)
    assert isinstance(other, VSphereSession)
    assert one.vcenter is other.vcenter
    one.close()
    assert other.guest("absent") is None
    other.close()


def test_other_terms_are_another_login(vcenter: Endpoint, open_session: Open) -> None:
    sessions = [
        open_session(vcenter),
        open_session(vcenter, user=vcenter.user),
        open_session(vcenter, cacert="", no_verify="1"),
    ]

    assert len({session.vcenter for session in sessions}) == 3


def test_failed_opening_leaves_no_login(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    service = log_in(vcenter)

    with pytest.raises(
        ConnectError, match="there is no folder or datacenter 'DC9' in the inventory; there is DC0"
    ):
        open_session(vcenter, "DC9", "h")

    assert logins(service) == []


# --- what ends ------------------------------------------------------------------------------------


def kill(service: Any, vcenter: VCenter) -> None:
    """End the session of *vcenter*, as an administrator or its idle time does."""
    manager = vcenter.content.sessionManager
    (found,) = read(vcenter, [manager], ["currentSession"])
    service.content.sessionManager.TerminateSession([found.values["currentSession"].key])


def test_read_logs_in_again_once(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    service = log_in(vcenter)
    kill(service, session.vcenter)
    assert logins(service) == []

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(session.guest, ["DC0_H0_VM0", "absent"] * 8))

    assert len({guest.uuid if guest else None for guest in found}) == 2
    assert len(logins(service)) == 1


def test_move_does_not_log_in_again(
    vcenter: Endpoint, open_session: Open, log_in: Callable[[Endpoint], Any]
) -> None:
    session = open_session(vcenter, *ALONE)
    guest = session.find_guest("DC0_H0_VM0")
    assert guest is not None
    kill(log_in(vcenter), session.vcenter)

    with pytest.raises(vim.fault.NotAuthenticated):
        guest.reference.RelocateVM_Task(vim.vm.RelocateSpec())


def test_silent_vcenter_is_waited_for_no_longer_than_it_was_given(
    vcenter: Endpoint, open_impatiently: Open
) -> None:
    session = open_impatiently(vcenter)
    os.kill(vcenter.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(DriverError) as read_error:
            session.guest("DC0_C0_RP0_VM0")
        with pytest.raises(ConnectError, match="does not answer"):
            open_impatiently(vcenter, cacert="", no_verify="1")
        assert time.monotonic() - began < 10
    finally:
        os.kill(vcenter.pid, signal.SIGCONT)

    assert "TimeoutError" in read_error.value.problem
    assert session.guest("absent") is None  # it goes on with a new connection


def test_many_wait_for_a_silent_vcenter_together(vcenter: Endpoint, open_impatiently: Open) -> None:
    session = open_impatiently(vcenter)
    os.kill(vcenter.pid, signal.SIGSTOP)

    def attempt(number: int) -> str:
        try:
            if number % 2:
                session.guest("absent")
            else:
                open_impatiently(vcenter, user="other")
        except (DriverError, ConnectError) as error:
            return type(error).__name__
        return "none"

    try:
        began = time.monotonic()
        with ThreadPoolExecutor(20) as threads:
            errors = list(threads.map(attempt, range(20)))
        took = time.monotonic() - began
    finally:
        os.kill(vcenter.pid, signal.SIGCONT)

    assert sorted(errors) == ["ConnectError"] * 10 + ["DriverError"] * 10
    assert took < 5


def test_vcenter_that_ended_is_an_error_of_ours(vcenter: Endpoint, open_impatiently: Open) -> None:
    session = open_impatiently(vcenter)
    os.kill(vcenter.pid, signal.SIGKILL)

    with pytest.raises(DriverError) as caught:
        session.guest("DC0_C0_RP0_VM0")

    # Which of them depends on how far the kernel is with its end.
    assert re.match(r"(ConnectionRe(fused|set)|SSLEOF)Error: ", caught.value.problem)
    assert caught.value.__context__ is None
    session.close()
