"""The catalogue knows vCenter's faults by the names that they have."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from pyVmomi import VmomiSupport, vim, vmodl

from migrate_plugins_vmware import diagnoses
from migrate_plugins_vmware.diagnoses import CATALOGUE

# What RelocateVM_Task declares, and what any call can come to.
DECLARED = (
    vim.fault.InvalidState,
    vim.fault.InvalidDatastore,
    vim.fault.MigrationFault,
    vim.fault.VmConfigFault,
    vim.fault.FileFault,
    vim.fault.Timedout,
    vim.fault.InsufficientResourcesFault,
    vmodl.RuntimeFault,
)


@cache
def faults() -> dict[str, type]:
    """Give every fault of the API, by its full name."""
    known: Any = VmomiSupport
    found = {}
    for _, name in sorted(known._wsdlDefMap):
        for place in (vim.fault, vmodl.fault):
            type_ = getattr(place, name, None)
            if isinstance(type_, type) and issubclass(type_, vmodl.MethodFault):
                found[type_.__name__] = type_
    return found


def test_faults_are_found() -> None:
    assert len(faults()) > 400


def test_each_fault_of_a_move_has_a_diagnosis() -> None:
    declared = [name for name, type_ in faults().items() if issubclass(type_, DECLARED)]

    assert len(declared) > 200
    assert [name for name in declared if not CATALOGUE.diagnose(f"moving web1: {name}: no")] == []


def test_most_of_them_have_one_of_their_own() -> None:
    moving = [
        name for name, type_ in faults().items() if issubclass(type_, vim.fault.MigrationFault)
    ]
    general = [
        name
        for name in moving
        if CATALOGUE.diagnose(f"moving web1 failed: {name}")[0].id == "vmware-fault"
    ]

    assert len(general) <= len(moving) // 3, general


# Of Python's errors, and of remedies.
OTHERS = {
    *("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "IncompleteRead"),
    *("AssignVMToPool", "ColdMigrate", "HotMigrate", "DESTINATION"),
}


def test_names_are_those_of_the_api() -> None:
    """A name that the API does not have would never be seen."""
    text = Path(diagnoses.__file__).read_text(encoding="utf-8")
    words = {*re.findall(r"(?<=[|:.)])[A-Z][A-Za-z0-9]{8,}(?=[|)(\\\"])", text)} - OTHERS
    known = [name.rpartition(".")[2] for name in faults()]

    assert len(words) > 80
    assert {word for word in words if not any(word in name for name in known)} == set()
