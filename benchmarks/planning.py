"""(b) plans per second in one process; (d) URIs read, written and ports chosen per second.

Goal of (b): 20,000 or more.  No two plans are alike, so that no cache can answer.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pairs import seconds

from migrate_plugins import (
    ChosenBy,
    ConnectionURI,
    HeldPort,
    MigrationURI,
    Migrator,
    PortLedger,
    PortRule,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
PLANS = 5_000
URIS = 50_000
PORTS = 1_000
CROWD = 64


def best(count: int, work: Callable[[], object]) -> float:
    """Give operations per second of the best round: what the machine's other work leaves."""
    return count / min(seconds(work) for _ in range(ROUNDS))


def main() -> None:
    """Measure and print."""
    migrator = Migrator.installed()

    def plans() -> None:
        for number in range(PLANS):
            migrator.plan(
                f"web{number}",
                source="qemu:///system",
                destination=f"qemu+ssh://host{number}/system",
                live=True,
            )

    def connection_uris() -> None:
        for number in range(URIS):
            ConnectionURI.parse(f"qemu+ssh://root@host{number}:22/system?no_verify=1")

    def migration_uris() -> None:
        for number in range(URIS):
            str(MigrationURI.parse(f"tcp://host{number}:49152"))

    print(f"{best(PLANS, plans):10,.0f} plans a second")
    print(f"{best(URIS, connection_uris):10,.0f} connection URIs read a second")
    print(f"{best(URIS, migration_uris):10,.0f} migration URIs read and written a second")
    with tempfile.TemporaryDirectory() as folder:
        ports(PortLedger(Path(folder)))


def ports(ledger: PortLedger) -> None:
    """Measure one port at a time, and many at once."""
    rule = PortRule(49152, 49152 + PORTS - 1, ChosenBy.US, "benchmark")

    def choose() -> HeldPort:
        return ledger.choose(rule, "desthost", lambda rule, _host, taken: rule.lowest_free(taken))

    def one_by_one() -> None:
        for _ in range(PORTS):
            choose().release()

    def crowded() -> None:
        with ExitStack() as held:
            for _ in range(CROWD):
                held.enter_context(choose())

    print(f"{best(PORTS, one_by_one):10,.0f} ports chosen, held and released a second")
    print(f"{best(CROWD, crowded):10,.0f} ports a second while up to {CROWD} are held")


if __name__ == "__main__":
    main()
