"""Who switches a plugin off, and in whose words."""

from __future__ import annotations

import pytest

from migrate_plugins import Config, EntryPoint, Switches
from migrate_plugins.installed import DRIVERS, PLUGINS, SIMULATED

ACME = EntryPoint(PLUGINS, "watcher", "acme", "acme-site", "1", "here")
OURS = EntryPoint(DRIVERS, "qemu", "x", "migrate-plugins-qemu", "1", "here")
PRETENDER = EntryPoint(DRIVERS, "q", "x", "migrate-plugins-q", "1", "here")
MEMORY = EntryPoint(SIMULATED, "memory", "x", "migrate-plugins", "1", "here")
FILE = "disabled in /c.toml; `migrate-plugins enable {}` undoes it"
VARIABLE = "MIGRATE_PLUGINS_DISABLE names it"

# fmt: off
DISABLED = [
    # config's, variable,            --no-plugins, plugin,    who disabled it
    ((),           None,             False,        ACME,      None),
    (("watcher",), None,             False,        ACME,      FILE.format("watcher")),
    (("acme-site",), None,           False,        ACME,      FILE.format("acme-site")),
    (("watcher", "acme-site"), None, False,        ACME,      FILE.format("acme-site watcher")),
    (("watch",),   "watche,site",    False,        ACME,      None),
    ((),           "watcher",        False,        ACME,      VARIABLE),
    ((),           "a, acme-site ,", False,        ACME,      VARIABLE),
    ((),           "",               False,        ACME,      None),
    (("watcher",), "watcher",        True,         ACME,      "--no-plugins"),
    ((),           None,             True,         PRETENDER, "--no-plugins"),
    ((),           None,             True,         OURS,      None),
    ((),           "qemu",           True,         OURS,      VARIABLE),
    ((),           None,             True,         MEMORY,    None),
]

UNWANTED = [
    # --driver,  plugin,  why nobody asked for it
    (None,       MEMORY,  "it stands for no real hypervisor: --driver memory uses it"),
    ("qemu",     MEMORY,  "it stands for no real hypervisor: --driver memory uses it"),
    ("memory",   MEMORY,  None),
    ("memory",   OURS,    None),
    (None,       ACME,    None),
]
# fmt: on


@pytest.mark.parametrize(("named", "variable", "strangers_off", "point", "who"), DISABLED)
def test_who_disabled_a_plugin(
    named: tuple[str, ...],
    variable: str | None,
    strangers_off: bool,
    point: EntryPoint,
    who: str | None,
) -> None:
    environment = {} if variable is None else {"MIGRATE_PLUGINS_DISABLE": variable}
    config = Config("/c.toml", disabled=named)

    switches = Switches.read(config, environment, strangers_off=strangers_off)

    assert switches.disabled(point) == who


@pytest.mark.parametrize(("driver", "point", "why"), UNWANTED)
def test_simulated_driver_is_wanted_by_name_only(
    driver: str | None, point: EntryPoint, why: str | None
) -> None:
    assert Switches.read(Config(), {}, driver=driver).unwanted(point) == why
