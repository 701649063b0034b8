"""Pages that are written from the code; each module gives one."""

from __future__ import annotations
