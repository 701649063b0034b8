"""Needs what is not installed."""

from __future__ import annotations

import acme_client_library  # type: ignore[import-not-found]

__all__ = ["acme_client_library"]
