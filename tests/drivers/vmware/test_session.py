"""What a session makes of an answer that is not whole; the rest is tried on an endpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim

from migrate_plugins import DriverError, GuestState
from migrate_plugins_vmware import session as sessions
from migrate_plugins_vmware.inventory import Found, Key
from migrate_plugins_vmware.places import Place
from migrate_plugins_vmware.session import VSphereSession

if TYPE_CHECKING:
    from collections.abc import Mapping

URI = "vpx://vc/DC/h"
HOST = vim.HostSystem("host-1")
GUEST = {
    "name": "web1",
    "config.uuid": "AA",
    "runtime.host": HOST,
    "runtime.powerState": "poweredOn",
    "runtime.connectionState": "connected",
    "summary.config.memorySizeMB": 1,
}

# fmt: off
STATES = [
    # what differs, state
    ({}, GuestState.RUNNING),
    ({"runtime.powerState": "suspended"}, GuestState.PAUSED),
    ({"runtime.powerState": "poweredOff"}, GuestState.SHUTOFF),
    ({"runtime.powerState": "something new"}, GuestState.UNKNOWN),
    ({"runtime.connectionState": "disconnected"}, GuestState.UNKNOWN),
    ({"runtime.connectionState": "inaccessible"}, GuestState.UNKNOWN),
    ({"runtime.connectionState": "orphaned", "runtime.powerState": "poweredOff"},
     GuestState.UNKNOWN),
]
# fmt: on


def found(values: Mapping[str, Any], unread: Mapping[str, str] | None = None) -> Found:
    reference = vim.VirtualMachine("vm-1")
    return Found(Key("vc-1", "vm-1"), reference, values, unread or {})


def session_with(monkeypatch: pytest.MonkeyPatch, *guests: Found) -> VSphereSession:
    """A session whose vCenter lists *guests*, and has no task."""
    vcenter: Any = SimpleNamespace(
        instance="vc-1",
        host="vc",
        content=SimpleNamespace(taskManager=None),
        guests=SimpleNamespace(read=lambda: list(guests)),
        reading=lambda _call: [],
    )

    def read_along(_vcenter: object, _start: object, relation: str, *_: object) -> list[Found]:
        return list(guests) if relation == "vm" else []

    monkeypatch.setattr(sessions, "read_along", read_along)  # anything else finds nothing
    target = Found(Key("vc-1", "host-1"), HOST, {"name": "h"}, {})
    return VSphereSession(URI, vcenter, Place.parse(URI), target)


@pytest.mark.parametrize(("values", "state"), STATES)
def test_state_of_a_guest(
    monkeypatch: pytest.MonkeyPatch, values: Mapping[str, Any], state: GuestState
) -> None:
    guest = session_with(monkeypatch, found({**GUEST, **values})).guest("web1")

    assert guest is not None
    assert (guest.state, guest.uuid, guest.memory) == (state, "aa", 1024)


def test_guest_whose_host_may_not_be_read_is_not_taken_for_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = found({"name": "web1"}, {"runtime.host": "vim.fault.NoPermission"})
    session = session_with(monkeypatch, hidden)

    with pytest.raises(DriverError) as caught:
        session.guest("web1")

    assert caught.value.problem == "vim.fault.NoPermission"
    assert session.guest("other") is None


def test_uuid_of_a_guest_that_has_no_configuration_is_that_of_its_summary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {**GUEST, "summary.config.uuid": "BB"}
    del values["config.uuid"]

    guest = session_with(monkeypatch, found(values)).guest_by_uuid("bb")

    assert guest is not None
    assert guest.name == "web1"
