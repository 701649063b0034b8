"""Switch plugins on and off in config.toml; imports none of them, whatever they would do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from migrate_plugins import (
    ExitCode,
    Switches,
    UsageError,
    config_path,
    disabled_in,
    entry_points,
    nearest,
    write_disabled,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from migrate_plugins.cli.output import Output

__all__ = ["configure", "switch"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="+",
        help="of a plugin, or of a distribution for all that it brings",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def switch(arguments: argparse.Namespace, output: Output, *, off: bool) -> int:
    """Switch the plugins that *arguments* names."""
    names = frozenset(arguments.names)
    path = config_path(os.environ)
    before = disabled_in(path)
    points = entry_points()
    _check(names, {name for point in points for name in (point.name, point.distribution)} | before)
    after = before | names if off else before - names
    if after != before:
        write_disabled(path, after)
    variable = Switches.read(None).variable
    switches = Switches(after, path, variable)
    concerned = [point for point in points if names & {point.name, point.distribution}]
    still = {point.name: switches.disabled(point) for point in concerned}
    if arguments.json:
        changes = {"path": path, "disabled": sorted(after), "changed": after != before}
        output.json("disable" if off else "enable", changes)
        return ExitCode.DONE
    done = "disabled" if off else "enabled"
    how = f"{done} in {path}" if after != before else f"nothing to change in {path}"
    output.text(f"{', '.join(sorted(names))}: {how}")
    if not off:
        for name, who in still.items():
            if who is not None:
                output.note(f"{name} stays disabled: {who}")
    return ExitCode.DONE


def _check(names: Iterable[str], known: set[str]) -> None:
    """Refuse names that nothing has, all at once."""
    faults = []
    for name in sorted(names):
        if name not in known:
            close = nearest(name, known)
            but = f", but {close}" if close else ""
            faults.append(f"nothing installed is called {name!r}{but}")
    if faults:
        raise UsageError(f"{'; '.join(faults)}; `migrate-plugins list --no-load` lists all")
