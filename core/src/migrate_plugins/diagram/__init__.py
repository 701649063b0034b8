"""A plan as a picture, in the manner of the document's five: who talks to whom, and how safely.

The result is plain ASCII without style sheets or references, so that any viewer shows it alike,
alone or inside a page.  Imports run one way, each name on those after it::

    boxes, arrows, captions     the parts of the picture
    elements                    how they are written: SVG
    lettering, style            how text fits, how all looks
    grid, words                 where everything stands, what is said
    legs, numbering             the paths of the plan, the numbers of its URIs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.diagram import grid, words
from migrate_plugins.diagram.arrows import draw_arrows
from migrate_plugins.diagram.boxes import draw_boxes
from migrate_plugins.diagram.captions import draw_header, draw_legend, draw_uris
from migrate_plugins.diagram.elements import escape, tag
from migrate_plugins.diagram.numbering import numbered_uris
from migrate_plugins.diagram.style import PAPER, SANS

if TYPE_CHECKING:
    from migrate_plugins.plan import Plan

__all__ = ["draw_diagram"]


def draw_diagram(plan: Plan) -> str:
    """Draw *plan* as a standalone SVG document; equal plans give equal text."""
    numbered = numbered_uris(plan)
    panel = grid.uri_panel(len(numbered))
    key = grid.legend(panel)
    height = key.bottom + 36
    return tag(
        "svg",
        tag("title", escape(words.title(plan)), id="migration-title"),
        tag("desc", escape(words.description(plan)), id="migration-description"),
        tag("rect", class_="paper", width=grid.WIDTH, height=height, fill=PAPER),
        draw_header(plan),
        *draw_boxes(plan),
        *draw_arrows(plan),
        draw_uris(panel, numbered),
        draw_legend(key),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby="migration-title migration-description",
        viewBox=f"0 0 {grid.WIDTH} {height}",
        width=grid.WIDTH,
        height=height,
        font_family=SANS,
    )
