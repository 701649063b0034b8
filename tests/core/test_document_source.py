"""The document itself, parsed, against the core and the four drivers.

It lies beside the repository and not in it, so that a stranger's clone has it not: there this
module is left out with its reason, and ``test_document.py`` shows the same facts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import html

from migrate_plugins import SCENARIOS, After, Before, Migrator, Plan, Revision
from migrate_plugins.document import ROWS, Row

_BESIDE = Path(__file__).parents[3] / "shared"
_DOCUMENT = Path(
    os.environ.get("MIGRATE_PLUGINS_DOCUMENT", str(_BESIDE / "reference" / "guest-migration.html"))
)

if not _DOCUMENT.is_file():
    _reason = f"the document is not at {_DOCUMENT}; MIGRATE_PLUGINS_DOCUMENT names another place"
    if "MIGRATE_PLUGINS_DOCUMENT" in os.environ or ("CI" in os.environ and _BESIDE.exists()):
        pytest.fail(_reason, pytrace=False)
    pytest.skip(_reason, allow_module_level=True)

_ROOT = html.parse(str(_DOCUMENT)).getroot()

# How the document writes the drivers' names.
_NAMES = {"Xen": "xen", "QEMU": "qemu", "VMWare": "vmware", "VirtualBox": "vbox"}
_NOT_FROM_VIRSH = "This mode cannot be invoked from virsh"


class Section(NamedTuple):
    """A scenario's section, its text in one line."""

    anchor: str
    title: str
    text: str
    commands: tuple[str, ...]
    syntax: str | None


def _line(text: str) -> str:
    return " ".join(text.split())


def _sections() -> list[Section]:
    body = _ROOT.find("body")
    assert body is not None
    sections: list[Section] = []
    inside = False
    for element in body:
        anchor = element.find("a")
        if element.tag == "h2":
            inside = anchor is not None and anchor.get("name") == "scenarios"
        elif inside and element.tag == "h3":
            assert anchor is not None
            sections.append(
                Section(anchor.get("name") or "", _line(element.text_content()), "", (), None)
            )
        elif inside:
            last = sections.pop()
            lines = element.text_content().splitlines() if element.tag == "pre" else []
            syntax = [line.removeprefix("syntax: ") for line in lines if "syntax:" in line]
            sections.append(
                last._replace(
                    text=f"{last.text} {_line(element.text_content())}",
                    commands=(
                        *last.commands,
                        *(line for line in lines if line.startswith("virsh migrate")),
                    ),
                    syntax=syntax[0] if syntax else last.syntax,
                )
            )
    return sections


SECTIONS = _sections()
EXAMPLES = [
    (scenario.id, command)
    for scenario, section in zip(SCENARIOS.values(), SECTIONS, strict=True)
    for command in section.commands
]


def _table() -> list[Row]:
    found = []
    for line in _ROOT.xpath("//table[@class='data']/tbody/tr"):
        kind, source, dest, undefine, persist, kind_after, source_after, dest_after = (
            cell.text_content().strip() for cell in line
        )
        assert {kind, kind_after} <= {"Transient", "Persistent"}
        found.append(
            Row(
                Before(kind == "Persistent", source == "Y", dest == "Y"),
                undefine == "Y",
                persist == "Y",
                After(kind_after == "Persistent", source_after == "Y", dest_after == "Y"),
            )
        )
    return found


def _plan(migrator: Migrator, command: str) -> Plan:
    """Plan what one of the document's commands says, from a source of the same hypervisor."""
    words = command.split()[2:]
    flags = {word for word in words if word.startswith("--")}
    guest, *uris = [word for word in words if not word.startswith("--")]
    assert flags <= {"--p2p", "--tunnelled", "--direct"}
    destination, migration = (None, uris[0]) if "--direct" in flags else (uris[0], None)
    if len(uris) > 1:
        _, migration = uris
    scheme = "xen" if uris[0].startswith("xen") else "qemu"
    return migrator.plan(
        guest,
        source=f"{scheme}:///system",
        destination=destination,
        migration=migration,
        p2p="--p2p" in flags,
        direct="--direct" in flags,
        tunnelled="--tunnelled" in flags,
    )


