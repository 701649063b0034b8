"""Which plugins are installed: entry points, read without importing anything of theirs.

``importlib.metadata`` answers the same question, and the tests hold this module against it; it
takes longer to import and to answer than all the rest of ``migrate-plugins list`` together.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DRIVERS", "PLUGINS", "SIMULATED", "EntryPoint", "entry_points"]

DRIVERS: Final = "migrate_plugins.drivers"
PLUGINS: Final = "migrate_plugins.plugins"
# Drivers that stand for no real hypervisor: loaded when they are asked for by name.
SIMULATED: Final = "migrate_plugins.simulated"

_FILE: Final = "entry_points.txt"


class EntryPoint(NamedTuple):
    """A plugin as its distribution announces it.

    Attributes:
        group: One of the three entry-point groups.
        name: Of the entry point; for a driver its own name.
        module: What to import.
        distribution: Name of the distribution, normalised as in its folder's name.
        version: Of the distribution.
        origin: Folder where the distribution's metadata lies.
    """

    group: str
    name: str
    module: str
    distribution: str
    version: str
    origin: str

    @property
    def is_driver(self) -> bool:
        """Whether it announces itself as a driver, real or simulated."""
        return self.group != PLUGINS

    def load(self) -> Any:  # noqa: ANN401 - a module, an object or a class
        """Import what it names, as plainly as can be: whatever that raises is the caller's."""
        module, _, attribute = self.module.partition(":")
        loaded: Any = import_module(module)
        for name in filter(None, attribute.split(".")):
            loaded = getattr(loaded, name)
        return loaded


def entry_points(path: Iterable[str] | None = None) -> list[EntryPoint]:
    """List the plugins on *path* (by default the interpreter's), sorted by group and name.

    As everywhere in Python the first folder of the path wins for a distribution of one name.
    """
    found = []
    seen = set()
    for folder in sys.path if path is None else path:
        for entry in _metadata_folders(folder or "."):
            name, _, version = entry.name.rpartition(".")[0].partition("-")
            key = name.lower().replace("-", "_").replace(".", "_")
            if key in seen:
                continue
            seen.add(key)
            try:
                with open(os.path.join(entry.path, _FILE), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - pathlib doubles the start-up time
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue
            if "migrate_plugins" in text:
                distribution = name.replace("_", "-")
                version = version.partition("-")[0]
                found += [
                    EntryPoint(group, point, module, distribution, version, entry.path)
                    for group, point, module in _read(text)
                ]
    return sorted(found)


def _metadata_folders(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from (
                entry for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))
            )
    except OSError:
        return


def _read(text: str) -> Iterator[tuple[str, str, str]]:
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif group in {DRIVERS, PLUGINS, SIMULATED} and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield group, name.strip(), value.partition("[")[0].strip()
