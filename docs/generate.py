"""Write into the documents what they take from the code, or with ``--check`` tell what differs."""

from __future__ import annotations

import sys
from pathlib import Path

from pages import blocks, checks, cli, hooks, matrix, values

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGES = {
    "checks.md": checks,
    "cli.md": cli,
    "hooks.md": hooks,
    "matrix.md": matrix,
    "values.md": values,
}


def generated() -> dict[Path, str]:
    """Give each file that takes something from the code, as it has to be."""
    written = {DOCS / name: page.page() for name, page in PAGES.items()}
    by_hand = [
        ROOT / "README.md",
        *(path for path in sorted(DOCS.glob("*.md")) if path not in written),
    ]
    return {path: blocks.filled(path.read_text(encoding="utf-8")) for path in by_hand} | written


def main(*argv: str) -> int:
    """Write what differs, or with ``--check`` name it and fail."""
    stale = [
        (path, text)
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    check = "--check" in argv
    for path, text in stale:
        if not check:
            path.write_text(text, encoding="utf-8")
        name = path.relative_to(ROOT)
        sys.stderr.write(f"{name} {'differs from the code' if check else 'written'}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
