"""Write into the documents what they take from the code; the tests fail where they differ."""

from __future__ import annotations

from pathlib import Path

from migrate_plugins import Migrator, Revision
from migrate_plugins.cli.matrix import markdown

README = Path(__file__).parent.parent / "README.md"


def generated(readme: str) -> str:
    """Give *readme* with the support matrix as the installed drivers declare it."""
    drivers = Migrator.installed().registry.drivers
    for revision in Revision:
        head, begin, rest = readme.partition(f"<!-- matrix {revision} -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        readme = f"{head}{begin}{markdown(drivers, revision)}\n{end}{tail}"
    return readme


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
