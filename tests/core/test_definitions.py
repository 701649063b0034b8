"""Files with definitions are read, and held against the guest, before libvirt would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import GuestFacts, GuestState, Severity
from migrate_plugins.checks.definitions import examine_definitions

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins import Migrator

UUID = "6e16c789-98c2-4f49-811f-000a8b8cf72c"
GUEST = GuestFacts("web1", UUID, GuestState.RUNNING, persistent=True, memory=1024)
UTF_16 = f'<?xml version="1.0" encoding="UTF-16"?><domain><uuid>{UUID}</uuid></domain>'

OTHER, BROKEN = "definition-other-guest", "definition-unreadable"

# fmt: off
# What the file has, and what is found: id, value seen.
FILES: list[tuple[bytes, tuple[str, str | None] | None]] = [
    (b"<domain><name>web1</name></domain>", None),
    (b"<domain type='kvm'/>", None),
    (f"<domain><uuid> {UUID.upper()} </uuid></domain>".encode(), None),
    (f"<domain><uuid>{UUID.replace('-', '')}</uuid></domain>".encode(), None),
    (UTF_16.encode("utf-16"), None),
    (b"<domain><name>web3</name></domain>", (OTHER, "web3")),
    (b"<domain><uuid>1</uuid></domain>", (OTHER, "1")),
    (b"<network/>", (OTHER, "network")),
    (b"", (BROKEN, None)),
    (b"name = web1", (BROKEN, None)),
    (b"<domain>", (BROKEN, None)),
    (b"<?xml version='1.0' encoding='klingon'?><domain/>", (BROKEN, None)),
    (b"\xff\xfe\x00", (BROKEN, None)),
]
# fmt: on


@pytest.mark.parametrize(("content", "found"), FILES)
@pytest.mark.parametrize("field", ["xml", "persistent_xml"])
def test_definition_is_held_against_the_guest(
    migrator: Migrator,
    tmp_path: Path,
    content: bytes,
    found: tuple[str, str | None] | None,
    field: str,
) -> None:
    file = tmp_path / "given.xml"
    file.write_bytes(content)
    given: dict[str, Any] = {field: str(file)}
    plan = migrator.plan(
        "web1",
        source="qemu:///system",
        destination="qemu+ssh://b/system",
        dname="web2",
        persistent=True,
        **given,
    )

    findings = [*examine_definitions(plan, GUEST)]

    expected = found and (found[0], found[1] or str(file))
    assert [(each.id, each.seen) for each in findings] == ([expected] if expected else [])
    assert all(each.severity is Severity.ERROR for each in findings)
    assert all(f"--{field.replace('_', '-')} " in each.text for each in findings)


@pytest.mark.parametrize(("field", "found"), [("xml", [OTHER]), ("persistent_xml", [])])
def test_new_name_belongs_into_the_definition_that_is_stored(
    migrator: Migrator, tmp_path: Path, field: str, found: list[str]
) -> None:
    file = tmp_path / "given.xml"
    file.write_text("<domain><name>web2</name></domain>")
    given: dict[str, Any] = {"dname": "web2", "persistent": True, field: str(file)}
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://b/system", **given
    )

    assert [each.id for each in examine_definitions(plan, GUEST)] == found


def test_file_that_is_not_there_cannot_be_accepted(migrator: Migrator, tmp_path: Path) -> None:
    missing = tmp_path / "missing.xml"
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://b/system", xml=str(missing)
    )

    (finding,) = examine_definitions(plan, None)

    assert finding.text == f"--xml {str(missing)!r} cannot be read: No such file or directory"
    assert not finding.acceptable


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({"xml": "a"}, False),
        ({"xml": "a", "persistent": True}, True),
        ({"xml": "a", "persistent": True, "persistent_xml": "b"}, False),
        ({"persistent": True}, False),
    ],
)
def test_plan_warns_where_what_is_stored_is_not_what_was_given(
    migrator: Migrator,
    given: dict[str, Any],
    *,
    warned: bool,
) -> None:
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://b/system", live=True, **given
    )

    assert ("persistent-xml-missing" in [each.id for each in plan.findings]) is warned
