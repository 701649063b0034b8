"""Ports: within their range, and never one that somebody has."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from migrate_plugins import Access, ChosenBy, Driver, Migrator, Plugin, PortRule, Receiver, Revision
from migrate_plugins.testing.conformance.answers import FACTS
from migrate_plugins.testing.conformance.cases import each_revision
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.samples import HOSTS, Samples
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Ports"]

# Many small trials, the same ones each time.
_TRIALS: Final = 100
_SEED: Final = 1
# Of a long range the end is looked at: what is left of it.
_LONGEST: Final = 200
_HIGHEST: Final = 65535


class Ports(DriverSubject):
    """Checks of the port rule and of the choice."""

    @each_revision
    @about("migrate_port_rule")
    def test_port_rule_is_a_range(self, samples: Samples, revision: Revision) -> None:
        """A port rule is a range of TCP ports, with its source and who chooses within it."""
        for rule in samples.port_rules(revision):
            assert [*misfits(rule, PortRule)] == []
            assert 1 <= rule.first <= rule.last <= _HIGHEST, f"{rule.first}-{rule.last}"
            assert rule.because.strip(), "it does not say where the numbers come from"
            assert rule.per_migration >= 1, "a migration takes no port"
            assert rule.chosen_by is not ChosenBy.REQUEST, "a request's choice is no driver's rule"

    @about("migrate_receiver")
    def test_receiver_is_typed(
        self, driver: Driver, plugin: Plugin, migrator: Migrator, samples: Samples
    ) -> None:
        """Where memory will arrive is a host and a range of ports, whatever the hosts show."""
        if "migrate_receiver" not in plugin.hooks:
            pytest.skip(f"{self.name} does not implement migrate_receiver")
        for revision, scenario in samples.offered():
            plan = migrator.plan(**samples.request(scenario, revision))
            for facts in FACTS:
                found = driver.receiver(plan, facts, Access())
                assert found == driver.receiver(plan, facts, Access()), "two answers"
                if found is None:
                    continue
                assert [*misfits(found, Receiver)] == []
                assert (found.first is None) == (found.last is None), found
                ports = 0 < (found.first or 1) <= (found.last or _HIGHEST) <= _HIGHEST
                assert ports, f"{found.first}-{found.last} is no range"
                assert found.because.strip(), "it does not say what decides it"

    @each_revision
    @about("migrate_select_port")
    def test_port_is_never_one_that_is_taken(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A port lies in its range and is none of those that are taken, whichever those are."""
        random = Random(_SEED)  # noqa: S311 - trials, not secrets
        for own in samples.port_rules(revision):
            port = driver.select_port(own, "desthost", frozenset())
            assert port is not None, f"no port of {own.first}-{own.last}, and none is taken"
        for rule in _ranges(samples.port_rules(revision)):
            numbers = range(rule.first, rule.last + 1)
            for _ in range(_TRIALS):
                taken = frozenset(random.sample(numbers, random.randrange(len(numbers))))
                port = driver.select_port(rule, random.choice(HOSTS), taken)
                if port is None and rule.per_migration > 1:
                    continue  # what is free need not lie together
                assert port is not None, (
                    f"no port of {rule.first}-{rule.last}, with"
                    f" {len(numbers) - len(taken)} of them free"
                )
                assert port in numbers, f"{port} lies outside of {rule.first}-{rule.last}"
                assert port not in taken, f"{port} is taken"

    @each_revision
    @about("migrate_select_port")
    def test_ports_end(self, driver: Driver, samples: Samples, revision: Revision) -> None:
        """Each port of a range is handed out once, and then None, again and again."""
        own = [*samples.port_rules(revision)]
        single = [rule for rule in own if rule.per_migration == 1]
        if own and not single:
            pytest.skip(f"with {self.name} a migration takes {own[0].per_migration} ports")
        for rule in _ranges(single):
            numbers = range(rule.first, rule.last + 1)
            taken = frozenset(numbers[_LONGEST:])
            given: list[int] = []
            while (port := driver.select_port(rule, "desthost", taken)) is not None:
                assert port not in given, f"{port} was handed out twice"
                assert len(given) < len(numbers), f"{port} is one more than there are"
                given.append(port)
                taken |= {port}
            assert sorted(given) == [*numbers[:_LONGEST]], f"not each of {rule.first}-{rule.last}"
            assert driver.select_port(rule, "desthost", taken | {0, _HIGHEST}) is None

    @each_revision
    @about("migrate_select_port")
    def test_port_choice_is_pure(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """The same ports taken, the same port chosen."""
        for rule in _ranges(samples.port_rules(revision)):
            for taken in (frozenset[int](), frozenset({rule.first})):
                answers = {driver.select_port(rule, "desthost", taken) for _ in range(3)}
                assert len(answers) == 1, f"three answers to one question: {answers}"


def _ranges(rules: Iterable[PortRule]) -> Iterator[PortRule]:
    """Give the driver's own ranges, and such as a request may give instead."""
    for rule in rules:
        yield rule
        for first, last in ((1, 1), (49300, 49307), (_HIGHEST - 2, _HIGHEST)):
            yield rule._replace(first=first, last=last)
