"""Many teleportations: nothing of one is left for the next, and two go on at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vbox.moves import move, plan
from vbox.site import until

from migrate_plugins import Verdict

if TYPE_CHECKING:
    from vbox.site import Site

    from migrate_plugins import Migrator

MANY = 10
PORTS = (49340, 49341)


def test_ten_go_one_after_another_and_leave_nothing(migrator: Migrator, site: Site) -> None:
    gone = []
    for _ in range(MANY):
        guest = site.guest()
        gone.append(guest.name)

        outcome = move(
            migrator, guest, site.alpha, site.beta, undefine_source=True, port_range=PORTS
        )

        assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
        # The lowest of the range each time: the one before did not keep it.
        assert outcome.plan.port.value == PORTS[0]
        assert guest.counts(site.beta)
        assert guest.life(site.alpha, site.beta).unbroken
        # The next has both hosts for itself.
        site.beta.manage("controlvm", guest.name, "poweroff")
        until(lambda: not site.beta.busy(), "its process is gone")

    assert not site.strangers()
    assert not site.alpha.busy()
    assert not site.alpha.machines()
    assert not site.alpha.manage("list", "hdds")
    assert [*site.beta.machines()] == gone


def test_two_go_at_once_through_two_ports(migrator: Migrator, site: Site) -> None:
    one, other = site.guest(writes=2), site.guest(writes=2)
    # Slow enough that the first still goes on when the second starts.
    site.bandwidth("8mbit")

    runs = [migrator.start(plan(migrator, one, site.alpha, site.beta, port_range=PORTS))]
    until(lambda: PORTS[0] in site.beta.listening(), "the first target listens")
    runs.append(migrator.start(plan(migrator, other, site.alpha, site.beta, port_range=PORTS)))
    until(lambda: PORTS[1] in site.beta.listening(), "the second target listens")
    assert one.state(site.alpha) == "teleporting"
    site.bandwidth(None)

    assert [run.outcome().verdict for run in runs] == [Verdict.DONE] * 2
    assert [run.outcome().plan.port.value for run in runs] == [*PORTS]
    for guest in (one, other):
        assert guest.counts(site.beta)
        assert guest.life(site.alpha, site.beta).unbroken
