"""The VBoxManage that teleports a machine, found among the processes of its host."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["find_senders", "interrupting", "read_senders"]

# Which of the user's processes have the word among their arguments, with all of these, and which
# VirtualBox they use: the settings by the rule that VirtualBox itself has for them.
_SCRIPT: Final = """\
export {chosen}_=
grep -l -z -x -F controlvm /proc/[0-9]*/cmdline 2>/dev/null | while IFS= read -r file; do
  of=${{file%/cmdline}}
  told=$(tr '\\000' '\\n' <"$of/environ" 2>/dev/null) || continue
  value() {{ printf '%s\\n' "$told" | sed -n "s/^$1=//p" | tail -n 1; }}
  [ "$(value VBOX_IPC_SOCKETID)" = "$VBOX_IPC_SOCKETID" ] || continue
  home=$(value VBOX_USER_HOME)
  if [ -z "$home" ]; then
    home=$(value HOME)/.VirtualBox
    if ! [ -d "$home" ]; then
      home=$(value XDG_CONFIG_HOME)
      home=${{home:-$(value HOME)/.config}}/VirtualBox
    fi
  fi
  [ "$(cd -- "$home" 2>/dev/null && pwd -P)" = {home} ] || continue
  echo "${{of#/proc/}}"
  tr '\\n\\000' ' \\n' <"$file"
  echo
done
exit 0
"""


def find_senders(session: VBoxSession, machine: Machine) -> tuple[int, ...]:
    """Give the processes of the host that teleport a machine.

    Raises:
        DriverError: They cannot be read.
    """
    chosen = "".join(
        f"{name}={shlex.quote(value)} " for name, value in session.place.environment.items()
    )
    script = _SCRIPT.format(chosen=chosen, home=shlex.quote(session.found.home))
    answer = session.manage.runner.run(script)
    if answer.status != 0:
        action = f"looking for who teleports {machine.name}"
        raise DriverError(action, problem=answer.error.strip() or f"status {answer.status}")
    return tuple(read_senders(answer.output, machine.name, machine.uuid))


def read_senders(text: str, name: str, uuid: str) -> Iterator[int]:
    """Read process ids, each followed by its arguments, a line each, and an empty line."""
    for block in text.split("\n\n"):
        number, *words = block.strip("\n").split("\n")
        for at, word in enumerate(words):
            if word == "controlvm" and words[at + 2 : at + 3] == ["teleport"]:
                if words[at + 1] == name or words[at + 1].strip("{}").lower() == uuid:
                    yield int(number)
                break


def interrupting(number: int) -> str:
    """Write the line for a shell that has a VBoxManage cancel what it does."""
    return f"kill -INT {number}"
