"""``migrate-plugins history``: what it lists, what it shows, and the page that it writes."""

from __future__ import annotations

import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from migrate_plugins import (
    EntryPoint,
    ExitCode,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Journal,
    Migrator,
    Outcome,
    Phase,
    PhaseRecord,
    Record,
    Sample,
    Statistics,
    Verdict,
)
from migrate_plugins.cli import main
from migrate_plugins.cli.chronicle import chronicle, lines, standing
from migrate_plugins.cli.curves import Curve, charts, draw
from migrate_plugins.cli.moments import span
from migrate_plugins.cli.output import Output
from migrate_plugins.cli.page import page
from migrate_plugins.testing import MemoryDriver, MemoryHosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1024 * 1024
POINT = EntryPoint("migrate_plugins.simulated", "memory", "here", "migrate-plugins", "1", "here")
AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
GUEST = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=1024)
FACTS = Facts(HostFacts("alpha", "a", "q", "l"), GUEST, HostFacts("beta", "b", "q", "l"), None)
NOTHING = Record(7, "web1", None, AT, "ann@here", "m", 42, None, None, {})
BEGUN = NOTHING._replace(phases=(PhaseRecord(Phase.PREPARE, AT, 0.5),))

# fmt: off
STANDINGS = [
    (NOTHING._replace(alive=True),               "under way"),
    (NOTHING._replace(alive=False),              "not begun"),
    (NOTHING,                                    "unknown"),
    (BEGUN._replace(alive=True),                 "under way"),
    (BEGUN._replace(alive=False),                "in doubt"),
    (BEGUN,                                      "in doubt"),
    (NOTHING._replace(verdict=Verdict.FAILED),   "not begun"),
    (BEGUN._replace(verdict=Verdict.FAILED),     "failed"),
    (BEGUN._replace(verdict=Verdict.DONE),       "done"),
    (BEGUN._replace(verdict=Verdict.CANCELLED),  "cancelled"),
    (BEGUN._replace(verdict=Verdict.SPLIT),      "split"),
]

SPANS = [
    (None, "-"), (0.0, "0.0 s"), (3.14, "3.1 s"), (59.94, "59.9 s"), (59.96, "1:00"),
    (61.0, "1:01"), (3599.6, "1:00:00"), (7322.0, "2:02:02"), (360_000.0, "100:00:00"),
]

LISTED = [
    # record, its line of 80 columns
    (BEGUN._replace(verdict=Verdict.DONE, facts=FACTS, ended=AT + timedelta(seconds=4.2),
                    reason="new kernel"),
     " 7  2026-03-14 15:09  web1   alpha -> beta  done     4.2 s  new kernel"),
    (BEGUN._replace(facts=FACTS, reason="a reason that is told at length"),
     " 7  2026-03-14 15:09  web1   alpha -> beta  in doubt     -  a reason that is to…"),
    (NOTHING._replace(alive=False, guest="a-guest-with-a-name-that-is-long"),
     " 7  2026-03-14 15:09  a-guest-with-a-name-…  ? -> ?      not begun     -"),
    (NOTHING._replace(alive=False, reason="two\nlines \033[31mand red"),
     " 7  2026-03-14 15:09  web1   ? -> ?      not begun     -  two lines ?[31mand red"),
]

WRONG = [
    (("show",), "`history show` takes the number of a migration; `history` lists them"),
    (("show", "1", "--guest", "web1"),
     "--guest chooses among migrations, and `history show` takes one"),
    (("show", "1", "--limit", "3"),
     "--limit chooses among migrations, and `history show` takes one"),
    (("--html", "x.html"), "--html writes one migration; give `history show ID --html FILE`"),
    (("show", "1", "--html", "/no/such/folder/x.html"),
     "cannot write the page to '/no/such/folder/x.html': No such file or directory"),
]
# fmt: on

