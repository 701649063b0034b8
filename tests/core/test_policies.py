"""The two policies that come with migrate-plugins, on plans of real drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Config,
    EntryPoint,
    Finding,
    Migrator,
    NamedHost,
    Plan,
    PlanError,
    Reason,
    Registry,
    Request,
    Settings,
    Severity,
    Status,
)
from migrate_plugins.checks.report import _refused as findings
from migrate_plugins.installed import DRIVERS, PLUGINS
from migrate_plugins.policies.migration_network import MigrationNetwork
from migrate_plugins.policies.require_encryption import RequireEncryption
from migrate_plugins_qemu import hooks as qemu
from migrate_plugins_vbox import hooks as vbox
from migrate_plugins_vmware.hooks import VMware

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins import Plugin

HOSTS = {
    "beta": NamedHost(
        "beta",
        "qemu+ssh://beta.example/system",
        "qemu+tls://b/system",
        ("192.0.2.7", "10.77.0.2", "2001:db8::7"),
    ),
    "gamma": NamedHost("gamma", "qemu+unix:///system?socket=/g", None, ("10.77.0.3",)),
    "vbeta": NamedHost("vbeta", "vbox+ssh://vbeta/session", None, ("10.77.0.4",)),
    "delta": NamedHost("delta", "qemu+ssh://delta/system"),
}
NETWORK = {"networks": ["10.77.0.0/24"]}
TODAY = {"revision": "current"}


def _migrator(policies: Mapping[str, Mapping[str, Any]]) -> Migrator:
    config = Config("/c.toml", True, hosts=HOSTS, policies=policies)
    plugins: list[tuple[EntryPoint, object]] = [
        (EntryPoint(DRIVERS, name, "here", f"migrate-plugins-{name}", "1", "here"), plugin)
        for name, plugin in (("qemu", qemu), ("vbox", vbox), ("vmware", VMware))
    ]
    plugins += [
        (EntryPoint(PLUGINS, name, "here", "migrate-plugins", "1", "here"), kind)
        for name, kind in (
            ("migration-network", MigrationNetwork),
            ("require-encryption", RequireEncryption),
        )
    ]
    return Migrator(Registry(plugins, config))


def _plugin(migrator: Migrator, name: str) -> Plugin:
    return next(each for each in migrator.registry.plugins if each.point.name == name)


def _plan(migrator: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    return migrator.plan(**{"guest": "web1", "source": "qemu:///system", "live": True, **asked})


def _refused(migrator: Migrator, **asked: Any) -> tuple[Reason, ...]:  # noqa: ANN401 - as above
    with pytest.raises(PlanError) as caught:
        _plan(migrator, **asked)
    return caught.value.reasons


BETA = {"destination": "qemu+ssh://beta.example/system"}
VBOX = {"source": "vbox:///session", "destination": "vbox+ssh://vbeta/session"}
VMWARE = {"source": "vpx://vc/A", "destination": "vpx://10.77.0.9/B"}
TUNNELLED = {"p2p": True, "tunnelled": True}
EXCEPT = {"mode": "except", **NETWORK}

# fmt: off
ENCRYPTION = [
    # table                 asked                                              refused
    ({},                    {**BETA},                                          True),
    ({"mode": "always"},    {**BETA},                                          True),
    ({"mode": "never"},     {**BETA},                                          False),
    ({},                    {**BETA, **TODAY, "tls": True},                    False),
    ({},                    {**BETA, **TUNNELLED},                             False),
    ({},                    {"destination": "qemu+tcp://b/system", **TUNNELLED}, True),
    ({},                    {**BETA, "live": False, "offline": True, "persistent": True}, False),
    ({},                    {**BETA, **TODAY, "migration": "unix:///s"},       False),
    # plain text as well, although nobody knows its port
    ({},                    {"destination": "qemu+ext://b/system", **TUNNELLED}, True),
    # up to the guest's settings in the vCenter: may be plain text
    ({},                    {**VMWARE},                                        True),
    ({},                    {**VBOX},                                          True),
    (EXCEPT,                {**BETA},                                          True),
    # the destination puts its own name into the migration URI, whatever network that is on
    (EXCEPT,                {"destination": "qemu+ssh://10.77.0.2/system"},    True),
    (EXCEPT,                {"destination": "qemu+tcp://10.77.0.2/system", **TUNNELLED}, False),
    (EXCEPT,                {**BETA, "migration": "tcp://10.77.0.2"},          False),
    (EXCEPT,                {**BETA, "migration": "tcp://192.0.2.7"},          True),
    (EXCEPT,                {**BETA, "migration": "tcp://[2001:db8::1]"},      True),
    # its address is the vCenter's: where the memory arrives is not known
    (EXCEPT,                {**VMWARE},                                        True),
]

NETWORKS = [
    # asked                                               migration URI             receiver
    ({**BETA},                                            "tcp://10.77.0.2",        "10.77.0.2"),
    ({"destination": "qemu+tcp://BETA.example/system"},   "tcp://10.77.0.2",        "10.77.0.2"),
    ({"destination": "qemu+tcp://192.0.2.7/system"},      "tcp://10.77.0.2",        "10.77.0.2"),
    ({"destination": "qemu+unix:///system?socket=/g"},    "tcp://10.77.0.3",        "10.77.0.3"),
    ({**BETA, "p2p": True, **TODAY},                      "tcp://10.77.0.2",        "10.77.0.2"),
    ({**BETA, "migration": "tcp://10.77.0.9:1"},          "tcp://10.77.0.9:1",      "10.77.0.9"),
    # nobody has named it, but it lies there
    ({"destination": "qemu+ssh://10.77.0.8/system"},      "tcp://10.77.0.8",        "10.77.0.8"),
    ({"destination": "qemu+ssh://10.77.0.8/system", **TUNNELLED}, None,             "10.77.0.8"),
    ({**VBOX},                                            "vboxmigr://10.77.0.4/",  "10.77.0.4"),
]

MISSED = [
    # asked                                               what would work
    ({"destination": "qemu+ssh://delta/system"},
     ("give a migration URI with its address in 10.77.0.0/24, or its addresses in config.toml:"
      " [hosts.NAME] addresses = [...]")),
    ({**BETA, "migration": "tcp://192.0.2.7"},
     "give a migration URI with its address in 10.77.0.0/24"),
    ({**BETA, "p2p": True},
     "native-p2p takes no migration URI in revision original: use managed direct"),
    ({"destination": "qemu+ext://delta/system", **TUNNELLED},
     ("give a migration URI with its address in 10.77.0.0/24, or its addresses in config.toml:"
      " [hosts.NAME] addresses = [...]")),
    ({**BETA, **TUNNELLED},
     "tunnelled-p2p takes no migration URI in revision original: use managed direct"),
]

WRONG = [
    # policy               table                                   reason
    ("require-encryption", {"mode": "sometimes"},
     ("config.toml: policies.require-encryption.mode is 'sometimes'; give one of always, except,"
      " never")),
    ("require-encryption", {"mode": "except"},
     ("[policies.require-encryption] is wrong: networks belong to mode 'except', and it needs them;"
      " mode is 'except', networks are []")),
    ("require-encryption", NETWORK,
     ("[policies.require-encryption] is wrong: networks belong to mode 'except', and it needs them;"
      " mode is 'always', networks are ['10.77.0.0/24']")),
    ("migration-network",  {},
     ('[policies.migration-network] is wrong: networks is empty; give one, such as networks ='
      ' ["10.0.0.0/24"]')),
    ("migration-network",  {"networks": ["10.0.0.1/24", "x"]},
     ("[policies.migration-network] is wrong: networks are written as 192.0.2.0/24 or"
      " 2001:db8::/64: 10.0.0.1/24 has host bits set; 'x' does not appear to be an IPv4 or IPv6"
      " network")),
    ("migration-network",  {"network": "10.0.0.0/24", "strict": "no"},
     ("config.toml: policies.migration-network.network is no known key; it may mean networks; known"
      " here: networks, strict | policies.migration-network.strict is 'no'; give true or false")),
]
# fmt: on


@pytest.mark.parametrize("name", ["migration-network", "require-encryption"])
def test_policy_is_off_without_its_table(name: str) -> None:
    migrator = _migrator({})

    plugin = _plugin(migrator, name)
    assert (plugin.status, plugin.reason) == (Status.OFF, f"config.toml has no [policies.{name}]")
    assert _plan(migrator, **BETA).uris.migration.value is None


@pytest.mark.parametrize(("table", "asked", "refused"), ENCRYPTION)
def test_memory_that_could_be_read(
    table: dict[str, Any], asked: dict[str, Any], refused: bool
) -> None:
    migrator = _migrator({"require-encryption": table})

    if not refused:
        assert _plan(migrator, **asked).guest == "web1"
        return
    (reason,) = _refused(migrator, **asked)
    assert reason.id == "encryption-required"
    assert reason.text.startswith("policy require-encryption: the guest's memory ")
    assert reason.instead


def test_refusal_says_what_would_encrypt_it() -> None:
    (reason,) = _refused(_migrator({"require-encryption": {}}), **BETA)

    assert reason == Reason(
        "encryption-required",
        "policy require-encryption: the guest's memory is not encrypted (QEMU migration stream)",
        "--tls --revision current, or --p2p --tunnelled over tls or ssh, or a network of its own",
    )


@pytest.mark.parametrize(("asked", "uri", "receiver"), NETWORKS)
def test_memory_goes_over_the_network_kept_for_it(
    asked: dict[str, Any], uri: str | None, receiver: str
) -> None:
    plan = _plan(_migrator({"migration-network": NETWORK}), **asked)

    assert (plan.uris.migration.value, plan.receiver) == (uri, receiver)
    assert Plan.from_json(plan.to_json()) == plan


def test_plan_names_the_policy_that_changed_its_uri() -> None:
    plan = _plan(_migrator({"migration-network": NETWORK}), **BETA)

    assert plan.uris.migration.because == (
        "policy migration-network gives it for beta.example; without it: the destination makes one"
        " from its own host name and a free port of its range"
    )
    assert plan.commands[0].argv is not None
    assert plan.commands[0].argv[-1] == "tcp://10.77.0.2"


def test_first_network_of_the_list_is_taken_where_a_host_has_several() -> None:
    tables = {"migration-network": {"networks": ["2001:db8::/64", "10.77.0.0/24"]}}

    plan = _plan(_migrator(tables), **BETA)

    assert plan.uris.migration.value == "tcp://[2001:db8::7]"


@pytest.mark.parametrize(("asked", "instead"), MISSED)
def test_memory_that_would_go_elsewhere(asked: dict[str, Any], instead: str) -> None:
    (reason,) = _refused(_migrator({"migration-network": NETWORK}), **asked)

    assert reason.id == "migration-network-missed"
    assert reason.instead == instead


def test_memory_may_go_elsewhere_where_it_is_not_strict() -> None:
    migrator = _migrator({"migration-network": {**NETWORK, "strict": False}})

    plan = _plan(migrator, destination="qemu+ssh://delta/system")
    assert (plan.uris.migration.value, plan.receiver) == (None, None)
    assert _plan(migrator, **BETA).receiver == "10.77.0.2"


def test_receiver_that_no_uri_names_is_refused_and_never_guessed() -> None:
    (reason,) = _refused(_migrator({"migration-network": NETWORK}), **VMWARE)

    assert "would arrive at a host that no URI names" in reason.text


def test_both_policies_give_their_reasons_at_once() -> None:
    tables = {"migration-network": NETWORK, "require-encryption": {}}

    reasons = _refused(_migrator(tables), destination="qemu+ssh://delta/system")

    assert sorted(reason.id for reason in reasons) == [
        "encryption-required",
        "migration-network-missed",
    ]


@pytest.mark.parametrize(("name", "table", "told"), WRONG)
def test_table_that_is_wrong_is_told_and_no_plan_goes_past_it(
    name: str, table: dict[str, Any], told: str
) -> None:
    migrator = _migrator({name: table})

    plugin = _plugin(migrator, name)
    assert (plugin.status, plugin.reason) == (Status.BROKEN, told)
    (reason,) = _refused(migrator, **BETA)
    assert reason == Reason(
        "policy-broken",
        f"policy {name} is configured and broken: {told}",
        f"mend it, or take [policies.{name}] out of /c.toml",
        usage=True,
    )


def test_policy_that_is_configured_and_not_there_lets_no_plan_pass() -> None:
    (reason,) = _refused(_migrator({"require-encrytion": {}}), **BETA)

    assert reason == Reason(
        "policy-missing",
        "policy require-encrytion is configured, and no plugin of that name is installed",
        "mend it, or take [policies.require-encrytion] out of /c.toml; it may mean"
        " require-encryption",
        usage=True,
    )


def test_plan_from_elsewhere_is_held_to_the_policies_here() -> None:
    elsewhere = Plan.from_json(_plan(_migrator({}), **BETA).to_json())
    here = _migrator({"require-encryption": {}})

    assert [reason.id for reason in here.registry.refusals(elsewhere)] == ["encryption-required"]


def test_refusal_of_a_policy_is_a_finding_that_nobody_can_accept() -> None:
    (finding,) = findings([Reason("r", "no", "yes")])

    assert finding == Finding("r", Severity.ERROR, None, "no", remedy="yes", acceptable=False)


def test_name_that_two_hosts_go_by_stands_for_neither() -> None:
    hosts = {
        "a": NamedHost("a", "qemu+tcp://localhost:1/system", None, ("10.77.0.1",)),
        "b": NamedHost("b", "qemu+tcp://localhost:2/system", None, ("10.77.0.2",)),
    }
    policy = MigrationNetwork(Settings({**NETWORK, "strict": True}, hosts))

    def address(uri: str) -> str | None:
        return policy._address(Request("web1", destination=uri), "localhost")

    assert address("qemu+tcp://localhost:2/system") == "10.77.0.2"
    assert address("qemu+tcp://localhost:3/system") is None


def test_tunnel_whose_port_nobody_knows_is_a_network_all_the_same() -> None:
    plan = _plan(_migrator({}), destination="qemu+ext://b/system", **TUNNELLED)

    assert (plan.data.ports, plan.data.encrypted) == (None, False)
    assert plan.memory_in_the_open
    assert not _plan(_migrator({}), **BETA, **TUNNELLED).memory_in_the_open
    assert not _plan(_migrator({}), destination="qemu:///s", **TUNNELLED).memory_crosses_network
