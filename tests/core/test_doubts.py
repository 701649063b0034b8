"""How the client opens a destination that no URI of the plan names."""

from __future__ import annotations

import pytest

from migrate_plugins import Migrator, NamedHost, Plan
from migrate_plugins.doubts import Doubt
from migrate_plugins.installed import EntryPoint
from migrate_plugins.testing import MemoryDriver, MemoryHosts

POINT = EntryPoint("migrate_plugins.drivers", "memory", "memory", "memory", "1", "tests")
BETA = "memory://beta/"

# fmt: off
NAMED = [
    # third URI                hosts of config.toml                                     opened
    ("memmigr://beta/",        [NamedHost("beta", "memory://b.example/")],              0),
    ("memmigr://BETA/",        [NamedHost("alpha", "memory://a/"), NamedHost("b", BETA)], 1),
    ("memmigr://10.0.0.2/",    [NamedHost("b", BETA, addresses=("10.0.0.2",))],         0),
    ("memmigr://b.internal/",  [NamedHost("b", BETA, peer_uri="memory://b.internal/")], 0),
    ("memmigr://gamma/",       [NamedHost("beta", BETA)],                               None),
    ("memmigr://beta/",        [NamedHost("beta", "other://beta/")],                    None),
    ("memmigr://10.0.0.2/",    [NamedHost(each, f"memory://{each}/", addresses=("10.0.0.2",))
                                for each in ("beta", "gamma")],                         None),
    ("memmigr://beta/",        [],                                                      None),
]
# fmt: on


def _plan(migration: str) -> Plan:
    migrator = Migrator([(POINT, MemoryDriver(hosts=MemoryHosts()))])
    return migrator.plan("web1", source="memory://alpha/", migration=migration, direct=True)


@pytest.mark.parametrize(("migration", "named", "opened"), NAMED)
def test_one_host_that_goes_by_the_name_of_the_receiver_is_opened(
    migration: str, named: list[NamedHost], opened: int | None
) -> None:
    plan = Doubt.of(_plan(migration), None, None, named).plan

    uri = plan.uris.destination_from_client.value
    assert uri == (None if opened is None else named[opened].uri)


def test_what_is_said_goes_before_what_config_toml_names() -> None:
    plan = _plan("memmigr://beta/")

    said = Doubt.of(plan, None, "memory://b/", [NamedHost("beta", BETA)]).plan

    assert said.uris.destination_from_client.value == "memory://b/"
