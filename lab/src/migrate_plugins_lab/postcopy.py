"""Whether a lab's QEMU can do post-copy, asked of QEMU itself.

Post-copy needs the kernel's userfaultfd, which many systems keep from ordinary users.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import daemon
from migrate_plugins_lab.errors import CommandError

if TYPE_CHECKING:
    from migrate_plugins_lab.host import Host

# QEMU tries the kernel out only when it is waiting for an incoming migration.
_QEMU: Final = (
    *("qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-S"),
    *("-incoming", "defer", "-qmp", "stdio"),
)
_CAPABILITY: Final = {"capability": "postcopy-ram", "state": True}
_QUESTIONS: Final = (
    {"execute": "qmp_capabilities"},
    {
        "execute": "migrate-set-capabilities",
        "arguments": {"capabilities": [_CAPABILITY]},
        "id": "postcopy",
    },
    {"execute": "quit"},
)


@dataclass(frozen=True)
class Postcopy:
    """Whether post-copy works in a lab, and if not why."""

    supported: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.supported


def ask(host: Host) -> Postcopy:
    """Ask the QEMU of a host."""
    questions = "".join(f"{json.dumps(question)}\n" for question in _QUESTIONS)
    try:
        return read(host.run(daemon.as_user(host, _QEMU), stdin=questions))
    except CommandError as error:
        return Postcopy(supported=False, reason=str(error))


def read(answers: str) -> Postcopy:
    """Judge what QEMU answered, one JSON object a line."""
    for line in answers.splitlines():
        answer = json.loads(line)
        if answer.get("id") != "postcopy":
            continue
        if "error" not in answer:
            return Postcopy(supported=True)
        why = answer["error"]["desc"]
        return Postcopy(
            supported=False,
            reason=f"QEMU says {why!r}; it needs userfaultfd: `lab up --privileged`, or"
            " `sysctl vm.unprivileged_userfaultfd=1`, gives it that",
        )
    return Postcopy(supported=False, reason="QEMU did not answer")
