"""``migrate-plugins new``: start a driver or a policy of one's own.

What is written is a project under ``migrate_plugins/templates``, which works as it lies there; its
name is exchanged, and that is all.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from migrate_plugins import ExitCode, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from migrate_plugins import Registry
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

# Each kind of plugin, and the name that its template has.
KINDS: Final = {"driver": "your-hypervisor", "policy": "your-policy"}

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("kind", metavar="KIND", choices=[*KINDS], help=" or ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="of the plugin, such as hyperv")
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", help="where to write (default: migrate-plugins-NAME)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write a project that works, and say how to go on."""
    kind, name = arguments.kind, arguments.name
    distribution = f"migrate-plugins-{name}"
    folder = Path(arguments.folder or distribution)
    arguments.invocation.forgive()
    registry = arguments.invocation.migrator.registry
    reasons = [*_against_name(registry, kind, name), *_against_folder(folder)]
    if reasons:
        raise UsageError("\n  ".join([f"no {kind} was written:", *reasons]))
    written = _filled(kind, name)
    _write(folder, written)
    if arguments.json:
        output.json(
            "new",
            {
                "kind": kind,
                "name": name,
                "distribution": distribution,
                "folder": str(folder),
                "files": list(written),
            },
        )
        return ExitCode.DONE
    output.text(f"{folder} is a {kind} of your own, {distribution}:")
    for file in written:
        output.text(f"  {file}")
    output.text("It passes the conformance kit as it is; go on with:")
    for command in (
        f"cd {quote(str(folder))}",
        "pip install --upgrade pip  # dependency groups came with pip 25.1",
        "pip install -e . --group test",
        "pytest",
    ):
        output.text(f"  {command}")
    return ExitCode.DONE


def _against_name(registry: Registry, kind: str, name: str) -> Iterator[str]:
    """Say what is wrong with a name, or who has it."""
    if _NAME.fullmatch(name) is None:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("0123456789-").rstrip("-")
        yield (
            f"the name {name!r} is not lower-case letters, digits and single hyphens between"
            f" them, starting with a letter; {words or 'hyperv'} would do"
        )
        return
    for point in (plugin.point for plugin in registry.plugins):
        if name == point.name or point.distribution == f"migrate-plugins-{name}":
            yield (
                f"the name {name!r} is that of an installed plugin, {point.name} of"
                f" {point.distribution} {point.version}; choose another, such as my-{name}"
            )
            return
    if kind == "driver" and registry.claims(name):
        yield (
            f"{name}:// belongs to the installed driver {registry.driver_for(name).info.name}, and"
            f" the new one would be shadowed; choose another name, such as my-{name}"
        )


def _against_folder(folder: Path) -> Iterator[str]:
    """Say why nothing can be written into a folder."""
    try:
        if folder.exists() and not folder.is_dir():
            yield f"{str(folder)!r} is a file; give a folder that is empty, or none yet"
        elif folder.exists() and any(folder.iterdir()):
            yield f"the folder {str(folder)!r} is not empty; give one that is, or none yet"
    except OSError as error:
        yield f"the folder {str(folder)!r} cannot be looked into: {error.strerror}"


def _filled(kind: str, name: str) -> dict[str, str]:
    """Give each file of a template by its path, both with the plugin's name in them."""
    theirs = KINDS[kind]
    names = {theirs: name, theirs.replace("-", "_"): name.replace("-", "_")}
    names[theirs.title().replace("-", "")] = name.title().replace("-", "")

    def filled(text: str) -> str:
        for old, new in names.items():
            text = text.replace(old, new)
        return text

    template = _files(files("migrate_plugins") / "templates" / kind)
    return {filled(path): filled(text) for path, text in template}


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_file():
            yield prefix + entry.name, entry.read_text(encoding="utf-8")
        elif entry.name != "__pycache__":  # an installer compiles whatever ends in .py
            yield from _files(entry, f"{prefix}{entry.name}/")


def _write(folder: Path, written: Mapping[str, str]) -> None:
    try:
        for file, text in written.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename!r}: {error.strerror}") from error
