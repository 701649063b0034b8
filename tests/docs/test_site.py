"""The site builds without a warning, and needs nothing from the network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

ROOT = Path(__file__).parents[2]

# What a page loads, by element and attribute; a link that somebody follows is no part of it.
LOADED = "//script/@src | //link[not(@rel='index' or @rel='search')]/@href | //img/@src"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"),
            *("--builder", "html", "--doctree-dir", folder / "doctrees"),
            *(ROOT / "docs", folder / "html"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "html"


def test_every_page_is_built(site: Path) -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}

    assert len(pages) > 10
    assert pages <= {path.stem for path in site.glob("*.html")}


def test_page_loads_only_what_lies_beside_it(site: Path) -> None:
    loaded = {
        (path.name, address.partition("?")[0])
        for path in site.glob("*.html")
        for address in html.parse(path).xpath(LOADED)
    }

    assert len(loaded) > 50
    missing = {(page, address) for page, address in loaded if not (site / address).is_file()}
    assert missing == set()


def test_style_loads_no_font_or_picture_from_elsewhere(site: Path) -> None:
    styles = [path.read_text() for path in (site / "_static").rglob("*.css")]

    assert len(styles) > 2
    addresses = re.findall(r"url\(\s*[\"']?([^)\"']+)|@import\s+[\"']([^\"']+)", "".join(styles))
    assert [found for found in addresses if "//" in "".join(found).split("data:")[0]] == []


def test_search_knows_hooks_and_options(site: Path) -> None:
    index = (site / "searchindex.js").read_text()  # words by their stems

    for word in ("migrate_select_port", "undefinesourc", "conform"):
        assert word in index
