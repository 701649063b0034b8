"""Ask whoever sits at the terminal."""

from __future__ import annotations

import os
import sys
import termios
from contextlib import suppress
from getpass import getpass
from threading import Lock

__all__ = ["Prompt"]


class Prompt:
    """Puts one question at a time, and the same one once only; see :class:`migrate_plugins.Ask`."""

    def __init__(self) -> None:
        self._one = Lock()
        self._answers: dict[str, str] = {}
        # The terminal that is typed into without an echo, and how it was before.
        self._silenced: tuple[int, list[int | list[bytes | int]]] | None = None

    def __call__(self, question: str, *, secret: bool) -> str:
        """Ask *question*; raises EOFError where nobody answers."""
        with self._one:
            if question not in self._answers:
                self._answers[question] = self._ask(question, secret=secret)
            return self._answers[question]

    def close(self) -> None:
        """Give the terminal its echo back, if somebody left in the middle of an answer."""
        if self._silenced is not None:
            terminal, before = self._silenced
            with suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

    def _ask(self, question: str, *, secret: bool) -> str:
        if not secret:
            sys.stderr.write(f"{question}: ")
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                raise EOFError(question)
            return line.rstrip("\n")
        try:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise EOFError(question) from error
        try:
            self._silenced = terminal, termios.tcgetattr(terminal)
            return getpass(f"{question}: ")
        finally:
            self._silenced = None
            os.close(terminal)
