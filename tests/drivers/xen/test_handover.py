"""What a move by xl promises beforehand, what it needs, and how it tells of a failure."""

from __future__ import annotations

import re
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Answer,
    DriverError,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Plan,
    Revision,
    Seat,
    Shell,
    UsageError,
)
from migrate_plugins_xen import handover
from migrate_plugins_xen.checks.handover import Host, Seen, judge, read_host
from migrate_plugins_xen.domains import Domain
from migrate_plugins_xen.foresight import foresee
from migrate_plugins_xen.handover import Handover, begin, last_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrate_plugins import Migrator

UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
ANOTHER = "11111111-2f0b-4430-ba28-b681b1f0fb86"
SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=6"
INFO = """\
host                   : alpha
total_memory           : 1535
free_memory            : 748
xen_version            : 4.17.7
xen_commandline        : console=com1 com1=115200,8n1 loglvl=info
Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID\
                            Reason-Code\tSecurity Label
Domain-0                                     0   768     1     r-----     173.5\
 00000000-0000-0000-0000-000000000000        -                -
xl1                                          1    96     1     -b----      32.5\
 f988a8d7-2f0b-4430-ba28-b681b1f0fb86        -                -
"""
ALPHA = Host("4.17.7", 748)
SHORT, NONE = "destination-memory-short", "xl-no-shell"
UNDEFINE = {"undefine_source": True}
THERE = Domain("web1", 4, 98304, "-b----", UUID)

SILENT = "xl migrate failed without a word"
# What xl wrote where a move went well up to its end.
CHATTER = """\
migration target: Ready to receive domain.
Saving to migration stream new xl format (info 0x3/0x0/868)
Loading new save file <incoming migration stream> (new xl fmt info 0x3/0x0/868)
 Savefile contains xl domain config in JSON format
Parsing config from <saved>
xc: info: Saving domain 1, type x86 HVM
"""

# fmt: off
JUDGED = [
    # options              seen                                                 kinds
    ({},                   Seen(ALPHA, ALPHA),                                  []),
    ({},                   None,                                                [NONE]),
    ({},                   Seen("sh: xl: not found", None),                     ["xl-unusable"]),
    ({},                   Seen(ALPHA, "Permission denied (publickey)."),       ["xl-ssh"]),
    ({},                   Seen(ALPHA, Host("4.14.0", 748)),                    ["xen-versions"]),
    ({},                   Seen(ALPHA, Host("4.17.7", 748, (THERE,))),          ["xl-name-taken"]),
    ({},                   Seen(ALPHA, Host("4.17.7", 95)),                     [SHORT]),
    ({},                   Seen(ALPHA, Host("4.17.7", 96)),                     []),
    ({},                   Seen(ALPHA, Host("4.17.7", None)),                   []),
    ({"persistent": True}, Seen(ALPHA, ALPHA),                                  ["xl-option"]),
    (UNDEFINE,             None,                                            ["xl-option", NONE]),
]

SURE = ["handed-to-xl", "libvirt-loses-sight", "guest-kind"]
FORESEEN = [
    # migration URI          options               kinds beside those
    ("xenmigr://beta/",      {},                   []),
    ("xenmigr:beta",         {},                   ["slashes-missing"]),
    ("beta",                 {},                   []),
    ("beta:8002",            {},                   ["port-without-meaning"]),
    ("xenmigr://beta:8002/", {},                   ["port-without-meaning"]),
    ("xenmigr://beta/",      {"persistent": True}, ["xl-option"]),
    ("xenmigr://beta/",      UNDEFINE,             ["xl-option"]),
]

WORDS = [
    # what xl wrote                                        what is told
    ("",                                                   SILENT),
    (CHATTER,                                              SILENT),
    (f"{CHATTER}Migration failed, resuming at sender.\n",  "Migration failed, resuming at sender."),
    ("ssh: no such host\n",                                "ssh: no such host"),
]
# fmt: on


def unmanaged(migrator: Migrator, migration: str = "xenmigr://beta/", **options: Any) -> Plan:  # noqa: ANN401
    return migrator.plan(
        "web1", source="xen:///system", direct=True, migration=migration, **options
    )


