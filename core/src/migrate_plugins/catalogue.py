"""A catalogue of errors as data: what a hypervisor says, what it means, and what to do about it.

A driver answers :func:`migrate_diagnose` with one::

    CATALOGUE = Catalogue([Entry("no-licence", (Pattern("no licence left", "acme 3.1"),), ...)])

    @hookimpl
    def migrate_diagnose(text, code, domain):
        return CATALOGUE.diagnose(text, code, domain)
"""

from __future__ import annotations

import re
from collections import deque
from shlex import quote
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.diagnosis import Diagnosis, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins.diagnosis import Remedy

__all__ = ["Catalogue", "Entry", "Pattern"]

_NONE: Final[Mapping[str, str]] = MappingProxyType({})

# What is left of an entry's confidence: code and domain agree, the code alone, neither is known.
_BOTH: Final = 1.0
_CODE: Final = 0.97
_TEXT: Final = 0.9

# Characters of a value that goes from an error into a sentence.
_LONGEST: Final = 200
# An error within an error within an error: no hypervisor was seen to go deeper.
_DEEPEST: Final = 3


class Pattern(NamedTuple):
    r"""A wording of an error.

    Attributes:
        text: A regular expression that is searched for; it stays within a line, and whatever it
            repeats has a limit (``[^'\n]{1,255}``), so that a long text takes no time.  Named
            groups may be used in an entry's sentences.
        seen: Where it was seen, such as ``libvirt 9.0.0``; ``source`` where it was only read in
            the program's source, ``report`` where somebody else saw it, ``inferred`` where it is
            put together from the like of it.
    """

    text: str
    seen: str


class Entry(NamedTuple):
    """What an error means.

    Attributes:
        id: Stable, for example ``data-port-refused``.
        patterns: Wordings; one of them has to be found.
        cause: What happened, in a sentence; ``{name}`` stands for a group of that name.
        remedies: What to do, in this order, each on the host it names; with groups too.
        confidence: From 0 to 1, where code, domain and wording agree.
        codes: Numbers that the error is known to come with: another one rules the entry out.
        inferred: Numbers that it probably comes with: another one rules nothing out.
        domains: The parts of the hypervisor that are known to raise it.
        finding: Id of the finding with which a check tells it beforehand, or None.
        beside: A pattern that has to be found too, anywhere in the text, or None.
        unless: A pattern that may not be found anywhere in the text, or None.
        otherwise: What stands in a sentence for a group that was not found.
    """

    id: str
    patterns: tuple[Pattern, ...]
    cause: str
    remedies: tuple[Remedy, ...]
    confidence: float
    codes: tuple[int, ...] = ()
    inferred: tuple[int, ...] = ()
    domains: tuple[int, ...] = ()
    finding: str | None = None
    beside: str | None = None
    unless: str | None = None
    otherwise: Mapping[str, str] = _NONE


class _Compiled(NamedTuple):
    entry: Entry
    patterns: tuple[re.Pattern[str], ...]
    beside: re.Pattern[str] | None
    unless: re.Pattern[str] | None


