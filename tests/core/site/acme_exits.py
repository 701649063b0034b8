"""Ends the process of whoever imports it."""

from __future__ import annotations

import sys

sys.exit("acme needs Python 4")