@pytest.mark.parametrize(("options", "seen", "kinds"), JUDGED)
def test_what_xl_lacks_is_found_before(
    migrator: Migrator, options: dict[str, Any], seen: Seen | None, kinds: list[str]
) -> None:
    host = HostFacts("alpha", None, "Xen 4.17.7", "libvirt 9.0.0")
    guest = GuestFacts("web1", UUID, GuestState.RUNNING, persistent=False, memory=98304)

    found = judge(unmanaged(migrator, **options), Facts(host, guest, None, None), seen)

    assert [finding.id for finding in found] == kinds


def test_host_is_read_from_what_xl_prints() -> None:
    assert read_host(INFO) == Host("4.17.7", 748, (Domain("xl1", 1, 98304, "-b----", UUID),))


@pytest.mark.parametrize(("migration", "options", "kinds"), FORESEEN)
def test_plan_says_who_moves_the_guest_and_what_means_nothing_to_it(
    migrator: Migrator, migration: str, options: dict[str, Any], kinds: list[str]
) -> None:
    plan = unmanaged(migrator, migration, **options)

    found = {each.id: each for each in foresee(plan)}
    assert found.keys() == {*SURE, *kinds}
    assert "runs xl migrate web1 beta on the source" in found["handed-to-xl"].text
    assert "the source says which" in found["handed-to-xl"].text
    assert "runs the guest a second time" in found["libvirt-loses-sight"].text


def test_command_is_what_runs_on_the_source(migrator: Migrator) -> None:
    plan = unmanaged(migrator)

    (command,) = [each for each in plan.commands if each.tool == "xl"]
    assert command.argv == ("xl", "migrate", "-s", SSH, "web1", "beta")
    assert command.host is Seat.SOURCE


def test_command_says_what_xl_has_no_word_for(migrator: Migrator) -> None:
    plan = unmanaged(migrator, persistent=True, undefine_source=True)

    (command,) = [each for each in plan.commands if each.tool == "xl"]
    assert command.argv is None
    assert command.not_expressible == "xl migrate has nothing like --persistent, --undefinesource"


def test_current_revision_moves_it_likewise(migrator: Migrator) -> None:
    plan = unmanaged(migrator, "beta:8002", revision=Revision.CURRENT)

    # The port means nothing to xl, which goes over ssh.
    assert (plan.port.first, plan.port.last, plan.data.encrypted) == (22, 22, True)

    # No libvirt of today takes virsh's.
    assert [each.tool for each in plan.commands] == ["xl"]

    # Of two there is no talk, and xl touches no configuration.
    (who,) = [each.text for each in plan.findings if each.id == "handed-to-xl"]
    assert "xend" not in who
    for row in plan.configuration.rows:
        assert row.after == (False, row.before.source_config, row.before.destination_config)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("host", ["beta;reboot", "$(reboot)", "-oProxyCommand=x", "a`b`"])
def test_host_that_a_shell_would_read_is_refused(migrator: Migrator, host: str) -> None:
    with pytest.raises(Exception, match=r"a shell would read|begins with a dash|URI"):
        unmanaged(migrator, f"xenmigr://{host}/")


@pytest.mark.parametrize(("error", "told"), WORDS)
def test_failure_is_told_in_the_words_of_xl(error: str, told: str) -> None:
    assert last_words(error) == told


class FakeHosts:
    """Test double: a source whose xl has ended, and what is seen of the destination behind it."""

    def __init__(self, ended: Answer, there: Answer) -> None:
        self.ended, self.there = ended, there
        self.interrupt = self.abandon = lambda: None

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert seconds > 0
        assert argv[0] in {"ssh", "sh"}
        return self.there

    def start(self, argv: Sequence[str]) -> FakeHosts:
        assert argv[3:] == ("sh", "4", "xl", "migrate", "-s", SSH, "4", "beta")
        return self

    def wait(self, seconds: float) -> Answer:
        assert seconds >= 0
        return self.ended


def listed(name: str, flags: str = "-b----", uuid: str = UUID) -> Answer:
    row = f"{name:<40}     1    96     1     {flags}      32.5 {uuid}        -       -\n"
    return Answer(0, f"Name                      ID   Mem VCPUs State Time(s) UUID\n{row}", "")


DONE, UNSEEN = Answer(0, "", ""), Answer(255, "", "ssh: connect to host beta: timed out")
BROKE = Answer(255, "", f"{CHATTER}Migration failed, resuming at sender.\n")
NOWHERE = Answer(None, "", "it was not started, or the host has forgotten it")

