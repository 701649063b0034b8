"""The way back: migrations that another process began, and what they left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

from migrate_plugins import (
    Driver,
    DriverError,
    GuestFacts,
    GuestState,
    Mend,
    Mender,
    Migrator,
    Revision,
    Statistics,
    Verdict,
)
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.running import (
    Running,
    can,
    make_guest,
    planned,
    read,
    told,
)
from migrate_plugins.testing.conformance.shape import misfits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Migration
    from migrate_plugins.testing.conformance.pair import HostPair

__all__ = ["Mending"]

_VERBS: Final = ("adopt", "mend", "mend_command")
_OTHER: Final = "00000000-0000-4000-8000-000000000000"


class Mending(Running):
    """Checks of sessions that can take over and mend; others are skipped, and that is said."""

    @pytest.fixture
    def source(self, driver: Driver, pair: HostPair) -> Iterator[Mender]:
        """A session with the source that can mend."""
        yield from self._mender(driver, pair.source)

    @pytest.fixture
    def destination(self, driver: Driver, pair: HostPair) -> Iterator[Mender]:
        """A session with the destination that can mend."""
        yield from self._mender(driver, pair.destination)

    @about("migrate_connect")
    def test_way_back_is_offered_whole(self, driver: Driver, pair: HostPair) -> None:
        """A session that adopts or mends does both, and gives the commands."""
        session = driver.connect(pair.source)
        there = {verb: callable(getattr(session, verb, None)) for verb in _VERBS}
        session.close()
        if not any(there.values()):
            self._skip()
        missing = [verb for verb, found in there.items() if not found]
        assert missing == [], f"it offers a part of the way back, and not {', '.join(missing)}"

    @about("migrate_connect")
    def test_migration_under_way_is_adopted_and_cancelled(
        self, migrator: Migrator, driver: Driver, pair: HostPair, source: Mender
    ) -> None:
        """A migration that another session began is found, watched and cancelled; no other is."""
        revision, scenario = self._offered(driver)
        can(pair.slow(), "slow a transfer down")
        name = make_guest(pair)
        assert source.adopt(name) is None, f"{name} is at rest"
        assert source.adopt("no-such-guest") is None
        run = migrator.start(planned(migrator, driver, pair, scenario, revision, name))
        self._transferring(run)
        found: list[Migration] = []

        def adopted() -> bool:
            found.extend(filter(None, [source.adopt(name)]))
            return bool(found) or run.wait(0)

        self._wait_until(adopted)
        assert found, f"the migration of {name} is not found"
        assert found[0].wait(0.01) is False
        seen = found[0].statistics()
        assert seen is None or [*misfits(seen, Statistics)] == []

        def cancelled() -> bool:
            try:
                found[0].cancel()
            except DriverError:  # not yet, or not any more
                return found[0].wait(0.05)
            return found[0].wait(0.05)

        self._wait_until(cancelled)
        outcome = self._end(run)
        # The run was not asked to stop: for it the migration failed.
        assert outcome.verdict is Verdict.FAILED, told(outcome)
        assert source.adopt(name) is None, f"{name} is at rest again"
        pair.heal()
        self._stayed(driver, pair, name)

    @about("migrate_connect")
    def test_active_guest_is_defined_and_undefined(
        self, driver: Driver, pair: HostPair, source: Mender
    ) -> None:
        """The configuration of a guest that runs is stored, and removed; it runs on."""
        name = pair.guest(persistent=False)
        can(name, "make a transient guest that runs")
        for step, stored in ((Mend.DEFINE, True), (Mend.UNDEFINE, False)):
            before = read(driver, pair.source, str(name))
            assert before is not None
            source.mend(step, before)
            after = read(driver, pair.source, str(name))
            assert after is not None
            # That it is kept no longer than it runs may be what is left to be done.
            seen = after._replace(leftover=before.leftover)
            assert seen == before._replace(persistent=stored)

    @about("migrate_connect", "migrate_capabilities")
    def test_paused_guest_is_resumed(
        self, migrator: Migrator, driver: Driver, pair: HostPair, destination: Mender
    ) -> None:
        """A guest that a migration left paused runs after it has been resumed."""
        paused = self._paused(migrator, driver, pair)
        destination.mend(Mend.RESUME, paused)
        after = read(driver, pair.destination, paused.name)
        assert after is not None
        assert (after.uuid, after.state) == (paused.uuid, GuestState.RUNNING)

    @about("migrate_connect", "migrate_capabilities")
    def test_paused_copy_is_ended(
        self, migrator: Migrator, driver: Driver, pair: HostPair, destination: Mender
    ) -> None:
        """A paused copy is gone after it has been ended; a configuration of it stays."""
        paused = self._paused(migrator, driver, pair)
        if not paused.persistent:
            destination.mend(Mend.DEFINE, paused)
        destination.mend(Mend.DESTROY, paused)
        after = read(driver, pair.destination, paused.name)
        assert after is not None, "its configuration is gone as well"
        assert (after.uuid, after.state) == (paused.uuid, GuestState.SHUTOFF)

    @about("migrate_connect")
    def test_step_is_refused_where_the_guest_has_changed(
        self, driver: Driver, pair: HostPair, source: Mender
    ) -> None:
        """A step for a guest that was read otherwise is refused, and changes nothing."""
        name = make_guest(pair)
        now = read(driver, pair.source, name)
        assert now is not None
        changes: tuple[dict[str, Any], ...] = (
            {"state": GuestState.PAUSED},
            {"uuid": _OTHER},
            {"job": "migration out"},
        )
        for change in changes:
            with pytest.raises(DriverError):
                source.mend(Mend.DESTROY, now._replace(**change))
            assert read(driver, pair.source, name) == now, change

    @about("migrate_connect")
    def test_mend_command_is_a_line(self, driver: Driver, pair: HostPair, source: Mender) -> None:
        """Each step is one line for a shell, or cannot be typed."""
        guest = read(driver, pair.source, make_guest(pair))
        assert guest is not None
        for step in Mend:
            command = source.mend_command(step, guest)
            assert command is None or (command.strip() and len(command.splitlines()) == 1), step

    def _mender(self, driver: Driver, uri: str) -> Iterator[Mender]:
        session = driver.connect(uri)
        try:
            if isinstance(session, Mender):
                yield session
            else:
                self._skip()
        finally:
            session.close()

    def _skip(self) -> NoReturn:
        pytest.skip(f"{self.name} offers no way back: its sessions do not adopt and mend")

    def _offered(self, driver: Driver, *options: str) -> tuple[Revision, str]:
        """Give a scenario that offers *options*, in whichever revision."""
        for revision in Revision:
            for id_, offer in driver.capabilities(revision).offers.items():
                if {*options} <= offer.options:
                    return revision, id_
        pytest.skip(f"{self.name} offers no scenario with {', '.join(options) or 'anything'}")

    def _paused(self, migrator: Migrator, driver: Driver, pair: HostPair) -> GuestFacts:
        """Have a guest that a migration left paused on the destination."""
        revision, scenario = self._offered(driver, "suspend")
        name = make_guest(pair)
        wanted = planned(migrator, driver, pair, scenario, revision, name, suspend=True)
        outcome = self._run(migrator, wanted)
        assert outcome.verdict is Verdict.DONE, told(outcome)
        paused = read(driver, pair.destination, name)
        assert paused is not None
        return paused
