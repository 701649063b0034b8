"""migrate-plugins itself on one of the hosts, as somebody has it who works there."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vbox.site import HOME

if TYPE_CHECKING:
    from vbox.site import Host

FOLDER: Final = f"{HOME}/tool"

_OURS: Final = ("migrate-plugins", "migrate-plugins-vbox")
# What a command line without a picture needs of others; all of it does without compiled parts.
_PACKAGES: Final = (
    *("migrate_plugins", "migrate_plugins_vbox"),
    *("argcomplete", "pluggy", "sqlalchemy", "typing_extensions"),
)
_BINARY: Final = shutil.ignore_patterns("*.so", "__pycache__")


def install(host: Host) -> None:
    """Copy it to a host; what is compiled is left out, since the host has another Python."""
    folder = host.path(FOLDER)
    folder.mkdir()
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        file = Path(spec.origin)
        if file.name == "__init__.py":
            shutil.copytree(file.parent, folder / name, ignore=_BINARY)
        else:
            shutil.copy(file, folder)
    for name in _OURS:
        told = distribution(name)
        known = folder / f"{name.replace('-', '_')}-{told.version}.dist-info"
        known.mkdir()
        for file_name in ("METADATA", "entry_points.txt"):
            (known / file_name).write_text(told.read_text(file_name) or "")


def command(*words: str) -> str:
    """A shell's line that runs it on a host where it is installed."""
    return f"PYTHONPATH={FOLDER} python3 -W error -m migrate_plugins {shlex.join(words)}"
