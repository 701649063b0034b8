"""What all tests share: the four drivers of this repository, and Hypothesis' settings."""

from __future__ import annotations

import os
import signal
from importlib import import_module

import pytest
from hypothesis import settings

from migrate_plugins import EntryPoint, Migrator
from migrate_plugins.installed import DRIVERS

NAMES = ("qemu", "vbox", "vmware", "xen")

# Derandomized: a red build is red again when it is repeated. MIGRATE_PLUGINS_EXAMPLES searches on.
settings.register_profile(
    "tests",
    max_examples=int(os.environ.get("MIGRATE_PLUGINS_EXAMPLES", "60")),
    derandomize="MIGRATE_PLUGINS_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
)
settings.load_profile("tests")


# What the person who runs the tests has configured is no part of them.
os.environ["MIGRATE_PLUGINS_CONFIG"] = os.devnull
os.environ.pop("MIGRATE_PLUGINS_DISABLE", None)

# A shell that starts us in the background has Ctrl-C ignored, and our children would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def migrator() -> Migrator:
    """The four drivers and nothing else, whatever else is installed here."""
    return Migrator(
        (
            EntryPoint(DRIVERS, name, module, f"migrate-plugins-{name}", "0.1.0", "tests"),
            import_module(module),
        )
        for name, module in ((name, f"migrate_plugins_{name}.hooks") for name in NAMES)
    )
