"""Write into the documents what they take from the code; the tests fail where they differ."""

from __future__ import annotations

import re
from pathlib import Path

from migrate_plugins import Migrator, Revision
from migrate_plugins.cli.matrix import markdown

README = Path(__file__).parent.parent / "README.md"


def generated(readme: str) -> str:
    """Give *readme* with the support matrix as the installed drivers declare it."""
    drivers = Migrator.installed().registry.drivers
    for revision in Revision:
        table = markdown(drivers, revision)
        readme = re.sub(
            rf"(<!-- matrix {revision} -->\n).*?(<!-- end -->)",
            lambda match, table=table: f"{match[1]}{table}\n{match[2]}",
            readme,
            count=1,
            flags=re.DOTALL,
        )
    return readme


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
