"""The page of every diagnosis, from the catalogues of core and drivers."""

from __future__ import annotations

import re
from importlib import import_module
from string import Formatter
from typing import TYPE_CHECKING, Final

from migrate_plugins import LIBVIRT_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_plugins import Catalogue, Entry

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from the catalogues of the drivers. -->
# Diagnoses

What the errors of a migration mean, and what to do about each. A migration that fails prints the
diagnosis under the error, beside where the guest is now. For an error that came up elsewhere:

```console
$ virsh migrate web1 qemu+ssh://desthost/system --live 2>&1 | migrate-plugins diagnose
$ migrate-plugins diagnose /var/log/libvirt/libvirtd.log
$ migrate-plugins diagnose --json < outcome.json
```

It reads an error, a whole log, or the JSON of an outcome, and contacts nobody. The exit status is
0 where something was recognised and 1 where nothing was. `--code` and `--domain` give libvirt's
numbers for the error, where they are known: they make a diagnosis surer, and rule out others.
`--driver NAME` asks that driver alone.

**How sure** it is stands before each diagnosis: *very likely*, *likely*, *possible*, *less likely*.
Several causes may share one message, and then each of them is given. Code, domain and wording
together weigh most, then the code and the wording, then the wording alone; a code that is known to
be another one rules a diagnosis out. An error that quotes another one is looked through.

**The reason that libvirt hides.** Where libvirt only says that the migration ended, migrate-plugins
looks for the reason on the hosts, as far as it has [a way to look](configuration.md): who holds the
port that was to receive the memory, and what the guest's QEMU wrote into its log.

A driver brings diagnoses of its own with [`migrate_diagnose`](hooks.md#migrate_diagnose): a
`Catalogue` of `Entry` values, as here. Below, words in capitals stand for what an error names.
"""

_PARTS: Final = (
    ("libvirt", "What libvirt says whatever hypervisor is under it; for QEMU and for Xen."),
    ("qemu", "What QEMU says, through libvirt or in its log, and tools that manage it."),
    ("xen", "What libvirt's Xen driver, `xl` and XAPI (XenServer, XCP-ng) say."),
    ("vmware", "What vCenter says, and libvirt's ESX driver."),
    ("vbox", "What VirtualBox says of teleporting."),
)

# A remedy that begins with a program, up to where words go on.
_COMMAND: Final = re.compile(
    r"(?:VBoxManage|apt|diff|dmesg|esxcli|firewall-cmd|free|getent|govc|grep|hostnamectl|ip|journalctl"
    r"|ls|lsof|migrate-plugins|openssl|ping|pvecm|qemu-img|qemu-system-x86_64|qm|ss|ssh|sysctl"
    r"|systemctl|tail|virsh|vmkping|xe|xl) .*?(?=$|, | \(|: )"
)
# Of other words those that are typed as they are.
_TYPED: Final = re.compile(
    r"(?<![\w`])(?:--?[a-z][\w-]*(?: [A-Z][A-Z-]+)?|\+[a-z]\w*|[\w.+-]*(?:://|/)[^\s,;)]+"
    r"|\w+_\w+|<[^>]+>|\w+ = \S+)"
)


def page() -> str:
    """Give the page."""
    parts = [_HEAD]
    for name, about in _PARTS:
        parts += [f"## {name}\n", f"{about}\n"]
        for entry in _entries(name):
            parts += _described(entry)
    return "\n".join(parts)


def _entries(name: str) -> Iterable[Entry]:
    if name == "libvirt":
        return LIBVIRT_ENTRIES
    catalogue: Catalogue = import_module(f"migrate_plugins_{name}.diagnoses").CATALOGUE
    return [entry for entry in catalogue.entries if entry not in LIBVIRT_ENTRIES]


def _described(entry: Entry) -> Iterator[str]:
    yield f"### {entry.id}\n"
    yield _sentence(entry)
    for number, remedy in enumerate(entry.remedies, 1):
        where = "" if remedy.where is None else f"*{remedy.where}*: "
        yield f"{number}. {where}{_marked(_plain(entry, remedy.text))}"
    yield ""
    facts = []
    if entry.codes or entry.inferred:
        codes = ", ".join(str(code) for code in (*entry.codes, *entry.inferred))
        facts.append(f"code {codes}" + ("" if entry.codes else " (not confirmed)"))
    facts.append("seen in " + ", ".join(dict.fromkeys(each.seen for each in entry.patterns)))
    if entry.finding is not None:
        facts.append(f"a check finds it beforehand: `{entry.finding}`")
    told = "; ".join(facts)
    yield f"{told[0].upper()}{told[1:]}.\n"


def _sentence(entry: Entry) -> str:
    text = _plain(entry, entry.cause)
    return _marked(f"{text[0].upper()}{text[1:]}.") + "\n"


def _marked(text: str) -> str:
    """Set as code what is typed: a command, an option, a URI, a path."""
    command = _COMMAND.match(text)
    typed, rest = (command[0], text[command.end() :]) if command else ("", text)
    return (f"`{typed}`" if typed else "") + _TYPED.sub(r"`\g<0>`", rest)


def _plain(entry: Entry, text: str) -> str:
    """Write a name in capitals for each group."""
    groups = (re.compile(pattern.text).groupindex for pattern in entry.patterns)
    names = {name: name.upper() for each in groups for name in each}
    words = {name: name.upper() for _, name, *_ in Formatter().parse(text) if name}
    return text.format_map({**words, **entry.otherwise, **names})