def test_headings() -> None:
    assert [(section.anchor, section.title) for section in SECTIONS] == [
        (scenario.anchor, scenario.title) for scenario in SCENARIOS.values()
    ]


def test_configuration_table() -> None:
    table = _table()

    assert len(table) == 16
    assert list(ROWS[Revision.ORIGINAL]) == table


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.anchor)
def test_supported_by(migrator: Migrator, section: Section) -> None:
    _, said = section.text.split(" Supported by ")
    named = {ours for theirs, ours in _NAMES.items() if theirs in said}
    (scenario,) = [scenario for scenario in SCENARIOS.values() if scenario.anchor == section.anchor]

    offering = {
        name
        for name, driver in migrator.registry.drivers.items()
        if scenario.id in driver.capabilities(Revision.ORIGINAL).offers
    }

    assert named
    assert offering == named


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.anchor)
def test_api_call_and_flags(section: Section) -> None:
    (scenario,) = [scenario for scenario in SCENARIOS.values() if scenario.anchor == section.anchor]
    text = section.text.strip()
    before, with_, _ = text.partition(" set, ")
    without = "without the VIR_MIGRATE_PEER2PEER" in text
    flags = [word for word in before.split() if word.startswith("VIR_MIGRATE_")]

    assert with_ or without
    assert scenario.api in text.split(", ")[0].split()
    assert list(scenario.flags) == ([] if without else flags)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.anchor)
def test_virsh_syntax(section: Section) -> None:
    (scenario,) = [scenario for scenario in SCENARIOS.values() if scenario.anchor == section.anchor]

    assert scenario.virsh == section.syntax
    assert (_NOT_FROM_VIRSH in section.text) == (section.syntax is None)


def test_examples_are_all_of_the_documents() -> None:
    text = _ROOT.text_content()

    assert len(EXAMPLES) == 11
    assert len(EXAMPLES) == sum(line.startswith("virsh migrate") for line in text.splitlines())


@pytest.mark.parametrize(("scenario", "command"), EXAMPLES)
def test_example_is_planned_as_its_scenario(
    migrator: Migrator, scenario: str, command: str
) -> None:
    plan = _plan(migrator, command)

    assert plan.scenario_id == scenario
    assert plan.guest == "web1"


@pytest.mark.parametrize(("scenario", "command"), EXAMPLES)
def test_example_is_the_plans_own_command(migrator: Migrator, scenario: str, command: str) -> None:
    """Save for ``-c``, which the document leaves to the environment.

    With an alternative the document's two URIs become one: virsh has taken a single URI in
    peer-to-peer from the beginning, and it is the one that the source opens.
    """
    plan = _plan(migrator, command)
    words = command.split()
    if "p2p" in scenario and len([word for word in words if ":/" in word]) == 2:
        del words[-2]

    # Xen's own tool may stand beside it, where today's libvirt refuses.
    (native,) = [each for each in plan.commands if each.tool == "virsh"]

    assert native.argv == ("virsh", "-c", plan.uris.source.value, *words[1:])


@pytest.mark.parametrize(("scenario", "command"), EXAMPLES)
def test_every_uri_of_an_example_is_in_its_plan(
    migrator: Migrator, scenario: str, command: str
) -> None:
    plan = _plan(migrator, command)
    written = [word for word in command.split() if ":/" in word or word.startswith("xenmigr:")]
    if scenario == "native-unmanaged":
        planned = [plan.uris.migration.value]
    elif scenario == "native-direct":
        planned = [plan.uris.destination.value, plan.uris.migration.value]
    else:
        planned = [plan.uris.destination_from_client.value, plan.uris.destination.value]
        assert plan.uris.destination.seen_from == "source"

    assert list(dict.fromkeys(filter(None, planned))) == written
