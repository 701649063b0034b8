"""What all tests share: the four drivers of this repository, and Hypothesis' settings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import settings

from migrate_plugins import EntryPoint, Migrator, Registry, Report, Severity
from migrate_plugins.checks import report as reports
from migrate_plugins.checks.kinds import all_kinds
from migrate_plugins.installed import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

# What each one's entry point names.
DRIVER_POINTS = {
    "qemu": "migrate_plugins_qemu.hooks",
    "vbox": "migrate_plugins_vbox.hooks",
    "vmware": "migrate_plugins_vmware.hooks:VMware",
    "xen": "migrate_plugins_xen.hooks",
}

# Derandomized: a red build is red again when it is repeated. MIGRATE_PLUGINS_EXAMPLES searches on.
settings.register_profile(
    "tests",
    max_examples=int(os.environ.get("MIGRATE_PLUGINS_EXAMPLES", "60")),
    derandomize="MIGRATE_PLUGINS_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
)
settings.load_profile("tests")


# Of real hosts, which are waited for: begun first, they leave small things for the end, so that the
# last core does not work on alone.
_LONG = frozenset({"integration", "lab"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _LONG.isdisjoint(item.path.parts))


# What the person who runs the tests has configured is no part of them.
os.environ["MIGRATE_PLUGINS_CONFIG"] = os.devnull
os.environ.pop("MIGRATE_PLUGINS_DISABLE", None)
os.environ.pop("MIGRATE_PLUGINS_JOURNAL", None)


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for each test; none is made before something is kept in it."""
    root = tmp_path_factory.mktemp("state")
    return map(root.joinpath, map(str, count()))


@pytest.fixture(autouse=True)
def state(states: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own for what is kept: no person's journal is written to."""
    folder = next(states)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


# A shell that starts us in the background has Ctrl-C ignored, and our children would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def migrator() -> Migrator:
    """The four drivers and nothing else, whatever else is installed here."""
    points = [
        EntryPoint(DRIVERS, name, module, f"migrate-plugins-{name}", "0.1.0", "tests")
        for name, module in DRIVER_POINTS.items()
    ]
    return Migrator((point, point.load()) for point in points)


@pytest.fixture(scope="session")
def plan_only() -> ModuleType:
    """Hooks of a Xen driver that only plans: without those that look at hosts."""
    hooks = vars(import_module(DRIVER_POINTS["xen"]))
    module = ModuleType("plan_only")
    looking = {"migrate_connect", "migrate_receiver"}
    vars(module).update({name: hooks[name] for name in hooks if name not in looking})
    return module


@pytest.fixture(scope="session")
def planner(plan_only: ModuleType) -> Migrator:
    """A Xen driver that only plans, and nothing else."""
    point = EntryPoint(DRIVERS, "xen", "xen", "migrate-plugins-xen", "0.1.0", "tests")
    return Migrator([(point, plan_only)])


@pytest.fixture(autouse=True)
def documented_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every finding of every check of every test is of a kind that is documented, or fails it."""
    severities = [*Severity]
    make = reports._report

    def checked(registry: Registry, *given: Any) -> Report:  # noqa: ANN401 - passed on
        report = make(registry, *given)
        known = {kind.id: kind.severity for kind in all_kinds(registry)}
        if not registry.finders_without_kinds():
            for finding in report.findings:
                assert finding.id in known, f"{finding.id} is documented nowhere"
                worst = severities.index(known[finding.id])
                assert worst <= severities.index(finding.severity), f"{finding.id} is graver"
        return report

    monkeypatch.setattr(reports, "_report", checked)


class UV(Protocol):
    """Run uv; a failure fails the test."""

    def __call__(self, *arguments: str | Path) -> None: ...


class Build(Protocol):
    """Build a project's wheel and give its path."""

    def __call__(self, project: Path) -> Path: ...


@pytest.fixture(scope="session")
def uv() -> UV:
    """uv, on what scripts/setup has brought already; only what is missing is fetched."""
    program = shutil.which("uv") or str(Path(__file__).parents[1] / ".cache/uv/bin/uv")
    assert Path(program).exists(), "uv is missing: ./scripts/setup brings it"

    def run(*arguments: str | Path) -> None:
        for how in (["--offline"], []):
            done = subprocess.run(
                [program, "--quiet", *how, *arguments],
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            if done.returncode == 0:
                return
        pytest.fail(f"uv {' '.join(map(str, arguments))}: {done.stderr}", pytrace=False)

    return run


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, uv: UV) -> Build:
    """Build a wheel."""

    def build(project: Path) -> Path:
        folder = tmp_path_factory.mktemp("wheel")
        uv("build", "--wheel", "--out-dir", folder, project)
        (wheel,) = folder.glob("*.whl")
        return wheel

    return build
