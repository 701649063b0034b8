"""A policy for migrate-plugins."""

from __future__ import annotations
