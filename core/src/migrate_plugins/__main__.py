"""``python -m migrate_plugins``."""

from __future__ import annotations

from migrate_plugins.cli import console

console()