SHOWN = """\
7: web1, alpha -> beta: done
  asked for by ann@here, 2026-03-14 15:09:26 UTC, process 42 there
  because: new kernel

Plan
  managed-direct, native (qemu, scenario native-direct, revision original)
  source: qemu:///system
  destination: qemu+ssh://desthost/system
  flags: VIR_MIGRATE_LIVE
  memory: QEMU migration stream, PLAIN TEXT

Accepted
  data-plain-text: a network of its own

Timeline
  15:09:26   0.5 s  prepare   recorded in the journal as 7
  15:09:30   4.0 s  verify

Remaining, MiB
    (MiB)    ^
        21.0 |
        18.4 |  ⠒⠤⠤⣀⡀
        15.8 |       ⠈⠉⠒⠢⠤⣀⡀
        13.1 |             ⠈⠉⠒⠢⠤⣀⡀
        10.5 |                   ⠈⠉⠒⠢⠤⣀⡀
"""


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tell local time as it is where nobody is."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def full(migrator: Migrator) -> Record:
    """A record with something in every field."""
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://desthost/system", live=True
    )
    statistics = Statistics(remaining=0, downtime=12)
    outcome = Outcome(
        plan, Verdict.DONE, None, GUEST, elapsed=4.25, statistics=statistics, facts=FACTS, id=7,
        differences=("the guest is transient",), findings=plan.findings,
    )  # fmt: skip
    return BEGUN._replace(
        phases=(
            PhaseRecord(Phase.PREPARE, AT, 0.5, "recorded in the journal as 7"),
            PhaseRecord(Phase.VERIFY, AT + timedelta(seconds=4), 4.0),
        ),
        plan=plan,
        facts=FACTS,
        reason="new kernel",
        accepted={"data-plain-text": "a network of its own"},
        samples=tuple(
            Sample(float(at), Statistics(remaining=(20 - 5 * at) * MIB, rate=at * MIB))
            for at in range(1, 4)
        ),
        verdict=Verdict.DONE,
        text=outcome.sentence,
        ended=AT + timedelta(seconds=4),
        outcome=json.loads(json.dumps(outcome.to_json())),
    )


