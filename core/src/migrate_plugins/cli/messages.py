"""The errors in a text: in a daemon's log, in what virsh printed, in an outcome of ours.  Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Message", "read_messages"]

# Of a log that holds more different ones the last are taken.
_MOST: Final = 2000
_LONGEST: Final = 20_000

# libvirt's own logs: when, thread, level, function and line, message.
_LIBVIRT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T][\d:.]{8,15}(?:Z|[+-]\d{4})?: \d{1,10}: (?P<level>\w{1,10}) :"
    r" (?:[\w.]{1,80}:\d{1,6} : )?(?P<text>.*)"
)
_JOURNAL: Final = re.compile(
    r"\w{3} [ \d]\d [\d:]{8} \S{1,80} (?:libvirtd|virt\w{1,20})\[\d{1,10}\]: (?P<text>.*)"
)
_QUIET: Final = frozenset({"debug", "info"})
_VIRSH: Final = re.compile(r"^(?:virsh: )?error: +")


class Message(NamedTuple):
    """One error, as it stands in a text.

    Attributes:
        text: Its words, without when and where a log says it.
        code: The hypervisor's number for it, or None.
        domain: Which part of it raised the error, or None.
        where: Where in the text it stands, in words.
    """

    text: str
    code: int | None
    domain: int | None
    where: str


def read_messages(
    text: str, code: int | None = None, domain: int | None = None
) -> tuple[Message, ...]:
    """Give the errors of *text*, in their order; each only where it stands last.

    Args:
        text: Any text.
        code: The number of an error that does not bring its own, or None.
        domain: Likewise the part that raised it.
    """
    found = [*_json(text)] or [*_lines(text)]
    last: dict[str, Message] = {}
    for message in found:
        last.pop(message.text, None)  # so that it stands where it is said again
        last[message.text] = message
    kept = [*last.values()][-_MOST:]
    return tuple(
        message if message.code is not None else message._replace(code=code, domain=domain)
        for message in kept
    )


def _lines(text: str) -> Iterator[Message]:
    for number, line in enumerate(text.splitlines(), 1):
        said = line
        for form in (_JOURNAL, _LIBVIRT):  # a journal may quote the daemon's own form
            logged = form.match(said)
            if logged is not None:
                quiet = logged.groupdict().get("level") in _QUIET
                said = "" if quiet else logged["text"]
        words = _VIRSH.sub("", said, count=1).strip()
        if words:
            yield Message(words[:_LONGEST], None, None, f"line {number}")


def _json(text: str) -> Iterator[Message]:
    """Give what outcomes and errors of ours say, one object or one a line."""
    if not text.lstrip().startswith("{"):
        return
    from json import JSONDecodeError, loads  # noqa: PLC0415 - most texts are none

    whole = [(text, "the JSON")]
    each = [(line, f"line {number}") for number, line in enumerate(text.splitlines(), 1)]
    for pieces in (whole, each):
        found: list[Message] = []
        for piece, where in pieces:
            with suppress(JSONDecodeError, RecursionError):
                found += _said(loads(piece), where)
        if found:
            yield from found
            return


def _said(value: Any, where: str) -> Iterator[Message]:  # noqa: ANN401 - whatever JSON holds
    """Give the errors of one object: an outcome's, or those of a command that failed."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("error"), str):
        code, domain = (value.get(f"error_{key}") for key in ("code", "domain"))
        yield Message(
            value["error"][:_LONGEST],
            code if isinstance(code, int) else None,
            domain if isinstance(domain, int) else None,
            where,
        )
    failed = str(value.get("schema", "")).startswith("migrate-plugins/error/")
    for key in ("unreadable", "source_unreadable", *(["text"] if failed else ())):
        if isinstance(value.get(key), str):
            yield Message(value[key][:_LONGEST], None, None, where)
