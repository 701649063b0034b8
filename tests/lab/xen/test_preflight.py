from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.xen.preflight import Machine, free, look, problems

if TYPE_CHECKING:
    from pathlib import Path

FINE = Machine(root=True, missing=(), tun=True, memory=8 << 30, disk=None)

# fmt: off
MACHINES = [
    # machine                                       what each problem says
    (FINE,                                          []),
    (replace(FINE, disk=4 << 30),                   []),
    (replace(FINE, root=False),                     ["run it with sudo"]),
    (replace(FINE, missing=("socat", "qemu-img")),
        ["not installed: socat, qemu-img; on Debian `apt-get install qemu-utils socat`"]),
    (replace(FINE, tun=False),                      ["`modprobe tun` makes it"]),
    (replace(FINE, memory=1 << 30),                 ["1024 MiB of memory are available"]),
    (replace(FINE, disk=1 << 30),                   ["1024 MiB are free for the hosts' image"]),
    (replace(FINE, root=False, tun=False),          ["sudo", "/dev/net/tun"]),
]
# fmt: on


@pytest.mark.parametrize(("machine", "expected"), MACHINES)
def test_everything_that_is_missing_is_said_with_its_remedy(
    machine: Machine, expected: list[str]
) -> None:
    found = problems(machine)

    assert len(found) == len(expected)
    assert all(part in problem for part, problem in zip(expected, found, strict=True))


def test_what_builds_an_image_is_needed_only_where_one_is_built(tmp_path: Path) -> None:
    assert look(image=None).disk is None
    assert look(image=tmp_path / "not/yet").disk == pytest.approx(free(tmp_path), rel=0.1)
