"""Credentials that libvirt asks for, shown on libvirt's own test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import AuthenticationError
from migrate_plugins_libvirt.session import LibvirtSession, connect

if TYPE_CHECKING:
    from pathlib import Path

NODE = """\
<node>
  <auth><user password="hunter2">admin</user></auth>
</node>
"""


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A host of libvirt's test driver that lets nobody in without a password."""
    monkeypatch.delenv("LIBVIRT_AUTH_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "node.xml"
    file.write_text(NODE)
    return f"test://{file}"


def test_whoever_sits_at_the_terminal_is_asked(locked: str) -> None:
    asked: list[tuple[str, bool]] = []

    def ask(question: str, *, secret: bool) -> str:
        asked.append((question, secret))
        return "hunter2" if secret else "admin"

    session = connect(locked, ask, LibvirtSession)
    session.close()

    assert [secret for _, secret in asked] == [False, True]
    assert all(locked in question for question, _ in asked)


@pytest.mark.parametrize("answer", ["wrong", None])
def test_wrong_answer_or_none_is_refused(locked: str, answer: str | None) -> None:
    def ask(question: str, *, secret: bool) -> str:
        if answer is None:
            raise EOFError(question)
        return answer if secret else "admin"

    with pytest.raises(AuthenticationError):
        connect(locked, ask, LibvirtSession)


def test_nobody_is_asked_where_nobody_can_be(locked: str) -> None:
    with pytest.raises(AuthenticationError, match=r"auth\.conf"):
        connect(locked, None, LibvirtSession)
