"""A plan as a picture, in the manner of the document's five: who talks to whom, and how safely.

The result is plain ASCII without style sheets or references, so that any viewer shows it alike,
alone or inside a page.  Imports run one way: the parts of the picture (``boxes``, ``arrows``,
``captions``) stand on ``elements``, these on ``lettering``, ``style`` and ``grid``, and all on
``words``, which alone reads the plan's facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.diagram import grid, words
from migrate_plugins.diagram.arrows import arrows
from migrate_plugins.diagram.boxes import boxes
from migrate_plugins.diagram.captions import header, legend, uris
from migrate_plugins.diagram.elements import escape, tag
from migrate_plugins.diagram.style import PAPER, SANS

if TYPE_CHECKING:
    from migrate_plugins.plan import Plan

__all__ = ["diagram"]


def diagram(plan: Plan) -> str:
    """Draw *plan* as a standalone SVG document; equal plans give equal text."""
    captions = words.captions(plan)
    panel = grid.uri_panel(len(captions))
    key = grid.legend(panel)
    height = key.bottom + 36
    return tag(
        "svg",
        tag("title", escape(words.title(plan)), id="migration-title"),
        tag("desc", escape(words.description(plan)), id="migration-description"),
        tag("rect", class_="paper", width=grid.WIDTH, height=height, fill=PAPER),
        header(plan),
        *boxes(plan),
        *arrows(plan),
        uris(panel, captions),
        legend(key),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby="migration-title migration-description",
        viewBox=f"0 0 {grid.WIDTH} {height}",
        width=grid.WIDTH,
        height=height,
        font_family=SANS,
    )
