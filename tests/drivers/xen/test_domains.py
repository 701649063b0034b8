"""What Xen has of a guest, read from what ``xl list -v`` printed on real hosts."""

from __future__ import annotations

import pytest

from migrate_plugins import HANDED_OVER, GuestState
from migrate_plugins_xen.domains import Domain, find_domain, read_domains

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


# fmt: off
STATES = [
    # name                  flags      state                 reason
    ("web1",                "-b----",  GuestState.RUNNING,   None),
    ("web1",                "r-----",  GuestState.RUNNING,   None),
    ("web1",                "------",  GuestState.RUNNING,   None),
    ("web1",                "--p---",  GuestState.PAUSED,    None),
    ("web1",                "---ss-",  GuestState.PAUSED,    HANDED_OVER),
    ("web1",                "---sc-",  GuestState.CRASHED,   None),
    ("web1",                "---s-d",  GuestState.SHUTOFF,   None),
    ("web1--incoming",      "--p---",  GuestState.PAUSED,    "migration"),
    ("web1--incoming",      "------",  GuestState.PAUSED,    "migration"),
    ("web1--migratedaway",  "---ss-",  GuestState.PAUSED,    HANDED_OVER),
    ("my guest",            "-b----",  GuestState.RUNNING,   None),
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
LEAVES = "leaves: 473 /usr/lib/xen-4.17/bin/xl migrate -s ssh -o BatchMode=yes"
JOBS = [
    # name              what is done               job
    ("web1",            "",                        None),
    ("web1",            f"{LEAVES} web1 beta\n",   "migration out"),
    ("web1",            f"{LEAVES} web10 beta\n",  None),
    ("web1",            f"{LEAVES} other web1\n",  None),
    ("web1",            "arrives:\n",              None),
    ("web1--incoming",  "arrives:\n",              "migration in"),
    ("web1--incoming",  "",                        None),
    ("web1--migratedaway", f"{LEAVES} web1 beta\n", "migration out"),
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
    (domain,) = read_domains(HEAD + row(name, "-b----") + does)

    assert domain.job == job


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
    text = HEAD + "".join(row(each, "-b----", uuid) for each, uuid in listed)

    found = find_domain(read_domains(text), key)

    assert (found and found.name) == name
