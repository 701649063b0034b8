"""Which installed plugins are switched off, and by whom: known without importing any of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.installed import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins.config import Config
    from migrate_plugins.installed import EntryPoint

__all__ = ["OURS", "VARIABLE", "Switches"]

VARIABLE: Final = "MIGRATE_PLUGINS_DISABLE"

# What comes with this project: it keeps its names and schemes against any stranger's, and is what
# --no-plugins leaves.
OURS: Final = frozenset(
    {"migrate-plugins"}
    | {f"migrate-plugins-{name}" for name in ("qemu", "xen", "vmware", "vbox", "lab")}
)


class Switches(NamedTuple):
    """What switches plugins off.

    Attributes:
        file: Names that config.toml disables.
        path: Where that file lies.
        variable: Names in MIGRATE_PLUGINS_DISABLE.
        strangers_off: Whether only what comes with this project is wanted (``--no-plugins``).
        driver: The driver that ``--driver`` names, or None.
    """

    file: frozenset[str] = frozenset()
    path: str = ""
    variable: frozenset[str] = frozenset()
    strangers_off: bool = False
    driver: str | None = None

    @classmethod
    def read(
        cls,
        config: Config | None,
        environment: Mapping[str, str] | None = None,
        *,
        strangers_off: bool = False,
        driver: str | None = None,
    ) -> Switches:
        """Gather them from everywhere."""
        named = (os.environ if environment is None else environment).get(VARIABLE, "")
        variable = frozenset(filter(None, map(str.strip, named.split(","))))
        disabled, path = ((), "") if config is None else (config.disabled, config.path)
        return cls(frozenset(disabled), path, variable, strangers_off, driver)

    def disabled(self, point: EntryPoint) -> str | None:
        """Say who disabled a plugin, or None: it goes by its name or by its distribution's."""
        names = {point.name, point.distribution, point.distribution.replace("-", "_")}
        listed = sorted(names & self.file)
        if self.strangers_off and point.distribution not in OURS:
            return "--no-plugins"
        if names & self.variable:
            return f"{VARIABLE} names it"
        if listed:
            undo = f"`migrate-plugins enable {' '.join(listed)}`"
            return f"disabled in {self.path}; {undo} undoes it"
        return None

    def unwanted(self, point: EntryPoint) -> str | None:
        """Say why nobody asked for a plugin, or None."""
        if point.group == SIMULATED and point.name != self.driver:
            return f"it stands for no real hypervisor: --driver {point.name} uses it"
        return None
