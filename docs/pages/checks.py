"""The page of every kind of finding, from what the core and the drivers list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Config, FindingKind, Migrator
from migrate_plugins.checks.kinds import KINDS
from pages.blocks import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from the kinds of finding that the core and the drivers list. -->
# Findings

`migrate-plugins check` looks at both hosts and tells everything at once, `migrate` does the same
before it begins, all but one thing: a connection to the port that will receive the memory, for
which a program of ours listens there for a moment, is tried by `check` alone. A finding has a
stable id, the host it is about, the value seen, the value expected, and one command or option that
mends it.

- An **error** blocks the migration until it is mended, or accepted: `--accept ID=REASON`. The few
  that cannot be accepted are those after which the guest could run twice, or nowhere.
- A **warning** does not block: the migration works, and something about it may not be wanted.
- An **info** is worth knowing. An id that ends in `-unknown` says that something could not be
  looked at, by whom, and how to look at it oneself. What is unknown is never taken for right, and
  never for wrong.

The tables give the severity at its worst. It depends on the guest: one that is shut off
(`--offline`) needs no processor, no memory and no network yet, so that what it lacks there is a
warning, or nothing. `--only ID` and `--skip ID` choose; `migrate-plugins list --findings` prints
the same for the plugins that are installed, whoever wrote them.

## How the QEMU driver looks

With libvirt's own calls, on both hosts at once, and only at what the guest's definition makes
necessary: domain capabilities for its emulator, machine type and kind of virtualisation; the
processor that it sees now against the destination's; free memory, NUMA nodes and huge pages;
networks, network devices, volumes, pools, USB devices; snapshots, checkpoints, block jobs.

What libvirt does not tell is seen from within, where a program can be run on the host (see
[`shell`](configuration.md#hosts)): filesystems, other files that devices need, addresses and
devices, QEMU's certificates. Whether a disk is shared is judged as libvirt judges it, by the type
of its filesystem; and where both hosts can be looked at, the two must also have mounted the same.
One program on each host does all of that. It reads, and changes nothing. Without a shell, storage
and certificates are unknown; a missing kernel or log folder is then not looked for.

What the guest needs of the destination is read from the definition that it is to have there:
`--xml FILE` where that is given.

QEMU's own list of reasons against a migration (`query-migrate`) is left to libvirt, which asks for
it when a migration begins: to ask for it beforehand marks the guest as tainted for the rest of its
life. The findings name the devices that would be on that list.

## How the VMware driver looks

With a few reads of the vCenter in bulk, and by asking it: whether it would do the move, and whether
the user may. [VMware](vmware.md#what-a-check-looks-at) says more.
"""


def page() -> str:
    """Give the page."""
    migrator = Migrator.installed(Config())
    parts = [_HEAD, "## The core\n", _table(KINDS), ""]
    titles = {name: driver.info.title for name, driver in migrator.registry.drivers.items()}
    for name, kinds in migrator.registry.answers("migrate_finding_kinds", FindingKind):
        if isinstance(kinds, BaseException):
            raise kinds
        parts += [f"## {titles.get(name, name)}\n", _table(kinds), ""]
    return "\n".join(parts)


def _table(kinds: Iterable[FindingKind]) -> str:
    def lines() -> Iterator[tuple[str, ...]]:
        yield "Finding", "At worst", "What it says"
        for kind in kinds:
            yield f"`{kind.id}`", kind.severity.value, kind.summary

    return rows(*lines())
