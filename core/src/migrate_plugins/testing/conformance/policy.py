"""The checks of a policy: a plugin that wraps what drivers answer, or refuses plans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest

from migrate_plugins import (
    Config,
    EntryPoint,
    Migrator,
    NamedHost,
    Plan,
    PlanError,
    Plugin,
    Reason,
    Registry,
    Request,
    Revision,
    Setting,
    Status,
    __version__,
    entry_points,
)
from migrate_plugins.testing.conformance.answers import Answers
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.samples import IPV6, Samples
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.watch import Watch
from migrate_plugins.testing.memory import MemoryDriver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PolicyConformance"]

_GROUP: Final = "migrate_plugins.plugins"
_MEMORY: Final = EntryPoint(
    "migrate_plugins.simulated",
    "memory",
    "migrate_plugins.testing.memory.driver:MemoryDriver",
    "migrate-plugins",
    __version__,
    "",
)
_WRAPPED: Final = (
    "migrate_capabilities",
    "migrate_commands",
    "migrate_port_rule",
    "migrate_read_uri",
    "migrate_select_port",
    "migrate_uri",
)
_HOSTS: Final = {
    host.name: host
    for host in (
        NamedHost("srchost", "memory://srchost/", None, ("192.0.2.1", "10.0.0.1")),
        NamedHost("desthost", "memory://desthost/", None, ("192.0.2.7", "10.0.0.7", IPV6)),
    )
}
_UNKNOWN: Final = "no-such-setting"


class PolicyConformance(Answers):
    """What every policy has to keep.

    Subclass it in a test module, in a class whose name begins with ``Test``, and set ``name``.

    Attributes:
        settings: A table for it that is right, as config.toml would have it.
        bad_settings: Tables that are wrong, each in another way.
        named_hosts: The hosts that config.toml names; the plans go from ``srchost`` to
            ``desthost``.
    """

    kind = "policy"
    settings: ClassVar[Mapping[str, Any]] = {}
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    named_hosts: ClassVar[Mapping[str, NamedHost]] = _HOSTS

    @pytest.fixture
    def policy(self) -> tuple[EntryPoint, object]:
        """The policy as it is installed: its entry point, and what that names."""
        known = [point for point in entry_points() if point.group == _GROUP]
        for point in known:
            if point.name == self.name:
                return point, point.load()
        names = ", ".join(point.name for point in known) or "none"
        pytest.fail(
            f"no policy {self.name!r} is installed; there are: {names}; install its distribution,"
            " or correct the name",
            pytrace=False,
        )

    @pytest.fixture
    def migrator(self, policy: tuple[EntryPoint, object]) -> Migrator:
        """The policy, configured, around the driver of hosts in memory."""
        return self._with(policy, self.settings)

    @pytest.fixture
    def plain(self) -> Migrator:
        """The same driver without the policy."""
        return Migrator([(_MEMORY, MemoryDriver)])

    @pytest.fixture
    def requests(self, plain: Migrator) -> Sequence[Request]:
        """What to plan: each scenario with each option, and a destination by IPv6."""
        samples = Samples(plain.registry.drivers["memory"])
        there = samples.connection(IPV6)
        direct = samples.request("native-direct", Revision.ORIGINAL, destination=there)
        return [*samples.requests(), Request(**direct)]

    @pytest.fixture
    def plans(self, plain: Migrator, requests: Sequence[Request]) -> Sequence[Plan]:
        """Plans to judge."""
        return [plain.plan(**request._asdict()) for request in requests]

    @about(*_WRAPPED)
    def test_policy_is_active(self, plugin: Plugin) -> None:
        """A policy with a table that is right takes part, and answers or wraps some hook."""
        assert plugin.status is Status.ACTIVE, f"it is {plugin.status}: {plugin.reason}"
        assert plugin.hooks, "it implements no hook"

    @about(*_WRAPPED)
    def test_api_is_declared(self, policy: tuple[EntryPoint, object], plugin: Plugin) -> None:
        """A policy says for which edition of the contract it was written."""
        declared = getattr(policy[1], "MIGRATE_PLUGINS_API", None)
        assert type(declared) is int, (
            f"{plugin.point.name} has MIGRATE_PLUGINS_API = {declared!r}; give what its entry"
            f" point names the line MIGRATE_PLUGINS_API = {plugin.api}"
        )

    @about(*_WRAPPED)
    def test_policy_is_off_without_its_table(self, policy: tuple[EntryPoint, object]) -> None:
        """A policy that takes settings is off until config.toml has its table."""
        if not _settings(policy):
            pytest.skip(f"{self.name} takes no settings")
        plugin = self._find(self._with(policy, None))
        assert plugin.status is Status.OFF, f"it is {plugin.status}"

    @about(*_WRAPPED)
    def test_settings_are_told(self, policy: tuple[EntryPoint, object]) -> None:
        """Each setting has a name in small letters, and words for a help page."""
        settings = _settings(policy)
        if not settings:
            pytest.skip(f"{self.name} takes no settings")
        for setting in settings:
            assert [*misfits(setting, Setting)] == []
            assert setting.name == setting.name.lower().replace("_", "-"), setting.name
            assert setting.help.strip(), f"{setting.name}: it has no help"

    @about(*_WRAPPED)
    def test_wrong_settings_are_refused(self, policy: tuple[EntryPoint, object]) -> None:
        """A table that is wrong keeps a policy out, with a text that says what is wrong."""
        unknown = {**self.settings, _UNKNOWN: True}
        for table in (unknown, *self.bad_settings):
            plugin = self._find(self._with(policy, table))
            assert plugin.status is Status.BROKEN, f"with {table} it is {plugin.status}"
            assert "Error:" not in (plugin.reason or ""), f"{table}: {plugin.reason}"
        assert _UNKNOWN in (self._find(self._with(policy, unknown)).reason or "")

    @about(*_WRAPPED, "migrate_refuse")
    def test_plans_stay_plans(self, migrator: Migrator, requests: Sequence[Request]) -> None:
        """A plan under the policy is typed and goes through JSON, or is refused with reasons."""
        for request in requests:
            plan, reasons = _plan(migrator, request)
            assert [text for reason in reasons for text in misfits(reason, Reason)] == []
            if plan is None:
                assert all(reason.instead.strip() for reason in reasons), reasons
                continue
            assert [*misfits(plan, Plan)] == []
            assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
            first, last = plan.port.first, plan.port.last
            assert (first is None) == (last is None)
            assert first is None or last is None or 1 <= first <= last <= 65535, plan.port  # noqa: PLR2004 - TCP's own limit

    @about("migrate_port_rule", "migrate_select_port")
    def test_ports_stay_in_their_range(self, migrator: Migrator) -> None:
        """Under the policy too each port is of the range, is handed out once, and then none is."""
        driver = migrator.registry.drivers["memory"]
        for revision in Revision:
            rule = driver.port_rule(revision, "native-direct")
            taken: frozenset[int] = frozenset()
            while (port := driver.select_port(rule, "desthost", taken)) is not None:
                assert rule.first <= port <= rule.last
                assert port not in taken
                taken |= {port}
            assert driver.select_port(rule, "desthost", taken) is None

    @about(*_WRAPPED, "migrate_refuse")
    def test_refusals_name_the_policy(
        self, migrator: Migrator, requests: Sequence[Request]
    ) -> None:
        """Where the policy refuses a plan, the text says that it was this policy."""
        refused = 0
        for request in requests:
            for reason in _plan(migrator, request)[1]:
                refused += 1
                assert self.name in reason.text, reason
        if not refused:
            pytest.skip(f"{self.name} refuses no plan with these settings")

    @about(*_WRAPPED, "migrate_refuse")
    def test_planning_stays_pure(self, migrator: Migrator, requests: Sequence[Request]) -> None:
        """Under the policy too equal requests give equal plans, and nothing is opened for one."""
        before = [_plan(migrator, request) for request in requests]
        with Watch() as watch:
            after = [_plan(migrator, request) for request in requests]
        assert after == before
        assert watch.seen == [], "planning contacts nobody"

    @about(*_WRAPPED, "migrate_refuse")
    def test_policy_prints_nothing(
        self,
        policy: tuple[EntryPoint, object],
        requests: Sequence[Request],
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A policy leaves standard output and standard error to whoever asked for the plan."""
        migrator = self._with(policy, self.settings)
        for request in requests:
            _plan(migrator, request)
        assert capfd.readouterr() == ("", "")

    def _with(self, policy: tuple[EntryPoint, object], table: Mapping[str, Any] | None) -> Migrator:
        tables = {} if table is None else {self.name: table}
        config = Config(policies=tables, hosts=self.named_hosts)
        return Migrator(Registry([policy, (_MEMORY, MemoryDriver)], config))

    def _find(self, migrator: Migrator) -> Plugin:
        (plugin,) = [each for each in migrator.registry.plugins if each.point.name == self.name]
        return plugin


def _settings(policy: tuple[EntryPoint, object]) -> Sequence[Setting]:
    settings: Sequence[Setting] = getattr(policy[1], "SETTINGS", ())
    return settings


def _plan(migrator: Migrator, request: Request) -> tuple[Plan | None, Sequence[Reason]]:
    """Plan, or give every reason why not."""
    try:
        return migrator.plan(**request._asdict()), ()
    except PlanError as error:
        return None, error.reasons
