"""What both hosts show before a migration, and the report of every finding at once."""

from __future__ import annotations
