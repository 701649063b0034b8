"""A record of the journal as one page: complete in itself, it fetches nothing from anywhere."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from migrate_plugins import draw_diagram
from migrate_plugins.cli.chronicle import asked, ended, remedies, standing
from migrate_plugins.cli.curves import FEWEST, charts
from migrate_plugins.cli.moments import clock, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrate_plugins import Record
    from migrate_plugins.cli.curves import Curve

__all__ = ["page"]

# Blue and vermilion, told apart by everybody (Okabe and Ito, 2008), and by their strokes too.
_STYLE: Final = """\
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --faint: #5b6570;
  --line: #d5dae0; --one: #0072b2; --two: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --faint: #a0a9b2;
  --line: #3a4149; --one: #56b4e9; --two: #e69f00; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
p { margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: break-word; }
td:not(:last-child) { white-space: nowrap; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figure svg { width: 100%; height: auto; display: block; }
.plot svg > g > rect:first-child { fill: transparent; }
.plot text { fill: var(--ink); font-family: inherit; }
.plot .tick line { stroke: var(--line); }
.plot [stroke="#0072b2"] { stroke: var(--one); }
.plot [fill="#0072b2"] { fill: var(--one); }
.plot [stroke="#d55e00"] { stroke: var(--two); }
.plot [fill="#d55e00"] { fill: var(--two); }
.paper { background: #ffffff; border-radius: 6px; }
details { margin: 1rem 0; }
@media print { details { display: none; } }
"""

# Of the first curve of a plot, and of the second.
_STROKES: Final = (("#0072b2", None), ("#d55e00", "7 5"))

# Nothing may be loaded and nothing may run, whatever stands in the texts.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(record: Record) -> str:
    """Give the page as HTML."""
    source, destination = record.host_names
    title = f"{record.guest}: {source} → {destination}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p><strong>{escape(standing(record))}</strong>, migration {record.id} of the journal</p>",
        *(f"<p>{escape(text)}</p>" for text in asked(record)),
        "<h2>Outcome</h2>",
        *(f"<p>{escape(text)}</p>" for text in ended(record)),
        *_diagnoses(record),
        "<h2>Over time</h2>",
        *_plots(record),
        "<h2>Timeline</h2>",
        *_timeline(record),
        "<h2>Plan</h2>",
        *_plan(record),
        *_findings(record),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "<table>"
    if header:
        yield f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in header)}</tr>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</table>"


def _timeline(record: Record) -> Iterator[str]:
    rows = [
        (clock(each.at), span(each.elapsed), each.phase.value, each.text or "")
        for each in record.phases
    ]
    yield from _table(("at", "after", "phase", ""), rows)


def _plan(record: Record) -> Iterator[str]:
    plan = record.plan
    if plan is None:
        yield "<p>Another edition of migrate-plugins wrote it, and this one cannot read it.</p>"
        return
    yield f'<figure class="paper">{draw_diagram(plan)}</figure>'
    uris = [(name, getattr(plan.uris, name).value) for name in ("source", "destination")]
    uris.append(("migration", plan.uris.migration.value))
    rows = [(f"{name} URI", value) for name, value in uris if value is not None]
    rows += [("flags", ", ".join(plan.flags) or "none"), ("driver", plan.driver)]
    rows += [("option", text) for text in plan.request.options]
    rows += [(f"accepted: {id_}", reason) for id_, reason in record.accepted.items()]
    yield from _table((), rows)


def _diagnoses(record: Record) -> Iterator[str]:
    diagnoses: Sequence[dict[str, Any]] = (record.outcome or {}).get("diagnoses", ())
    for diagnosis in diagnoses:
        yield f"<p><strong>{escape(diagnosis['id'])}</strong>: {escape(diagnosis['cause'])}</p>"
        yield "<ul>"
        for remedy in remedies(diagnosis):
            yield f"<li>{escape(remedy)}</li>"
        yield "</ul>"


def _findings(record: Record) -> Iterator[str]:
    findings: Sequence[dict[str, Any]] = (record.outcome or {}).get("findings", ())
    rows = [
        (each["severity"], each["id"], each["text"] + _because(each["accepted"]))
        for each in findings
    ]
    if rows:
        yield "<h2>Findings before</h2>"
        yield from _table(("", "id", ""), rows)


def _because(accepted: str | None) -> str:
    return "" if accepted is None else f" (accepted: {accepted})"


def _plots(record: Record) -> Iterator[str]:
    drawn = [shown for shown in charts(record) if _long_enough(shown)]
    for shown in drawn:
        yield f'<figure class="plot">{_plot(shown)}</figure>'
    if not drawn:
        yield "<p>Too few figures were recorded for a plot.</p>"
    if not record.samples:
        return
    fields = record.samples[0].statistics._fields
    yield "<details><summary>Every figure that was recorded</summary>"
    rows = [
        (
            f"{each.elapsed:.1f} s",
            *("" if value is None else str(value) for value in each.statistics),
        )
        for each in record.samples
    ]
    yield from _table(("after", *(field.replace("_", " ") for field in fields)), rows)
    yield "</details>"


def _long_enough(shown: Iterable[Curve]) -> bool:
    return max(len(curve.points) for curve in shown) >= FEWEST


def _plot(shown: Sequence[Curve]) -> str:
    """Draw curves of one unit as an SVG element."""
    from leather import Chart

    title = " and ".join(curve.name for curve in shown)
    chart = Chart(f"{title[:1].upper()}{title[1:]}, {shown[0].unit}")
    for curve, (colour, dashes) in zip(shown, _STROKES, strict=False):
        chart.add_line(
            curve.points,
            name=curve.name if len(shown) > 1 else None,
            stroke_color=colour,
            stroke_dasharray=dashes,
            width=2.5,
        )
    points = [point for curve in shown for point in curve.points]
    # From nothing on: else a small change looks large.
    chart.add_x_scale(0, max(at for at, _ in points))
    chart.add_y_scale(0, max(value for _, value in points) or 1)
    chart.add_x_axis(name="seconds since it was asked for", tick_formatter=_tick)
    chart.add_y_axis(tick_formatter=_tick)
    drawing: str = chart.to_svg(width=900, height=320)
    # As wide as there is room for.
    return re.sub(
        r'<svg width="(\d+)" height="(\d+)"', r'<svg viewBox="0 0 \1 \2"', drawing, count=1
    )


def _tick(value: float, _index: int, _count: int) -> str:
    return f"{float(value):g}"
