"""``python -m migrate_plugins``."""

from __future__ import annotations

import sys

from migrate_plugins.cli import main

sys.exit(main())
