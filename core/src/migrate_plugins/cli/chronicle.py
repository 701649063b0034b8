"""Records of the journal as text for people: a line each, or one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migrate_plugins import Verdict
from migrate_plugins.cli.curves import FEWEST, Curve, charts, draw
from migrate_plugins.cli.moments import clock, moment, span
from migrate_plugins.cli.output import wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_plugins import Plan, Record
    from migrate_plugins.cli.output import Output

__all__ = ["asked", "chronicle", "ended", "lines", "printable", "remedies", "standing"]

_RECONCILE: Final = "`migrate-plugins reconcile {}` finds out"

_HEADER: Final = ("ID", "WHEN", "GUEST", "FROM -> TO", "VERDICT", "TIME", "REASON")
_GUEST, _ROUTE, _REASON = 2, 3, 6
# To the right where figures stand, as one reads them.
_RIGHT: Final = (0, 5)
# Columns that each of the three keeps, however narrow it gets, and that stand between two.
_LEAST: Final = {_GUEST: 8, _ROUTE: 14, _REASON: 8}
_GAP: Final = "  "
_CUT: Final = "…"

_COLOURS: Final = {
    "done": "green",
    "failed": "red",
    "cancelled": "yellow",
    "not begun": "dim",
    "under way": "blue",
}


def standing(record: Record) -> str:
    """Tell in a word or two what has become of a migration."""
    if record.verdict is None:
        if record.alive:
            return "under way"
        if record.begun:
            return "in doubt"
        return "not begun" if record.alive is False else "unknown"
    if record.verdict is Verdict.FAILED and not record.begun:
        return "not begun"
    return record.verdict.value


def lines(records: Sequence[Record], width: int) -> list[str]:
    """Give a heading and a line for each record, each of at most *width* columns."""
    rows = [_HEADER, *map(_row, records)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
    spare = width - sum(widths) - len(_GAP) * (len(widths) - 1)
    for at in (_REASON, _ROUTE, _GUEST):  # the reason can be read elsewhere, the guest is sought
        taken = min(max(-spare, 0), max(widths[at] - _LEAST[at], 0))
        widths[at] -= taken
        spare += taken
    return [
        _GAP.join(
            f"{_cut(cell, wide):{'>' if at in _RIGHT else '<'}{wide}}"
            for at, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _row(record: Record) -> tuple[str, ...]:
    return (
        str(record.id),
        moment(record.started),
        printable(record.guest),
        printable(" -> ".join(record.host_names)),
        standing(record),
        span(record.elapsed),
        printable(record.reason or ""),
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - len(_CUT)] + _CUT


def printable(text: str) -> str:
    """Keep a text on its line, and a terminal from doing what it says."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))


def chronicle(record: Record, output: Output) -> None:
    """Print everything that the journal has of a migration, in short."""
    word = standing(record)
    source, destination = map(printable, record.host_names)
    output.text(
        f"{output.style(f'{record.id}: {printable(record.guest)}', 'bold')},"
        f" {source} -> {destination}: {output.style(word, _COLOURS.get(word, 'red'))}"
    )
    for text in asked(record):
        _indented(output, text)
    if record.plan is None:
        _heading(output, "Plan")
        _indented(output, "written by another edition, and not to be read by this one")
    else:
        _plan(output, record.plan)
    if record.accepted:
        _heading(output, "Accepted")
        for id_, reason in record.accepted.items():
            _indented(output, f"{id_}: {reason}")
    _timeline(record, output)
    _charts(record, output)
    _outcome(record, output)


def _timeline(record: Record, output: Output) -> None:
    _heading(output, "Timeline")
    for each in record.phases:
        head = f"  {clock(each.at)} {span(each.elapsed):>7}  {each.phase.value:<8}"
        told, *more = wrap(printable(each.text or ""), output.width - len(head) - 2)
        output.text(f"{head}  {told}".rstrip())
        for line in more:
            output.text(f"{' ' * len(head)}  {line}")


