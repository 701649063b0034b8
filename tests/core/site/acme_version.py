"""Written for an edition of the contract that does not exist yet."""

from __future__ import annotations

MIGRATE_PLUGINS_API = 2
