"""``migrate-plugins enable``: let a plugin take part again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.cli.switching import configure, switch

if TYPE_CHECKING:
    import argparse

    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write it into config.toml."""
    return switch(arguments, output, off=False)
