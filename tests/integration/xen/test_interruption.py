"""Moves that are stopped, outlast their time, or lose the command that began them, on real Xen."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from xen.pair import alive
from xen.tool import Tool, kill, outcome

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from xen.pair import Pair

pytestmark = pytest.mark.long

WAYS = ["managed", "peer-to-peer", "tunnelled", "xl"]


@pytest.fixture
def tool(pair: Pair, tmp_path: Path) -> Tool:
    """The command, with a shell on each host."""
    made = Tool(pair, tmp_path)
    made.configure(shells=True)
    return made


@pytest.mark.parametrize("way", WAYS)
def test_move_that_is_cancelled_leaves_the_guest_at_home(pair: Pair, tool: Tool, way: str) -> None:
    guest = pair.slow_guest("web1")
    process = tool.start(way)

    process.send_signal(signal.SIGINT)

    status, told = outcome(process)
    assert (status, told["verdict"]) == (ExitCode.CANCELLED, "cancelled")
    assert pair.where("web1") == ["alpha"]
    alive(guest)


@pytest.mark.parametrize("options", [(), ("-o", "timeout=5")], ids=["asked", "too long"])
def test_guest_that_stands_still_to_be_sent_is_sent_to_the_end(
    pair: Pair, tool: Tool, options: tuple[str, ...]
) -> None:
    """libvirt would not let it go on where it is."""
    guest = pair.slow_guest("web1")
    process = tool.start("managed", *options, live=False)

    if not options:
        process.send_signal(signal.SIGINT)

    status, told = outcome(process)
    assert (status, told["verdict"]) == (ExitCode.DONE, "done")
    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.parametrize("way", WAYS)
def test_move_that_takes_too_long_is_stopped(pair: Pair, tool: Tool, way: str) -> None:
    guest = pair.slow_guest("web1")

    status, told = outcome(tool.start(way, "-o", "timeout=20"))

    assert (status, told["verdict"]) == (ExitCode.FAILED, "failed")
    assert "after 20 s (-o timeout)" in told["error"]
    assert pair.where("web1") == ["alpha"]
    alive(guest)


def test_command_that_dies_in_a_managed_move_leaves_a_guest_that_reconcile_lets_go_on(
    pair: Pair, tool: Tool
) -> None:
    guest = pair.slow_guest("web1")
    kill(tool.start("managed"))

    # libxl sends to the end, and then nobody tells the destination to go on.
    assert tool.reconcile() == (ExitCode.FAILED, "in-progress")
    assert tool.reconcile("--watch") == (ExitCode.FAILED, "switchover-stuck")
    assert set(pair.where("web1")) == {"alpha", "beta"}
    status, found = tool.reconciled("--apply")
    assert (status, found["state"], found["verdict"]) == (ExitCode.DONE, "work-pending", "done")
    assert pair.where("web1") == ["beta"]
    alive(guest)
    # Both libvirtd still have what they had of it, until they are started anew.
    for end in ("source", "destination"):
        assert found[end]["guest"]["leftover"]["until"].startswith(
            "libvirtd is restarted there (systemctl restart libvirtd"
        )
    assert "libvirtd is restarted there (systemctl restart libvirtd" in found["why"]
    pair.restart_libvirtd(*pair.lab.hosts)
    said = tool.reconcile("--apply")
    assert tool.nothing_in_doubt(), said


@pytest.mark.parametrize("way", ["peer-to-peer", "xl"])
def test_command_that_dies_in_a_move_that_goes_on_is_replaced_by_a_watcher(
    pair: Pair, tool: Tool, way: str
) -> None:
    guest = pair.slow_guest("web1")
    kill(tool.start(way))

    assert tool.reconcile() == (ExitCode.FAILED, "in-progress")
    assert tool.reconcile("--watch") == (ExitCode.DONE, "finished")
    assert tool.nothing_in_doubt()
    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.parametrize("way", ["peer-to-peer", "xl"])
def test_move_that_goes_on_without_its_command_is_cancelled(
    pair: Pair, tool: Tool, way: str
) -> None:
    guest = pair.slow_guest("web1")
    kill(tool.start(way))

    assert tool.reconcile("--cancel") == (ExitCode.DONE, "rolled-back")
    assert tool.nothing_in_doubt()
    assert pair.where("web1") == ["alpha"]
    alive(guest)


def test_tunnel_that_waits_for_a_move_that_was_cancelled_is_ended(pair: Pair, tool: Tool) -> None:
    guest = pair.slow_guest("web1")
    kill(tool.start("tunnelled"))
    assert tool.reconcile() == (ExitCode.FAILED, "in-progress")

    status, found = tool.reconciled("--cancel")

    # Neither daemon is told by libvirt that the other one has stopped.
    assert (status, found["state"]) == (ExitCode.FAILED, "clean-up-missing")
    assert (found["step"]["mend"], found["step"]["host"]) == ("tidy", "destination")
    assert set(pair.where("web1")) == {"alpha", "beta"}
    assert tool.reconcile("--apply") == (ExitCode.DONE, "rolled-back")
    assert tool.nothing_in_doubt()
    assert pair.where("web1") == ["alpha"]
    # No job is left on either host.
    assert tool.migrate("tunnelled")[1]["verdict"] == "done"
    alive(guest)
