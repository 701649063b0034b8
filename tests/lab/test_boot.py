from __future__ import annotations

import subprocess
from pathlib import Path

import migrate_plugins_lab

BOOT = Path(migrate_plugins_lab.__file__).parent / "boot"


def test_the_committed_program_is_what_its_source_assembles_to(tmp_path: Path) -> None:
    target, binary = tmp_path / "tick.o", tmp_path / "tick.bin"
    subprocess.run(["as", "--32", "-o", target, BOOT / "tick.S"], check=True, timeout=20)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x100000", "-e", "start", "--oformat", "binary"]
    subprocess.run([*link, "-o", binary, target], check=True, timeout=20)

    assert binary.read_bytes() == (BOOT / "tick.bin").read_bytes()


def test_the_program_is_small_enough_for_one_page() -> None:
    assert (BOOT / "tick.bin").stat().st_size <= 4096
