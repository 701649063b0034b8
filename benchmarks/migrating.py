"""(c) `migrate-plugins migrate` against `virsh migrate` of the same guest on the same lab.

Goal: a median of at most 1.05 times.  Each run moves the guest there and back.  What the journal
takes is the difference to ``--no-journal``.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pairs import interleaved, process, ratio

from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 10
# A guest of 2 GiB that writes over 256 MiB of it before each tick.
MEMORY, DIRTY = 2048, 256


def main() -> None:
    """Measure and print."""
    lab = Lab.up(f"benchmark-{os.getpid()}", owner=os.getpid())
    state = tempfile.TemporaryDirectory(prefix="migrate-plugins-benchmark-")
    try:
        guest = lab.guest("web1", memory=MEMORY, dirty=DIRTY)
        ours = str(Path(sys.executable).with_name("migrate-plugins"))
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["XDG_STATE_HOME"] = state.name  # these are no migrations of anybody's
        alpha, beta = (host.uri for host in lab.hosts)

        def there_and_back(command: Callable[[str, str], list[str]]) -> float:
            there = process(command(alpha, beta), environment)
            return there + process(command(beta, alpha), environment)

        def virsh(source: str, destination: str) -> list[str]:
            return ["virsh", "-c", source, "migrate", "--live", "web1", destination]

        def migrate_plugins(source: str, destination: str) -> list[str]:
            return [ours, "migrate", "--live", "web1", destination, "-c", source]

        def unrecorded(source: str, destination: str) -> list[str]:
            return [*migrate_plugins(source, destination), "--no-journal"]

        sides = {
            "virsh migrate": lambda: there_and_back(virsh),
            "migrate-plugins migrate": lambda: there_and_back(migrate_plugins),
            "… --no-journal": lambda: there_and_back(unrecorded),
        }
        times = interleaved(sides, RUNS)
        for name, measured in times.items():
            print(
                f"{name:24} median {statistics.median(measured):6.3f} s there and back"
                f"  {ratio(measured, times['virsh migrate']):5.3f} times"
            )
        life = guest.continuity()
        print(f"the guest counted {life.ticks} times, {len(life.breaks)} missing or repeated")
    finally:
        lab.down()
        state.cleanup()


if __name__ == "__main__":
    main()
