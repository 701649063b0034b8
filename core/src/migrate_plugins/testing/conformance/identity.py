"""Who a driver is, and what it takes to load it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import ClassVar, Final

from migrate_plugins import ConnectionURI, Driver, Plugin, Status
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.subject import DriverSubject

__all__ = ["Identity"]

_MUST: Final = (
    "migrate_capabilities",
    "migrate_commands",
    "migrate_driver",
    "migrate_port_rule",
    "migrate_read_uri",
    "migrate_select_port",
    "migrate_uri",
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9.-]*")
_SECONDS: Final = 60


class Identity(DriverSubject):
    """Checks of what everything else stands on.

    Attributes:
        imports: Packages of others that planning may import; none is the rule.
    """

    imports: ClassVar[frozenset[str]] = frozenset()

    @about("migrate_driver")
    def test_plugin_is_active(self, plugin: Plugin) -> None:
        """A plugin takes part, and prints nothing when it is loaded."""
        told = f"it is {plugin.status}: {plugin.reason}"
        assert plugin.status.takes_part, told
        assert plugin.status is not Status.NOISY, told

    @about("migrate_driver")
    def test_api_is_declared(self, driver: Driver, plugin: Plugin) -> None:
        """A plugin says for which edition of the contract it was written."""
        declared = getattr(plugin.point.load(), "MIGRATE_PLUGINS_API", None)
        assert type(declared) is int, (
            f"{driver.info.name} has MIGRATE_PLUGINS_API = {declared!r}; give the module or class"
            f" that the entry point names the line MIGRATE_PLUGINS_API = {plugin.api}"
        )

    @about(*_MUST)
    def test_planning_hooks_are_all_there(self, plugin: Plugin) -> None:
        """A driver implements every hook that planning needs."""
        missing = sorted({*_MUST} - {*plugin.hooks})
        assert missing == [], f"it does not implement {', '.join(missing)}"

    @about("migrate_driver")
    def test_names_agree(self, driver: Driver) -> None:
        """A driver is named like its entry point, and claims schemes in lower case."""
        info = driver.info
        assert info.name == self.name
        assert info.title.strip(), "it has no title"
        for which in ("connection_schemes", "migration_schemes"):
            schemes = getattr(info, which)
            assert schemes, f"it has no {which}"
            wrong = [scheme for scheme in schemes if not _SCHEME.fullmatch(scheme)]
            assert wrong == [], f"{which}: {wrong} are no schemes in lower case"

    @about("migrate_driver")
    def test_example_can_be_opened_by_its_own_words(self, driver: Driver) -> None:
        """The example of a connection URI names a host, by a scheme and a transport it has."""
        uri = ConnectionURI.parse(driver.info.example)
        assert str(uri) == driver.info.example
        assert uri.host, f"{driver.info.example} names no host"
        assert uri.driver in driver.info.connection_schemes
        assert (uri.transport or "") in driver.info.control

    @about("migrate_driver")
    def test_control_protocols_have_ports(self, driver: Driver) -> None:
        """Each connection transport has a name, and a TCP port or none."""
        assert driver.info.control, "it knows no connection transport"
        for transport, protocol in driver.info.control.items():
            assert protocol.name.strip(), f"transport {transport!r} has no name"
            assert protocol.port is None or 1 <= protocol.port <= 65535, transport  # noqa: PLR2004 - TCP's own limit

    @about(*_MUST)
    def test_planning_needs_no_client_library(self, driver: Driver, plugin: Plugin) -> None:
        """Loading and planning import the standard library, the core and the driver alone."""
        command = [sys.executable, "-m", "migrate_plugins.testing.conformance.alone"]
        told = {
            "point": plugin.point,
            "migration_uri": self.migration_uri,
            "settings": {**self.settings},
        }
        done = subprocess.run(
            command,
            input=json.dumps(told),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        foreign = {*json.loads(done.stdout)} - self.imports
        assert not foreign, (
            f"planning imports {', '.join(sorted(foreign))}; import a client library in the"
            f" function that opens a session of {driver.info.name}, or name what is light in"
            " `imports`"
        )
