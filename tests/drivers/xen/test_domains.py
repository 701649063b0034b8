"""What Xen has of a guest, read from what ``xl list -v`` printed on real hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import HANDED_OVER, INCOMING, DriverError, GuestState, Shell
from migrate_plugins_xen.domains import Domain, find_domain, list_domains, read_domains

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID"
    "                            Reason-Code\tSecurity Label\n"
    "Domain-0                                     0   768     1     r-----     211.5"
    " 00000000-0000-0000-0000-000000000000        -                -\n"
)
UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
OTHER = "11111111-2f0b-4430-ba28-b681b1f0fb86"


def row(name: str, state: str, uuid: str = UUID) -> str:
    return f"{name:<40}     1    96     1     {state}      32.5 {uuid}        -                -\n"


def leaves(*argv: str) -> str:
    """The line of a program that runs, with its words apart."""
    return "leaves:\t" + "".join(f"{word}\t" for word in argv) + "\n"


# fmt: off
STATES = [
    # name                  flags      state                 reason
    ("web1",                "-b----",  GuestState.RUNNING,   None),
    ("web1",                "r-----",  GuestState.RUNNING,   None),
    ("web1",                "------",  GuestState.RUNNING,   None),
    ("web1",                "--p---",  GuestState.PAUSED,    None),
    ("web1",                "---ss-",  GuestState.PAUSED,    HANDED_OVER),
    ("web1",                "---sc-",  GuestState.CRASHED,   None),
    ("web1",                "---sw-",  GuestState.CRASHED,   None),
    ("web1",                "---s--",  GuestState.SHUTOFF,   None),
    ("web1",                "---sr-",  GuestState.SHUTOFF,   None),
    ("web1",                "---s?-",  GuestState.SHUTOFF,   None),
    ("web1",                "---s-d",  GuestState.SHUTOFF,   None),
    ("web1--incoming",      "--p---",  GuestState.PAUSED,    INCOMING),
    ("web1--incoming",      "------",  GuestState.PAUSED,    INCOMING),
    ("web1--migratedaway",  "---ss-",  GuestState.PAUSED,    HANDED_OVER),
    ("my guest",            "-b----",  GuestState.RUNNING,   None),
    (" my guest",           "-b----",  GuestState.RUNNING,   None),
]

FOUND = [
    # listed                                                       key     name that is found
    ([("web1", UUID)],                                             "web1", "web1"),
    ([("web1", UUID)],                                             UUID,   "web1"),
    ([("web1", UUID)],                                             "web",  None),
    ([("web1--incoming", UUID)],                                   "web1", "web1--incoming"),
    ([("web1--migratedaway", UUID), ("web1", OTHER)],              "web1", "web1"),
    ([],                                                           "web1", None),
]

HELPER = "320 /usr/lib/xen-4.17/bin/libxl-save-helper"
XL = ("/usr/lib/xen-4.17/bin/xl", "migrate", "-s", "ssh -o BatchMode=yes")
LEAVES = leaves(*XL, "1", "beta")
JOBS = [
    # name              what is done               job
    ("web1",            "",                        None),
    ("web1",            LEAVES,                    "migration out"),
    ("web1",            leaves(*XL, "web1", "beta"), "migration out"),
    ("web1",            leaves("xl", "migrate", UUID, "beta"), "migration out"),
    ("web1",            leaves(*XL, "web10", "beta"), None),
    ("web1",            leaves(*XL, "a web1", "beta"), None),
    ("web1",            leaves(*XL, "other", "web1"), None),
    ("web1",            leaves("xl", "-v", "-tt", "migrate", "web1", "beta"), "migration out"),
    ("web1",            leaves("vi", "xl migrate web1 beta"), None),
    ("web1",            "arrives:\n",              None),
    ("web1--incoming",  "arrives:\n",              "migration in"),
    ("web1--incoming",  "",                        None),
    ("web1--migratedaway", leaves(*XL, "web1", "beta"), "migration out"),
    ("web1--migratedaway", "",                     None),
    # by libvirt
    ("web1",            f"{HELPER} --save-domain 49 38 1 1 136 0\n",   "migration out"),
    ("web1",            f"{HELPER} --restore-domain 47 -1 1 1 0 2\n",  "migration in"),
    ("web1",            f"{HELPER} --save-domain 49 38 11 1 136 0\n",  None),
    ("web1",            f"{HELPER} --save-domain 1 1 2 1 1 1\n",       None),
]
# fmt: on


@pytest.mark.parametrize(("name", "does", "job"), JOBS)
def test_move_under_way_is_told_from_what_runs_beside_it(
    name: str, does: str, job: str | None
) -> None:
    (domain,) = read_domains(f"{HEAD}{row(name, '--p---')}\n{does}")

    assert domain.job == job


@pytest.mark.parametrize("name", ["web1--incoming", "web1--migratedaway"])
def test_guest_that_runs_only_happens_to_be_called_like_one_that_moves(name: str) -> None:
    (domain,) = read_domains(f"{HEAD}{row(name, '-b----')}\narrives:\n")

    assert (domain.state, domain.job, domain.base) == (GuestState.RUNNING, None, name)


@pytest.mark.parametrize("output", ["", "xl: not found", f"{HEAD}web1  1  96  1  -b----\n"])
def test_list_that_cannot_be_read_is_not_taken_for_an_empty_one(output: str) -> None:
    with pytest.raises(ValueError, match=r"no head|cannot be read"):
        read_domains(output)


# fmt: off
ASKED = [
    # what pgrep of the host does, whether anything is known of what moves
    ("exit 1",                    True),
    ("echo no such option; exit 2", False),
    ("exit 3",                    False),
]
# fmt: on


@pytest.mark.parametrize(("pgrep", "known"), ASKED)
def test_failing_pgrep_is_not_taken_for_nothing_that_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pgrep: str, *, known: bool
) -> None:
    listed = f"{HEAD}{row('web1', '-b----')}"
    for tool, script in (("xl", f"cat <<'END'\n{listed}\nEND"), ("pgrep", pgrep)):
        (tmp_path / tool).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    shell = Shell(("sh", "-c"), "this machine, with fakes of xl and pgrep")

    if known:
        assert [each.name for each in list_domains(shell)] == ["web1"]
    else:
        with pytest.raises(DriverError, match="pgrep failed there"):
            list_domains(shell)


def test_host_itself_is_no_guest() -> None:
    assert read_domains(HEAD) == ()


@pytest.mark.parametrize(("name", "flags", "state", "reason"), STATES)
def test_state_is_that_of_xen(name: str, flags: str, state: GuestState, reason: str | None) -> None:
    (domain,) = read_domains(HEAD + row(name, flags))

    assert domain == Domain(name, 1, 96 * 1024, flags, UUID)
    facts = domain.facts(persistent=False)
    assert (facts.state, facts.reason) == (state, reason)
    assert facts.name == name.partition("--")[0]


@pytest.mark.parametrize(("listed", "key", "name"), FOUND)
def test_guest_is_found_under_each_of_its_names(
    listed: list[tuple[str, str]], key: str, name: str | None
) -> None:
    text = HEAD + "".join(row(each, "------", uuid) for each, uuid in listed)

    found = find_domain(read_domains(text), key)

    assert (found and found.name) == name
