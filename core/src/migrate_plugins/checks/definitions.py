"""The files with definitions that a request names, as the client reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from migrate_plugins.findings import Finding, Severity
from migrate_plugins.options import SPELLING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import GuestFacts

__all__ = ["examine_definitions"]


def examine_definitions(plan: Plan, guest: GuestFacts | None) -> Iterator[Finding]:
    """Read each file and compare it with the *guest* that is to move."""
    for field in ("xml", "persistent_xml"):
        path: str | None = getattr(plan.request, field)
        if path is None:
            continue
        name = SPELLING[field]
        try:
            # As bytes: a definition says itself how it is encoded.
            root = ET.fromstring(Path(path).read_bytes())  # noqa: S314 - the user's own file
        except OSError as error:
            yield _unreadable(name, path, f"cannot be read: {error.strerror}")
        except (ET.ParseError, ValueError, LookupError) as error:
            yield _unreadable(name, path, f"is no XML: {error}")
        else:
            # libvirt takes no other name for the guest that runs, whatever --dname says.
            names = {plan.guest} if field == "xml" else {plan.guest, plan.destination_name}
            yield from _compare(names, plan.guest, guest, root, f"{name} {path}")


def _unreadable(name: str, path: str, problem: str) -> Finding:
    return Finding(
        "definition-unreadable",
        Severity.ERROR,
        None,
        f"{name} {path!r} {problem}",
        seen=path,
        expected="a file with a definition, as virsh dumpxml writes it",
        remedy=f"correct {name}, or leave it out",
        acceptable=False,
    )


def _compare(
    names: Collection[str], usual: str, guest: GuestFacts | None, root: ET.Element, what: str
) -> Iterator[Finding]:
    if root.tag != "domain":
        yield _other(what, "element", root.tag, "domain")
        return
    uuid, name = root.findtext("uuid"), root.findtext("name")
    if guest is not None and uuid is not None and _bare(uuid) != _bare(guest.uuid):
        yield _other(what, "uuid", uuid.strip(), guest.uuid)
    if name is not None and name not in names:
        yield _other(what, "name", name, usual)


def _other(what: str, part: str, seen: str, expected: str) -> Finding:
    return Finding(
        "definition-other-guest",
        Severity.ERROR,
        None,
        f"{what} is no definition of this guest: it has another {part}",
        seen=seen,
        expected=expected,
        remedy="make it from the guest's own: virsh dumpxml --migratable GUEST"
        + ("; --dname gives it another name" if part == "name" else ""),
    )


def _bare(uuid: str) -> str:
    return uuid.strip().replace("-", "").lower()
