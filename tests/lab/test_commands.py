from __future__ import annotations

import pytest

from migrate_plugins_lab.commands import run, search_path
from migrate_plugins_lab.errors import CommandError

# fmt: off
FAILURES = [
    # argv                     status  message
    (["sh", "-c", "exit 3"],   3,      "`sh -c 'exit 3'` failed with status 3: no message"),
    (["ls", "/no/such"],       2,      "`ls /no/such` failed with status 2: ls: cannot access"),
    (["no-such-program"],      127,    "`no-such-program` failed with status 127: no program"),
    (["sleep", "20"],          None,   "`sleep 20` took too long and was stopped: 0.2 s"),
]
# fmt: on


def test_a_program_is_given_its_input_and_gives_its_output() -> None:
    assert run(["cat"], stdin="hello") == "hello"


@pytest.mark.parametrize(("argv", "status", "message"), FAILURES)
def test_a_failure_says_what_was_run_and_why_it_failed(
    argv: list[str], status: int | None, message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run(argv, seconds=0.2)

    assert caught.value.status == status
    assert str(caught.value).startswith(message)


def test_system_folders_are_searched_even_when_the_users_path_lacks_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")

    assert search_path() == "/usr/bin:/usr/local/sbin:/usr/sbin:/sbin"
