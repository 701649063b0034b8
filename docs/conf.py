"""How Sphinx builds the site; see scripts/docs."""

from __future__ import annotations

from migrate_plugins import __version__

project = "migrate-plugins"
release = __version__
html_title = f"{project} {release}"

extensions = ["myst_parser"]
exclude_patterns = ["pages"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False
# The program's own words, such as --p2p, are no typography.
smartquotes = False

nitpicky = True
