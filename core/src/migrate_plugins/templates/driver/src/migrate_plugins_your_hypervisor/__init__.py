"""A driver of migrate-plugins."""

from __future__ import annotations