@pytest.fixture
def history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run `history` on hosts in memory, whose migrations are recorded in a journal of its own."""
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite")
    memory = Migrator([(POINT, MemoryDriver(hosts=MemoryHosts(seconds=0.1)))], journal)
    monkeypatch.setattr(Migrator, "installed", staticmethod(lambda *_, **__: memory))

    def run(*argv: str) -> Said:
        try:
            status = main(argv if argv[:1] == ("migrate",) else ("history", *argv))
        except SystemExit as error:
            status = int(error.code or 0)
        printed = capsys.readouterr()
        return Said(status, printed.out, printed.err)

    return run


class Said(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


def _migrate(run: Callable[..., Said], *more: str, guest: str = "web1") -> None:
    said = run("migrate", guest, "memory://beta/", "-c", "memory://alpha/", "--live", *more)
    assert said.status in {ExitCode.DONE, ExitCode.BLOCKED}, said


# --- the parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "word"), STANDINGS)
def test_standing(record: Record, word: str) -> None:
    assert standing(record) == word


@pytest.mark.parametrize(("seconds", "told"), SPANS)
def test_span(seconds: float | None, told: str) -> None:
    assert span(seconds) == told


@pytest.mark.parametrize(("record", "line"), LISTED)
def test_line(record: Record, line: str) -> None:
    header, told = lines([record], 80)

    assert told == line
    assert header.split()[:3] == ["ID", "WHEN", "GUEST"]


def _facts(source: str, destination: str) -> Facts:
    return Facts(FACTS.source._replace(name=source), None, HostFacts(destination, "", "", ""), None)


texts = st.text(max_size=60)
listed = st.builds(
    NOTHING._replace,
    id=st.integers(1, 99_999),
    guest=texts,
    reason=st.none() | texts,
    facts=st.none() | st.builds(_facts, texts, texts),
    verdict=st.none() | st.sampled_from(Verdict),
    ended=st.none() | st.integers(0, 10**6).map(lambda seconds: AT + timedelta(seconds=seconds)),
)  # fmt: skip


@given(records=st.lists(listed, max_size=5), width=st.integers(80, 160))
def test_lines_fit_and_line_up(records: list[Record], width: int) -> None:
    told = lines(records, width)

    assert len(told) == len(records) + 1
    assert all(len(line) <= width for line in told)
    assert all(line.isprintable() for line in told)
    place = told[0].index("WHEN")
    assert [line[:place].strip() for line in told[1:]] == [str(each.id) for each in records]
    assert {line[place : place + 16] for line in told[1:]} <= {"2026-03-14 15:09"}


def test_what_was_not_told_has_no_curve(full: Record) -> None:
    assert charts(full) == [
        [Curve("remaining", "MiB", ((1.0, 15.0), (2.0, 10.0), (3.0, 5.0), (4.0, 0.0)))],
        [Curve("rate", "MiB/s", ((1.0, 1.0), (2.0, 2.0), (3.0, 3.0)))],
    ]
    assert charts(full._replace(samples=(Sample(1.0, Statistics()),))) == []


def test_options_of_the_hypervisors_own_are_shown(full: Record) -> None:
    assert full.plan is not None
    request = full.plan.request._replace(options=("disk=1:a", "pool=b"))
    record = full._replace(plan=full.plan._replace(request=request))

    assert "  options of qemu alone: disk=1:a, pool=b\n" in _told(record)
    assert page(record).count("<td>option</td>") == 2


def test_per_cent_has_a_chart_of_its_own(full: Record) -> None:
    samples = tuple(Sample(at, Statistics(percent=10 * at)) for at in (1.0, 2.0))
    record = full._replace(samples=samples)

    assert charts(record) == [[Curve("done", "%", ((1.0, 10.0), (2.0, 20.0)))]]
    assert "\nDone, %\n" in _told(record)
    assert "Done, %" in page(record)


point = st.tuples(st.floats(0, 1e6), st.floats(0, 1e7))
points = st.sets(point, min_size=1, max_size=20).map(lambda found: tuple(sorted(found)))


@given(first=points, second=st.just(()) | points, width=st.integers(80, 200))
def test_chart_fits_and_has_every_curve(
    first: tuple[tuple[float, float], ...], second: tuple[tuple[float, float], ...], width: int
) -> None:
    shown = [Curve("rate", "MiB/s", first), Curve("dirty rate", "MiB/s", second)]

    told = draw(shown, width - 2)

    assert all(len(line) <= width - 2 for line in told)
    plot = "".join(line.partition("|")[2] for line in told[1:-2])
    assert ("x" in plot) is bool(second)
    # Where both have but one point, the second's mark may lie on the first's.
    assert second or any(0x2800 < ord(sign) <= 0x28FF for sign in plot)


# --- one in full ---------------------------------------------------------------------------------


def _told(record: Record) -> str:
    stream = io.StringIO()
    chronicle(record, Output(stdout=stream))
    return stream.getvalue()


def test_everything_is_shown(full: Record) -> None:
    told = _told(full)

    head, _, rest = told.partition("\nRemaining, MiB\n")
    assert head == SHOWN.partition("\nRemaining, MiB\n")[0]
    plot, _, rest = rest.partition("\nRate, MiB/s\n")
    assert len(plot.splitlines()) == 12
    assert plot.splitlines()[-1].split()[:2] == ["|", "1.0"]
    assert rest.partition("\nOutcome\n")[2] == (
        "  web1 is on beta now (alpha: no such guest; beta: running)\n"
        "  4.2 s in all, the guest stood still for 12 ms\n"
        "  note: the guest is transient\n"
        "\nFindings before\n"
        + "".join(
            f"  {line}\n"
            for finding in full.plan.findings
            if finding.severity != "info"
            for line in _wrapped(f"{finding.severity} {finding.id}: {finding.text}")
        )
        if full.plan
        else ""
    )


def _wrapped(text: str) -> list[str]:
    from migrate_plugins.cli.output import wrap  # noqa: PLC0415 - for this alone

    return wrap(text, 118)


# fmt: off
ENDS = [
    # record, what it says of the end, figures
    (BEGUN._replace(alive=False),
     "where the guest is now, `migrate-plugins reconcile web1` finds out"),
    (BEGUN._replace(verdict=Verdict.UNKNOWN, text="nobody knows"),
     "nobody knows\n  where the guest is now, `migrate-plugins reconcile web1` finds out"),
    (BEGUN._replace(verdict=Verdict.DONE, text="web1 is on beta", settled_by="bob@there"),
     "web1 is on beta\n  found out afterwards, by bob@there"),
    (BEGUN._replace(alive=True),
     "it is under way: the process that runs it is there"),
    (NOTHING._replace(alive=False),
     "it was given up before anything was changed"),
    (NOTHING._replace(verdict=Verdict.FAILED, text="cannot connect"),
     "cannot connect"),
]
# fmt: on


@pytest.mark.parametrize(("record", "end"), ENDS)
def test_end_says_no_more_than_is_known(record: Record, end: str) -> None:
    told = _told(record)

    assert told.endswith(f"\nFigures\n  none were recorded\n\nOutcome\n  {end}\n")
    assert "written by another edition" in told


def test_one_sample_is_no_curve(full: Record) -> None:
    told = _told(full._replace(samples=full.samples[:1], outcome=None))

    assert "\nRemaining, MiB\n  remaining 15.0 MiB after 1.0 s; no more\n" in told
    assert "\nRate, MiB/s\n  rate 1.0 MiB/s after 1.0 s; no more\n" in told


# --- the page ------------------------------------------------------------------------------------


def _document(text: str) -> Any:  # noqa: ANN401 - its types are too wide to be of use
    return html.document_fromstring(text)


HOSTILE = "<script>alert('x')</script> & \"</title>\" <img src=http://evil/x>"


def test_page_is_complete_in_itself(full: Record) -> None:
    document = _document(page(full))

    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert document.xpath("//meta[@http-equiv]/@content") == [policy]
    assert document.xpath("//script | //link | //img | //iframe | //object | //embed") == []
    assert document.xpath("//@src | //@href | //@*[contains(., 'url(')]") == []
    assert not re.search(r"url\(|@import|@font-face", page(full))
    headings = [heading.text for heading in document.xpath("//h1 | //h2")]
    assert headings == [
        "web1: alpha → beta", "Outcome", "Over time", "Timeline", "Plan", "Findings before",
    ]  # fmt: skip
    figures = document.xpath("//figure")
    assert len(figures) == 3  # what remained, the rates, the plan's diagram
    assert all(figure.xpath("svg") for figure in figures)
    assert len(figures[0].xpath(".//path")) >= 1
    assert "qemu+ssh://desthost/system" in figures[2].text_content()
    (timeline,) = document.xpath("//table[tr/th = 'phase']")
    assert [[cell.text or "" for cell in row] for row in timeline[1:]] == [
        ["15:09:26", "0.5 s", "prepare", "recorded in the journal as 7"],
        ["15:09:30", "4.0 s", "verify", ""],
    ]


def test_page_shows_texts_and_obeys_none(full: Record) -> None:
    hostile = full._replace(
        guest=HOSTILE,
        reason=HOSTILE,
        text=HOSTILE,
        accepted={HOSTILE: HOSTILE},
        phases=tuple(each._replace(text=HOSTILE) for each in full.phases),
        outcome={
            **(full.outcome or {}),
            "error": HOSTILE,
            "differences": [HOSTILE],
            "diagnoses": [
                {"id": HOSTILE, "cause": HOSTILE, "remedies": [{"text": HOSTILE, "where": None}]}
            ],
            "findings": [
                {"id": HOSTILE, "severity": HOSTILE, "text": HOSTILE, "accepted": HOSTILE}
            ],
        },
    )

    document = _document(page(hostile))

    assert document.xpath("//script | //img") == []
    assert document.text_content().count("alert('x')") >= 12
    assert document.xpath("/html/head/title/text()") == [f"{HOSTILE}: alpha → beta"]


@pytest.mark.parametrize("record", [NOTHING, BEGUN])
def test_page_of_nearly_nothing(record: Record) -> None:
    document = _document(page(record))

    text = document.text_content()
    assert "Too few figures were recorded for a plot." in text
    assert "this one cannot read it" in text


# --- the command ---------------------------------------------------------------------------------


def test_nothing_is_recorded_yet(history: Callable[..., Said], tmp_path: Path) -> None:
    place = f"{tmp_path}/journal.sqlite"

    assert history() == (ExitCode.DONE, f"no migration is recorded in {place}\n", "")
    assert history("--guest", "web1").out == f"no migration of web1 is recorded in {place}\n"
    assert json.loads(history("--json").out) == {
        "schema": "migrate-plugins/history/1",
        "records": [],
    }
    assert history("show", "1") == (
        ExitCode.USAGE,
        "",
        f"the journal {place} has no record 1; it has none\n",
    )


def test_newest_first_each_on_a_line(history: Callable[..., Said]) -> None:
    for reason in ("first", "second", "third"):
        _migrate(history, "--reason", reason, guest="web1" if reason != "second" else "nobody")

    said = history("--limit", "2")

    assert (said.status, said.err) == (ExitCode.DONE, "")
    header, *rows, more = said.out.splitlines()
    assert header.split() == [
        *["ID", "WHEN", "GUEST", "FROM", "->", "TO", "VERDICT", "TIME", "REASON"]
    ]
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [("3", "third"), ("2", "second")]
    assert more == "there are older ones: --limit 10 lists more"
    assert [line.split()[0] for line in history("--guest", "nobody").out.splitlines()[1:]] == ["2"]
    told = json.loads(history("--json").out)["records"]
    assert [(each["id"], each["guest"], each["verdict"], each["reason"]) for each in told] == [
        (3, "web1", "failed", "third"),
        (2, "nobody", "failed", "second"),
        (1, "web1", "done", "first"),
    ]


def test_show_and_page_of_a_migration(history: Callable[..., Said], tmp_path: Path) -> None:
    _migrate(history, "--reason", "new kernel")
    file = tmp_path / "web1.html"

    shown, written = history("show", "1"), history("show", "1", "--html", str(file))
    told: dict[str, Any] = json.loads(history("show", "1", "--json").out)

    assert shown.out.startswith("1: web1, alpha -> beta: done\n")
    assert (written.status, written.out) == (ExitCode.DONE, f"written to {file}\n")
    assert _document(file.read_text()).xpath("//h1/text()") == ["web1: alpha → beta"]
    assert told["schema"] == "migrate-plugins/history-show/1"
    assert (told["id"], told["verdict"], told["reason"]) == (1, "done", "new kernel")
    assert told["outcome"]["id"] == 1
    assert [each["phase"] for each in told["phases"]][-1] == "done"


@pytest.mark.parametrize(("argv", "told"), WRONG)
def test_wrong_use(history: Callable[..., Said], argv: tuple[str, ...], told: str) -> None:
    _migrate(history)

    assert history(*argv) == (ExitCode.USAGE, "", f"{told}\n")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "٣"])
def test_limit_is_a_number_from_one_on(history: Callable[..., Said], limit: str) -> None:
    said = history(f"--limit={limit}")

    assert said.status == ExitCode.USAGE
    assert f"{limit!r} is no number from 1 on" in said.err


def test_migrate_without_a_journal_is_not_in_the_history(history: Callable[..., Said]) -> None:
    _migrate(history, "--no-journal")

    assert json.loads(history("--json").out)["records"] == []


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--reason", "x", "--no-journal"),
         "--reason stands in the journal, --no-journal keeps none; give one"),
        (("--reason", " "), "--reason is empty; say why, or leave it out"),
    ],
)  # fmt: skip
def test_reason_has_to_have_a_place(
    history: Callable[..., Said], argv: tuple[str, ...], told: str
) -> None:
    said = history("migrate", "web1", "memory://beta/", "-c", "memory://alpha/", *argv)

    assert said == (ExitCode.USAGE, "", f"{told}\n")
