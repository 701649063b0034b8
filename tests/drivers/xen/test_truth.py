"""What Xen shows, and what is made of what libvirt says beside it; by table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import HANDED_OVER, INCOMING, GuestFacts, GuestState, Leftover
from migrate_plugins_xen.domains import read_domains
from migrate_plugins_xen.truth import AWAITED, FORGOTTEN, HELD, MISCALLED, Seen, Told, believe, see

RUNNING, PAUSED, SHUTOFF = GuestState.RUNNING, GuestState.PAUSED, GuestState.SHUTOFF
UNKNOWN, CRASHED = GuestState.UNKNOWN, GuestState.CRASHED
FREE, JOB = Told(held=False), Told(held=True)
OUT, IN, SOME = "migration out", "migration in", "a job of libvirt's"
UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
HEAD = "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID\n"
HELPERS = "/usr/lib/xen-4.17/bin/libxl-save-helper"


def guest(state: GuestState, reason: str | None = None) -> GuestFacts:
    return GuestFacts("web1", "u1", state, persistent=False, memory=98304, reason=reason)


def row(state: str, number: int = 7) -> str:
    return f"web1      {number}    96     1     {state}      21.8 {UUID}        -                -"


# fmt: off
# What two Xen hosts printed, and what is read from it.
PRINTED: list[tuple[str, Seen]] = [
    (row("-b----"),                                                      Seen()),
    (row("r-----"),                                                      Seen()),
    (row("------"),                                                      Seen()),
    (row("--p---"),                                                      Seen(paused=True)),
    (row("---ss-"),                                                      Seen(suspended=True)),
    (f"{row('-b----')}\n320 {HELPERS} --save-domain 49 38 7 1 136 0",    Seen(sending=True)),
    (f"{row('--p---')}\n310 {HELPERS} --restore-domain 47 -1 7 1 0 2 0 768 0",
                                                        Seen(paused=True, receiving=True)),
    # of another guest
    (f"{row('-b----')}\n320 {HELPERS} --save-domain 49 38 17 1 136 0",   Seen()),
    (f"{row('-b----')}\n320 {HELPERS} --save-domain 7 7 1 7 7 7",        Seen()),
    # by xl, before and after its memory is on the way
    (f"{row('-b----')}\nleaves:\t/usr/sbin/xl\tmigrate\t7\tbeta\t", Seen(sending=True)),
    (row("-b----", number=8),                                            Seen(gone=True)),
    (row("---sc-"),                                   Seen(ended=CRASHED)),
    (row("---s--"),                                   Seen(ended=SHUTOFF)),
    ("",                                                                    Seen(gone=True)),
]

# What libvirt says, what it says besides, what Xen shows; what is believed.
BELIEFS: list[tuple[GuestFacts, Told, Seen | None, tuple[GuestState, str | None],
                    str | None, Leftover | None]] = [
    (guest(RUNNING, "booted"),    FREE, Seen(),               (RUNNING, "booted"),      None, None),
    (guest(RUNNING, "booted"),    FREE, None,                 (RUNNING, "booted"),      None, None),
    (guest(SHUTOFF),              FREE, None,                 (SHUTOFF, None),          None, None),
    (guest(PAUSED, "user"),       FREE, Seen(paused=True),    (PAUSED, "user"),         None, None),
    (guest(PAUSED, "user"),       FREE, None,                 (PAUSED, "user"),         None, None),
    # on the way
    (guest(RUNNING, "booted"),    JOB,  Seen(sending=True),   (RUNNING, "booted"),      OUT,  None),
    (guest(SHUTOFF),              JOB,  None,                 (PAUSED, INCOMING),       IN,   None),
    # it never came, and libvirt waits on
    (guest(SHUTOFF),              JOB,  Seen(gone=True),      (SHUTOFF, None),       None, AWAITED),
    (guest(PAUSED, "user"),       JOB,  Seen(paused=True, receiving=True),
                                                              (PAUSED, INCOMING),       IN,   None),
    (guest(RUNNING, "booted"),    Told(held=True, runs=True), None,
                                                              (RUNNING, "booted"),      SOME, None),
    # sent by xl, of which libvirt knows nothing
    (guest(RUNNING, "booted"),    FREE, Seen(sending=True),   (RUNNING, "booted"),      OUT,  None),
    # a job that was never ended
    (guest(RUNNING, "booted"),    JOB,  Seen(),               (RUNNING, "booted"),      None, HELD),
    (guest(RUNNING, "booted"),    Told(held=True, over=True), None,
                                                              (RUNNING, "booted"),      None, HELD),
    # whoever led the migration is gone: it stands still on both hosts
    (guest(RUNNING, "migrated"),  JOB,  Seen(suspended=True), (PAUSED, HANDED_OVER),    None, HELD),
    (guest(PAUSED, "user"),       JOB,  Seen(paused=True),    (PAUSED, INCOMING),       None, HELD),
    # libvirt dumps it, or a person paused it by xl: by nobody whom a migration has to do with
    (guest(RUNNING, "booted"),    JOB,  Seen(paused=True),    (PAUSED, None),           None, HELD),
    (guest(RUNNING, "migrated"),  Told(held=True, runs=False), None,
                                                              (UNKNOWN, "migrated"),    SOME, None),
    # peer-to-peer that failed early
    (guest(PAUSED, "migration"),  FREE, Seen(),             (RUNNING, "unpaused"), None, MISCALLED),
    (guest(PAUSED, "migration"),  Told(held=False, runs=True), None,
                                                            (RUNNING, "unpaused"), None, MISCALLED),
    (guest(PAUSED, "migration"),  Told(held=False, runs=False), None,
                                                              (UNKNOWN, "migration"),   None, None),
    (guest(PAUSED, "migration"),  FREE, Seen(paused=True),    (PAUSED, "migration"),    None, None),
    # ended behind libvirt's back
    (guest(RUNNING, "booted"),    FREE, Seen(ended=CRASHED),  (CRASHED, None),          None, None),
    (guest(RUNNING, "booted"),    FREE, Seen(gone=True),      (SHUTOFF, None),     None, FORGOTTEN),
    (guest(PAUSED, "user"),       JOB,  Seen(gone=True),      (SHUTOFF, None),     None, FORGOTTEN),
]
# fmt: on

sights = st.none() | st.builds(Seen, *[st.booleans()] * 5)
tolds = st.builds(Told, st.booleans(), st.booleans(), st.sampled_from([None, False, True]))
guests = st.builds(guest, st.sampled_from(GuestState), st.sampled_from([None, "migration", "user"]))


@pytest.mark.parametrize(("output", "seen"), PRINTED)
def test_what_xen_shows_is_seen(output: str, seen: Seen) -> None:
    first, _, rest = output.partition("\n")

    assert see(read_domains(f"{HEAD}{first}\n\n{rest}\n"), 7) == seen


@pytest.mark.parametrize(("facts", "told", "seen", "state", "job", "leftover"), BELIEFS)
def test_xen_is_believed(
    facts: GuestFacts,
    told: Told,
    seen: Seen | None,
    state: tuple[GuestState, str | None],
    job: str | None,
    leftover: Leftover | None,
) -> None:
    found = believe(facts, told, seen)

    assert ((found.state, found.reason), found.job, found.leftover) == (state, job, leftover)
    assert found[:2] == facts[:2]


@given(guests, tolds, sights)
def test_no_guest_is_said_to_run_that_xen_shows_at_rest(
    facts: GuestFacts, told: Told, seen: Seen | None
) -> None:
    found = believe(facts, told, seen)

    if seen is not None and not seen.receiving and (seen.paused or seen.suspended or seen.gone):
        assert found.state is not RUNNING
    if seen is not None and (seen.sending or seen.receiving):
        assert found.job in {OUT, IN}
    if not told.held:
        assert found.leftover != HELD


@given(guests, tolds)
def test_where_xen_cannot_be_asked_nothing_is_said_to_run_that_uses_no_time(
    facts: GuestFacts, told: Told
) -> None:
    found = believe(facts, told._replace(runs=False), None)

    assert found.state is not RUNNING
