"""Load one driver and plan with it in a process of its own; tell what that imports of others.

Called by the kit: a description of the driver on standard input, names of packages on standard
output.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from importlib.metadata import packages_distributions

__all__ = ["main"]

# What was imported before us: by the start of Python (editable installs, coverage) and to run this.
_BEFORE = frozenset(sys.modules)


def main() -> None:
    """Do it."""
    # After the look above.
    from migrate_plugins import Config, EntryPoint, MigrateError, Migrator, Registry  # noqa: PLC0415
    from migrate_plugins.testing.conformance.samples import Samples  # noqa: PLC0415

    told = json.load(sys.stdin)
    point = EntryPoint(*told["point"])
    config = Config(drivers={point.name: told["settings"]})
    registry = Registry([(point, point.load())], config, driver=point.name)
    registry.check_chosen(point.name)
    driver, migrator = registry.drivers[point.name], Migrator(registry)
    for request in Samples(driver, told["migration_uri"]).requests():
        with suppress(MigrateError):  # whether it can be planned is another check's question
            migrator.plan(**request._asdict())
    packages = {name.partition(".")[0] for name in frozenset(sys.modules) - _BEFORE}
    home = point.module.partition(":")[0].partition(".")[0]
    own = _packages_of(point.distribution) | {home, "migrate_plugins", "pluggy"}
    json.dump(sorted(packages - own - sys.stdlib_module_names), sys.stdout)


def _packages_of(distribution: str) -> set[str]:
    wanted = _normal(distribution)
    return {
        package
        for package, distributions in packages_distributions().items()
        if wanted in map(_normal, distributions)
    }


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    main()
