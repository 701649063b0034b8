"""Findings of the core itself: what a plan shows, what both hosts show, all in one report."""

from __future__ import annotations
