"""The same migration in the words of the hypervisor's own tool."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Final

from migrate_plugins import NativeCommand, Revision
from migrate_plugins.testing.conformance.cases import each_scenario
from migrate_plugins.testing.conformance.rules import Shows, about
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject

if TYPE_CHECKING:
    from migrate_plugins import Driver, Migrator
    from migrate_plugins.testing.conformance.samples import Samples

__all__ = ["Commands"]

_PLAIN: Final = "web1"
_ODD_NAMES: Final = ("a guest; reboot", "$(id)", "'\"`", "größe-1", "*")


class Commands(DriverSubject):
    """Checks of the native commands, scenario by scenario."""

    @each_scenario
    @about("migrate_commands", shows=Shows.PLANNED)
    def test_command_can_be_typed_or_says_why_not(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """A native command is a list of arguments, or the reason why the tool cannot say it."""
        self.offer(driver, revision, scenario)
        plan = migrator.plan(**samples.request(scenario, revision))
        assert plan.commands, "there is not even one that says why not"
        for command in plan.commands:
            assert [*misfits(command, NativeCommand)] == []
            assert command.tool.strip(), "a command names no tool"
            if command.argv is None:
                assert (command.not_expressible or "").strip(), f"{command.tool}: no reason"
            else:
                assert command.argv, f"{command.tool}: no arguments"
                assert command.argv[0], f"{command.tool}: nothing to run"
                assert command.not_expressible is None, f"{command.tool}: both at once"

    @each_scenario
    @about("migrate_commands", shows=Shows.PLANNED)
    def test_guest_name_is_one_argument(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """Whatever a guest is called, its name stays in its argument, or the tool cannot say it."""
        self.offer(driver, revision, scenario)
        plain = migrator.plan(**samples.request(scenario, revision, guest=_PLAIN))
        for name in _ODD_NAMES:
            odd = migrator.plan(**samples.request(scenario, revision, guest=name))
            assert len(odd.commands) == len(plain.commands)
            for said, other in zip(plain.commands, odd.commands, strict=True):
                if other.argv is None:
                    assert (other.not_expressible or "").strip(), f"{name!r}: no reason"
                elif said.argv is not None:
                    assert len(other.argv) == len(said.argv), f"for a guest named {name!r}"
                    # How the name itself is written is up to the tool.
                    kept = [_PLAIN not in word for word in said.argv]
                    assert [*compress(other.argv, kept)] == [*compress(said.argv, kept)]

    @each_scenario
    @about("migrate_commands", shows=Shows.PLANNED)
    def test_commands_are_pure(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """The same plan, the same commands."""
        self.offer(driver, revision, scenario)
        plan = migrator.plan(**samples.request(scenario, revision))
        assert driver.commands(plan)[0] == driver.commands(plan)[0] == plan.commands
