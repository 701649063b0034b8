"""A program that goes on on a host, whatever becomes of the client and of the way to it.

It belongs to the host and writes into a folder there, named by the client before anything is
started: where the way breaks in between, the folder tells whether it was started at all.
"""

from __future__ import annotations

import secrets
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins.shells import Answer, Shell

__all__ = ["Job"]

# `setsid -f` rather than `&`: what a shell puts into the background ignores SIGINT. The last
# word comes with a rename, so that nobody reads half of it.
_START: Final = """
umask 077
folder=$1
shift
mkdir "$folder" || exit 125
setsid -f sh -c '
sh -c "
echo \\"\\$\\$\\" >\\"\\$0/number\\"
exec \\"\\$@\\" >\\"\\$0/output\\" 2>\\"\\$0/error\\"
" "$0" "$@"
echo "$?" >"$0/last"
mv "$0/last" "$0/status"
[ -e "$0/abandoned" ] && rm -rf "$0"
' "$folder" "$@" </dev/null >/dev/null 2>&1 || { rm -rf "$folder"; exit 126; }
echo started
"""
# Whoever finds no folder makes it: a start that is still on its way can then do nothing.
_WAIT: Final = """
umask 077
mkdir "$1" 2>/dev/null && { echo absent; exit; }
left=$2
until [ -e "$1/status" ]; do
  [ "$left" -gt 0 ] || { echo running; exit; }
  left=$((left - 1))
  sleep 0.1
done
echo "ended $(cat "$1/status")"
cat "$1/output"
cat "$1/error" >&2
"""
_SIGNAL: Final = '[ -e "$1/status" ] || kill -INT "$(cat "$1/number")"'
_ABANDON: Final = '[ ! -d "$1" ] || : >"$1/abandoned"; [ ! -e "$1/status" ] || rm -rf "$1"'

# Seconds to wait in one call, and between two where the way to the host is broken.
_STEP: Final = 1.0
_REST: Final = 0.2
# Seconds for the way to the host and back.
_WAY: Final = 10.0

_ABSENT: Final = "it was not started, or the host has forgotten it"
_UNKNOWN: Final = "it has ended, and the host could not keep how"
_ABANDONED: Final = "nobody listens to it any more"


class Job:
    """A program that goes on on a host; may be used from several threads."""

    def __init__(self, shell: Shell, argv: Sequence[str]) -> None:
        """Start *argv*; what goes wrong is in the answer."""
        self._shell: Final = shell
        self._folder: Final = f"/tmp/migrate-plugins.{secrets.token_hex(16)}"  # noqa: S108 - made new
        self._answer: Answer | None = None
        started = self._run(_START, *argv)
        if started.status in {125, 126, 127}:
            self._answer = started._replace(status=None)
        # Any other failure is one of the way: whether it was started is seen when it is waited for.

    def wait(self, seconds: float) -> Answer | None:
        """Wait at most *seconds* for its end.

        Returns:
            What it said; without a status where it was not started, or is not known there any
            more; None while it runs, or while the host cannot be asked.
        """
        give_up = monotonic() + seconds
        while self._answer is None:
            left = max(give_up - monotonic(), 0)
            told = self._run(_WAIT, str(int(min(left, _STEP) * 10)), seconds=_STEP + _WAY)
            word, _, output = told.output.partition("\n")
            if word.startswith("ended "):
                status = word.removeprefix("ended ")
                # A host that has no room left keeps none.
                known = int(status) if status.isdecimal() else None
                error = told.error if known is not None else told.error or _UNKNOWN
                self._end(told._replace(status=known, output=output, error=error))
                self.abandon()
            elif word == "absent":
                self._end(told._replace(status=None, output=output, error=_ABSENT))
            elif monotonic() >= give_up:
                return None
            elif word != "running":
                sleep(min(_REST, left))
        return self._answer

    def interrupt(self) -> bool:
        """Send SIGINT to it, if it still runs; whether the host could be asked to."""
        return self._run(_SIGNAL).status == 0

    def abandon(self) -> None:
        """Listen no more: it goes on, and what it wrote goes with its end."""
        self._run(_ABANDON)
        if self._answer is None:
            from migrate_plugins.shells import Answer  # noqa: PLC0415 - which imports this module

            self._end(Answer(None, "", _ABANDONED))

    def _end(self, answer: Answer) -> None:
        self._answer = self._answer or answer

    def _run(self, script: str, *words: str, seconds: float = _WAY) -> Answer:
        return self._shell.run(["sh", "-c", script, "sh", self._folder, *words], seconds=seconds)