# fmt: off
ENDS = [
    # xl         the destination                       what is told; None where it succeeded
    (DONE,       listed("web1"),                       None),
    (DONE,       listed("web1", "--p---"),             "but on beta it is paused"),
    (DONE,       listed("other"),                      "beta has it as other, which is running"),
    (DONE,       listed("web1", uuid=ANOTHER),         "beta does not have it"),
    (DONE,       Answer(0, "", ""),                    "what beta has of it is not known"),
    (DONE,       UNSEEN,                               "what beta has of it is not known"),
    (BROKE,      listed("web1", uuid=ANOTHER),         "sender.; beta does not have it"),
    (BROKE,      listed("web1--incoming", "--p---"),   "destroy web1--incoming"),
    (BROKE,      listed("web1"),                       "on beta it is running"),
    (NOWHERE,    listed("web1", uuid=ANOTHER),         "it was not started"),
]
# fmt: on


@pytest.mark.parametrize(("ended", "there", "told"), ENDS)
def test_end_is_judged_by_what_runs_on_the_destination(
    migrator: Migrator, ended: Answer, there: Answer, told: str | None
) -> None:
    hosts: Any = FakeHosts(ended, there)
    move = Handover(hosts, unmanaged(migrator), THERE)

    assert move.wait(1)
    assert move.statistics() is None
    if told is None:
        move.result()
    else:
        with pytest.raises(DriverError, match=re.escape(told)):
            move.result()


@pytest.mark.parametrize(
    ("name", "flags", "does"),
    [
        ("web1", "-b----", "leaves:\txl\tmigrate\tweb1\tgamma\t"),
        ("web1--migratedaway", "---ss-", ""),
        ("web2", "-b----", ""),
    ],
)
def test_nothing_is_begun_with_a_guest_that_moves_or_is_not_there(
    migrator: Migrator, name: str, flags: str, does: str
) -> None:
    answer = listed(name, flags)
    hosts: Any = FakeHosts(DONE, answer._replace(output=f"{answer.output}\n{does}\n"))

    with pytest.raises(DriverError, match=r"no such guest|migration out|migratedaway"):
        begin(hosts, unmanaged(migrator))


@pytest.mark.parametrize("guest", ["7", "-h"])
def test_no_remedy_names_another_guest(migrator: Migrator, guest: str) -> None:
    plan = migrator.plan(
        guest, source="xen:///system", direct=True, migration="beta:8002", revision=Revision.CURRENT
    )
    facts = Facts(HostFacts("alpha", None, "Xen 4.17.7", "libvirt 9.0.0"), None, None, None)

    found = (*foresee(plan), *judge(plan, facts, None))
    told = " ".join(f"{each.text} {each.remedy}" for each in found)

    assert f'xl migrate "$(xl domid -- {guest})" beta' in told
    assert not re.search(rf"xl \w+ {guest}\b", told)


@pytest.mark.parametrize("guest", ["7", "-h"])
def test_name_that_xl_takes_for_something_else_is_not_typed(migrator: Migrator, guest: str) -> None:
    plan = migrator.plan(guest, source="xen:///", direct=True, migration="xenmigr://beta/")

    (command,) = [each for each in plan.commands if each.tool == "xl"]
    assert command.argv is None


def test_of_two_moves_at_once_one_is_begun(tmp_path: Path) -> None:
    script = handover._ALONE.replace("/run/", f"{tmp_path}/")
    shell = Shell(("sh", "-c"), "this machine")

    first = shell.start(("sh", "-c", script, "sh", "4", "sleep", "30"))
    give_up = monotonic() + 10
    while not [*tmp_path.iterdir()] and monotonic() < give_up:
        sleep(0.05)
    second = shell.start(("sh", "-c", script, "sh", "4", "echo", "moved")).wait(10)
    other = shell.start(("sh", "-c", script, "sh", "5", "echo", "moved")).wait(10)
    first.interrupt()
    ended = first.wait(10)
    after = shell.start(("sh", "-c", script, "sh", "4", "echo", "moved")).wait(10)

    assert second == Answer(75, "", "another xl migrate moves it already\n")
    assert other == Answer(0, "moved\n", "")
    assert ended is not None
    assert after == Answer(0, "moved\n", "")


def test_nothing_is_begun_without_a_shell(migrator: Migrator) -> None:
    with pytest.raises(DriverError, match=r"config\.toml"):
        begin(None, unmanaged(migrator))
    with pytest.raises(UsageError, match="--persistent"):
        begin(None, unmanaged(migrator, persistent=True))
