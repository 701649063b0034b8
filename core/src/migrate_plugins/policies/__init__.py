"""Policies that sites want, off until config.toml has their table; plugins like a stranger's."""

from __future__ import annotations