class Catalogue:
    """Entries, ready to be searched; nothing in it changes."""

    def __init__(
        self,
        entries: Iterable[Entry],
        wrappers: Iterable[Pattern] = (),
        words: Mapping[str, str] = _NONE,
    ) -> None:
        """Compile *entries*.

        Args:
            entries: All of them.
            wrappers: What one error puts in front of another: the code is then that of the outer
                one, and says nothing of what follows.
            words: What stands in every entry's sentences for these names, such as the hypervisor's
                daemon in an entry that is shared; a group or :attr:`Entry.otherwise` goes before.
                A remedy with a name that is the empty text here is left out: there is no such way.

        Raises:
            ValueError: An id comes twice, a pattern fits the empty text, or a sentence has a name
                that no pattern captures and neither :attr:`Entry.otherwise` nor *words* has.
        """
        self.entries: Final = tuple(entries)
        self._wrappers = tuple(re.compile(wrapper.text) for wrapper in wrappers)
        self._compiled = tuple(_compiled(_spoken(entry, words)) for entry in self.entries)
        ids = [entry.id for entry in self.entries]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise ValueError(f"more than one entry has the id {', '.join(twice)}")

    def diagnose(
        self, text: str, code: int | None = None, domain: int | None = None
    ) -> list[Diagnosis]:
        """Give what *text* may mean, the most likely first.

        Args:
            text: An error as it was worded, or a whole log: what comes last in it counts.
            code: The hypervisor's number for it, or None.
            domain: Which part of it raised the error, or None.
        """
        found = [
            diagnosis
            for inner, number, part in self._layers(text, code, domain)
            for compiled in self._compiled
            for diagnosis in _diagnosed(compiled, inner, number, part, text)
        ]
        return merged(found)

    def _layers(
        self, text: str, code: int | None, domain: int | None
    ) -> Iterator[tuple[str, int | None, int | None]]:
        """Give an error, and the errors that it quotes."""
        yield text, code, domain
        for _ in range(_DEEPEST):
            ends = [found.end() for wrapper in self._wrappers if (found := wrapper.search(text))]
            if not ends:
                return
            text = text[min(ends) :]
            yield text, None, None


def _spoken(entry: Entry, words: Mapping[str, str]) -> Entry:
    """Give *entry* with *words* for what it captures nothing of, as :attr:`Entry.otherwise`."""
    own = {
        name: re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)
        for name, text in entry.otherwise.items()
    }
    possible = tuple(
        remedy
        for remedy in entry.remedies
        if all(words.get(name) != "" for name in re.findall(r"\{(\w+)\}", remedy.text))
    )
    return entry._replace(otherwise={**words, **own}, remedies=possible)


def _compiled(entry: Entry) -> _Compiled:
    patterns = tuple(re.compile(pattern.text) for pattern in entry.patterns)
    beside, unless = (
        None if text is None else re.compile(text) for text in (entry.beside, entry.unless)
    )
    for pattern in patterns:
        if pattern.search("") is not None:
            raise ValueError(f"{entry.id}: {pattern.pattern!r} fits the empty text")
        known = {*pattern.groupindex, *entry.otherwise}
        for sentence in (entry.cause, *(remedy.text for remedy in entry.remedies)):
            unknown = sorted({name for _, name, *_ in Formatter().parse(sentence) if name} - known)
            if unknown:
                raise ValueError(f"{entry.id}: {pattern.pattern!r} captures no {unknown[0]}")
    return _Compiled(entry, patterns, beside, unless)


def _diagnosed(
    compiled: _Compiled, text: str, code: int | None, domain: int | None, whole: str
) -> Iterator[Diagnosis]:
    entry = compiled.entry
    agreement = _agreement(entry, code, domain)
    if agreement is None or (compiled.unless and compiled.unless.search(whole)):
        return
    for pattern in compiled.patterns:
        last = deque(pattern.finditer(text), maxlen=1)
        if last and (compiled.beside is None or compiled.beside.search(whole)):
            seen = {name: _shown(value) for name, value in last[0].groupdict().items() if value}
            typed = {name: quote(value) for name, value in seen.items()}
            yield Diagnosis(
                entry.id,
                entry.cause.format_map({**entry.otherwise, **seen}),
                tuple(
                    remedy._replace(text=remedy.text.format_map({**entry.otherwise, **typed}))
                    for remedy in entry.remedies
                ),
                round(entry.confidence * agreement, 2),
                entry.finding,
            )
            return


def _agreement(entry: Entry, code: int | None, domain: int | None) -> float | None:
    """Tell how well the numbers agree with *entry*; None where they rule it out."""
    if code is None:
        return _TEXT
    if code not in entry.codes and code not in entry.inferred:
        return None if entry.codes else _TEXT
    return _BOTH if domain is not None and domain in entry.domains else _CODE


def _shown(value: str) -> str:
    """Give a value that a stranger's text holds in one line that can be read."""
    line = "".join(letter if letter.isprintable() else " " for letter in value)
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
