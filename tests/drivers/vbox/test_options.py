from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import PlanError, UsageError
from migrate_plugins_vbox.options import LIMIT, Wishes, read_password

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins import Migrator, Plan

# fmt: off
WISHES = [
    # given                                          read
    ((),                                             Wishes(LIMIT, None, None)),
    (("timeout=90",),                                Wishes(90, None, None)),
    (("max-downtime=250", "timeout=1"),              Wishes(1, 250, None)),
    (("password-file=/etc/a b",),                    Wishes(LIMIT, None, "/etc/a b")),
]

REFUSED = [
    # given                       what is wrong
    (("timeout=2678401",),        ["-o timeout=2678401 is too long"]),
    (("max-downtime=4294967296",), ["-o max-downtime=4294967296 is too long"]),
    (("timeout=soon",),           ["-o timeout=soon is none of its values"]),
    (("password-file=",),         ["-o password-file= is none of its values"]),
]

PASSWORDS = [
    # in the file                 the password
    (b"secret\n",                 "secret"),
    (b"secret",                   "secret"),
    (b" se cret \r\nother\n",     " se cret "),
    ("pässword\n".encode(),       "pässword"),
    (b"x" * 510,                  "x" * 510),
]

UNUSABLE = [
    # in the file                 what is wrong
    (b"",                         "has no password in its first line"),
    (b"\nsecret\n",               "has no password in its first line"),
    (b"x" * 511,                  "has more than 510 bytes in its first line"),
    (b"\xff\xfe\n",               "has what is no text in its first line"),
    (b"a\0b\n",                   "has what is no text in its first line"),
]
# fmt: on


def planned(migrator: Migrator, *options: str) -> Plan:
    return migrator.plan("web1", "vbox:///session", "vbox+ssh://desthost/session", options=options)


@pytest.mark.parametrize(("given", "read"), WISHES)
def test_wishes(migrator: Migrator, given: tuple[str, ...], read: Wishes) -> None:
    assert Wishes.of(planned(migrator, *given)) == read


@pytest.mark.parametrize(("given", "wrong"), REFUSED)
def test_refused(migrator: Migrator, given: tuple[str, ...], wrong: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        planned(migrator, *given)

    assert [reason.text for reason in caught.value.reasons] == wrong


@pytest.mark.parametrize(("text", "password"), PASSWORDS)
def test_password(tmp_path: Path, text: bytes, password: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(text)

    assert read_password(str(file)) == password


@pytest.mark.parametrize(("text", "wrong"), UNUSABLE)
def test_unusable_password_is_told_without_it(tmp_path: Path, text: bytes, wrong: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(text)

    with pytest.raises(UsageError) as caught:
        read_password(str(file))

    assert wrong in str(caught.value)
    assert "xxx" not in str(caught.value)


def test_password_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file or directory; name a file"):
        read_password(str(tmp_path / "none"))
