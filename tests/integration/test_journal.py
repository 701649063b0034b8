"""A real migration in the journal: its samples, its end, and its page."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from migrate_plugins import ExitCode, GuestState, Journal, Phase, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_lab.lab import Lab

# A guest of this many MiB over a link of this rate: some four seconds.
MEMORY, RATE = 64, "200mbit"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    url = f"sqlite:///{tmp_path}/state/journal.sqlite"
    monkeypatch.setenv("MIGRATE_PLUGINS_JOURNAL", url)
    return Journal(url)


def _start(lab: Lab, *more: str) -> subprocess.Popen[str]:
    """Start the real command with a guest that takes some seconds; read up to what is sent."""
    alpha, beta = lab.hosts
    command = [sys.executable, "-m", "migrate_plugins", "migrate", "web1", beta.uri]
    command += ["-c", alpha.uri, "--live", "--progress", "json", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        statistics = json.loads(line).get("statistics")
        if statistics and statistics["transferred"]:
            return process
    process.wait(timeout=10)
    pytest.fail(f"the migration ended too early: {process.stderr and process.stderr.read()}")


def _outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=90)
    assert out, err
    last: dict[str, Any] = json.loads(out.splitlines()[-1])
    return last


def _run(*argv: str) -> str:
    command = [sys.executable, "-m", "migrate_plugins", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_real_migration_is_recorded_with_its_figures(
    hosts: Lab, journal: Journal, tmp_path: Path
) -> None:
    guest = hosts.guest("web1", memory=MEMORY, dirty=32)
    guest.wait_for_ticks()
    hosts.fault("alpha", "bandwidth", RATE)
    process = _start(hosts, "--reason", "new kernel on alpha", "--timeout", "4")

    outcome = _outcome(process)

    assert (process.returncode, outcome["id"]) == (ExitCode.DONE, 1)
    record = journal.record(1)
    assert (record.verdict, record.reason, record.uuid) == (
        Verdict.DONE,
        "new kernel on alpha",
        guest.uuid,
    )
    assert record.host_names == ("alpha", "beta")
    assert record.facts is not None
    assert record.facts.guest is not None
    assert record.facts.guest.state is GuestState.RUNNING
    assert record.outcome == outcome
    phases = [each.phase for each in record.phases]
    assert phases[:4] == [Phase.CONNECT, Phase.CHECK, Phase.PREPARE, Phase.TRANSFER]
    assert phases[-2:] == [Phase.VERIFY, Phase.DONE]
    elapsed = [sample.elapsed for sample in record.samples]
    assert len(elapsed) >= 3
    assert all(1 <= later - sooner < 5 for sooner, later in pairwise(elapsed))
    sent = [sample.statistics.transferred or 0 for sample in record.samples]
    assert sent == sorted(sent)
    assert sent[0] < sent[-1]
    assert all(sample.statistics.remaining is not None for sample in record.samples)
    file = tmp_path / "web1.html"
    assert "\nRemaining, MiB\n" in _run("history", "show", "1")
    _run("history", "show", "1", "--html", str(file))
    page: Any = html.document_fromstring(file.read_text())
    assert len(page.xpath("//figure")) == 3
    assert page.xpath("//h1/text()") == ["web1: alpha → beta"]


def test_killed_tool_leaves_a_record_in_doubt(hosts: Lab, journal: Journal) -> None:
    guest = hosts.guest("web1", dirty=64)
    guest.wait_for_ticks()
    hosts.fault("alpha", "bandwidth", "100mbit")
    process = _start(hosts)
    assert journal.records()[0].alive is True

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    (record,) = journal.records(unfinished=True)
    assert (record.phase, record.verdict, record.alive) == (Phase.TRANSFER, None, False)
    assert record.process == process.pid
    assert "in doubt" in _run("history")


def test_full_disk_on_the_way_does_not_change_where_the_guest_is(
    hosts: Lab, journal: Journal
) -> None:
    guest = hosts.guest("web1", memory=MEMORY, dirty=32)
    guest.wait_for_ticks()
    hosts.fault("alpha", "bandwidth", RATE)
    process = _start(hosts, "--timeout", "3")

    # No file may grow from now on: what a full disk does to the journal, and to nothing else.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))

    outcome = _outcome(process)
    assert process.returncode == ExitCode.DONE
    assert outcome["verdict"] == "done"
    (note,) = [text for text in outcome["differences"] if "journal" in text]
    assert note.startswith("its end could not be recorded in the journal: ")
    assert hosts.hosts[1].virsh("domstate", "web1").strip() == "running"
    (record,) = journal.records()
    assert (record.begun, record.verdict, record.in_doubt) == (True, None, True)
    guest.wait_for_ticks()