def _outcome(record: Record, output: Output) -> None:
    _heading(output, "Outcome")
    for text in ended(record):
        _indented(output, text)
    outcome = record.outcome or {}
    for diagnosis in outcome.get("diagnoses", ()):
        _indented(output, f"{diagnosis['id']}: {diagnosis['cause']}")
        for remedy in remedies(diagnosis):
            output.text(f"      {printable(remedy)}")
    notable = [each for each in outcome.get("findings", ()) if each["severity"] != "info"]
    if notable:
        _heading(output, "Findings before")
        for finding in notable:
            accepted = f" (accepted: {finding['accepted']})" if finding["accepted"] else ""
            _indented(output, f"{finding['severity']} {finding['id']}: {finding['text']}{accepted}")


def asked(record: Record) -> list[str]:
    """Tell who asked for it, when and why."""
    when = f"{record.started.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    told = [f"asked for by {record.user}, {when}, process {record.process} there"]
    if record.reason is not None:
        told.append(f"because: {record.reason}")
    if record.uuid is not None:
        told.append(f"uuid: {record.uuid}")
    return told


def remedies(diagnosis: Mapping[str, Any]) -> list[str]:
    """Tell what to do, and on which host."""
    return [
        f"on the {remedy['where']}: {remedy['text']}" if remedy["where"] else remedy["text"]
        for remedy in diagnosis["remedies"]
    ]


def ended(record: Record) -> list[str]:
    """Tell where the guest was in the end, as far as that is known."""
    told = [] if record.text is None else [record.text]
    if record.settled_by is not None:
        told.append(f"found out afterwards, by {record.settled_by}")
    if record.verdict is None and record.alive:
        told.append("it is under way: the process that runs it is there")
    elif record.in_doubt:
        told.append(f"where the guest is now, {_RECONCILE.format(record.guest)}")
    elif record.verdict is None:
        told.append("it was given up before anything was changed")
    if record.pending is not None:
        told.append(f"left over {record.pending}")
    outcome = record.outcome or {}
    figures = [] if record.elapsed is None else [f"{span(record.elapsed)} in all"]
    downtime = (outcome.get("statistics") or {}).get("downtime")
    if downtime is not None:
        figures.append(f"the guest stood still for {downtime} ms")
    if figures:
        told.append(", ".join(figures))
    told += [f"note: {text}" for text in outcome.get("differences", ())]
    if outcome.get("error") is not None:
        told.append(f"error: {outcome['error']}")
    return told


def _plan(output: Output, plan: Plan) -> None:
    scenario = plan.scenario
    _heading(output, "Plan")
    _indented(
        output,
        f"{scenario.flow}, {scenario.transport} ({plan.driver}, scenario {scenario.id},"
        f" revision {plan.request.revision})",
    )
    for name in ("source", "destination", "migration"):
        uri = getattr(plan.uris, name)
        if uri.value is not None:
            # In one piece however long: somebody may want to copy it.
            output.text(f"  {name}: {printable(uri.value)}")
    _indented(output, f"flags: {', '.join(plan.flags) or 'none'}")
    if plan.request.options:
        _indented(output, f"options of {plan.driver} alone: {', '.join(plan.request.options)}")
    safety = {True: "encrypted", False: "PLAIN TEXT", None: "up to the hypervisor"}
    if plan.memory_crosses_network:
        _indented(output, f"memory: {plan.data.protocol}, {safety[plan.data.encrypted]}")


def _charts(record: Record, output: Output) -> None:
    told = charts(record)
    for shown in told:
        first, *marked = (curve.name for curve in shown)
        title = ", and ".join([first.capitalize(), *(f"{name} (x)" for name in marked)])
        _chart(output, f"{title}, {shown[0].unit}", shown)
    if not told:
        _heading(output, "Figures")
        _indented(output, "none were recorded")


def _chart(output: Output, title: str, shown: Sequence[Curve]) -> None:
    _heading(output, title)
    if max(len(curve.points) for curve in shown) < FEWEST:
        for curve in shown:
            at, value = curve.points[0]
            _indented(output, f"{curve.name} {value:.1f} {curve.unit} after {span(at)}; no more")
        return
    for line in draw(shown, output.width):
        output.text(f"  {line}".rstrip())


def _heading(output: Output, text: str) -> None:
    output.text()
    output.text(output.style(text, "bold"))


def _indented(output: Output, text: str) -> None:
    for line in wrap(printable(text), output.width - 2):
        output.text(f"  {line}")
