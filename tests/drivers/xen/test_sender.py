"""How the program that sends a guest is stopped, and when it is not; Xen's programs are fakes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import Answer, DriverError, NoAbortError, Shell
from migrate_plugins_xen import sender
from migrate_plugins_xen.sender import stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Shell(("sh", "-c"), "this machine")
STOPPED, NOTHING, SUSPENDED = Answer(0, "", ""), Answer(3, "", ""), Answer(4, "", "")
NOT_ROOTS = Answer(1, "", "pkill: killing pid 7 failed: Operation not permitted")
SILENT = Answer(None, "", "no answer")
# Nobody sends a guest of this number.
NUMBER = 987654
# What fakes of Xen's tools do: the first look, and later ones.
RUNS, STANDS = "printf 'web1 7 96 1 -b---- 0.1\\n'", "printf 'web1 7 96 1 ---s-- 0.1\\n'"


class FakeShell:
    """Test double: a source whose program ends as the test says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert seconds > 0
        self.asked.append(argv)
        return self.answer


class FakeXen:
    """Fakes of xl and xenstore-read, and of the program that sends a guest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.tells("xenstore-read", "exit 1")

    def tells(self, tool: str, first: str, later: str | None = None) -> None:
        """Have a *tool* run one script at its first call, and another one later."""
        called = self.folder / f"{tool}-was-called"
        later = first if later is None else later
        text = f"#!/bin/sh\nif [ -e {called} ]; then {later}; else : >{called}; {first}; fi\n"
        (self.folder / tool).write_text(text, encoding="utf-8")
        (self.folder / tool).chmod(0o755)

    def sends(self) -> None:
        """Start the program, as libxl does."""
        program = self.folder / "libxl-save-helper"
        program.write_text("#!/bin/sh\nwhile :; do sleep 0.1; done\n", encoding="utf-8")
        program.chmod(0o755)
        words = ["--save-domain", "11", "-1", str(NUMBER), "0"]
        self.process = subprocess.Popen([str(program), *words])

    @property
    def state(self) -> str:
        """The program's: T where it is held."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        return status.rpartition(")")[2].split()[0]

    def end(self) -> None:
        """End the program, if it still runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@pytest.fixture
def xen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXen]:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    fake = FakeXen(tmp_path)
    yield fake
    fake.end()


# fmt: off
KEPT = [
    # what xl tells at first and later, what the store does, what is told
    ((STANDS,),          ("exit 1",),                   "stands still already"),
    ((RUNS, STANDS),     ("exit 1",),                   "stands still already"),
    ((RUNS,),            ("echo suspend",),             "stands still already"),
    ((RUNS,),            ("exit 1", "echo suspend"),    "stands still already"),
    (("exit 1",),        ("exit 1",),                   "does not tell whether"),
    ((RUNS, "exit 1"),   ("exit 1",),                   "does not tell whether"),
    ((RUNS, "sleep 60"), ("exit 1",),                   "does not tell whether"),
]
# fmt: on


def test_program_is_ended_while_the_guest_runs(xen: FakeXen) -> None:
    xen.tells("xl", RUNS)
    xen.sends()

    stop(HERE, "web1", NUMBER, ours=True)

    assert xen.process is not None
    assert xen.process.wait(10) == -15


@pytest.mark.parametrize(("xl", "store", "told"), KEPT)
def test_program_goes_on_where_the_guest_may_stand_still(
    xen: FakeXen, xl: tuple[str, ...], store: tuple[str, ...], told: str
) -> None:
    xen.tells("xl", *xl)
    xen.tells("xenstore-read", *store)
    xen.sends()

    with pytest.raises(NoAbortError, match=told):
        stop(HERE, "web1", NUMBER, ours=True)

    assert xen.process is not None
    assert xen.process.poll() is None
    assert xen.state != "T"


def test_program_goes_on_where_whoever_holds_it_is_killed(
    xen: FakeXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    xen.tells("xl", RUNS)
    xen.sends()
    monkeypatch.setattr(sender, "_STOPPING", 1.5)
    monkeypatch.setattr(sender, "_HELD", 3)

    with pytest.raises(NoAbortError, match="no answer within"):
        stop(HERE, "web1", NUMBER, ours=True)

    assert xen.state == "T"
    give_up = time.monotonic() + 10
    while xen.state == "T" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert xen.state != "T"


def test_nothing_is_stopped_where_nothing_is_sent(xen: FakeXen) -> None:
    xen.tells("xl", RUNS)

    with pytest.raises(DriverError, match="no memory is being sent"):
        stop(HERE, "web1", NUMBER, ours=False)


@pytest.mark.parametrize("ours", [True, False])
def test_it_is_stopped_as_libxl_does_it(ours: bool) -> None:
    shell: Any = FakeShell(STOPPED)

    stop(shell, "web1", 7, ours=ours)

    ((*_, pattern, number, _),) = shell.asked
    assert pattern.endswith(" 7 ")
    assert number == "7"


@pytest.mark.parametrize(
    ("shell", "ours", "kind", "told"),
    [
        (None, True, NoAbortError, "its end is waited for"),
        (None, False, DriverError, "it goes on without us"),
        # Whatever it is: to leave would end nothing well.
        (FakeShell(NOTHING), True, NoAbortError, "no memory is being sent.*its end is waited for"),
        (FakeShell(SUSPENDED), True, NoAbortError, "stands still already.*its end is waited for"),
        (FakeShell(NOT_ROOTS), True, NoAbortError, "not permitted.*its end is waited for"),
        (FakeShell(SILENT), True, NoAbortError, "no answer.*its end is waited for"),
        (FakeShell(NOTHING), False, DriverError, "no memory is being sent at the moment"),
        (FakeShell(SUSPENDED), False, DriverError, "stands still already.*sent to the end"),
        (FakeShell(SILENT), False, DriverError, "no answer"),
    ],
)
def test_what_cannot_be_stopped_says_why(
    shell: Any,  # noqa: ANN401 - a double
    ours: bool,
    kind: type[DriverError],
    told: str,
) -> None:
    with pytest.raises(DriverError, match=told) as caught:
        stop(shell, "web1", 7, ours=ours)

    assert type(caught.value) is kind
