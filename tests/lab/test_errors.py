from __future__ import annotations

import inspect

from migrate_plugins.errors import ExitCode, MigrateError
from migrate_plugins_lab import errors

# fmt: off
EXIT_CODES = {
    "ArgumentError":    ExitCode.USAGE,
    "BusyError":        ExitCode.FAILED,
    "CommandError":     ExitCode.FAILED,
    "DaemonError":      ExitCode.FAILED,
    "DownError":        ExitCode.FAILED,
    "LabError":         ExitCode.FAILED,
    "LaunchError":      ExitCode.FAILED,
    "PreflightError":   ExitCode.BLOCKED,
    "ShapeError":       ExitCode.FAILED,
    "SilentGuestError": ExitCode.FAILED,
}
# fmt: on


def test_every_error_is_one_of_the_lab_with_its_exit_code() -> None:
    found = {
        name: value.exit_code
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, errors.LabError)
    }

    assert found == EXIT_CODES
    assert sorted(found) == errors.__all__
    assert issubclass(errors.LabError, MigrateError)
