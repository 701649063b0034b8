"""What a driver needs to open sessions, and nothing else does."""

from __future__ import annotations
