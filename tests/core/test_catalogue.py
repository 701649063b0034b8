"""A catalogue is checked when it is made, and answers by numbers and words."""

from __future__ import annotations

from typing import Any

import pytest

from migrate_plugins import Catalogue, Diagnosis, Entry, Pattern, Remedy, Seat

REMEDY = (Remedy("mend it"),)
FULL = Entry(
    "disk-full",
    (Pattern(r"disk '(?P<disk>[^'\n]{1,20})' is full", "acme 1"), Pattern("no space", "acme 2")),
    "the disk {disk} is full",
    (Remedy("df {disk}", Seat.DESTINATION), Remedy("make room")),
    0.8,
    codes=(28,),
    domains=(3,),
    finding="disk-full",
    otherwise={"disk": "DISK"},
)
LIKELY = Entry("slow", (Pattern("slow", "acme 1"),), "it is slow", REMEDY, 0.5, inferred=(9,))
BESIDE = Entry("cold", (Pattern("slow", "acme 1"),), "it is cold", REMEDY, 0.6, beside="winter")
WRAPPER = Pattern(r"remote host said: ", "acme 1")

# fmt: off
AGREEMENT = [
    # code   domain  confidence of disk-full, or None where it is ruled out
    (28,     3,      0.8),
    (28,     None,   0.78),
    (28,     4,      0.78),
    (None,   None,   0.72),
    (None,   3,      0.72),
    (1,      3,      None),
]

WRONG = [
    # entry                                                             what is wrong with it
    (FULL._replace(otherwise={}),                                       "captures no disk"),
    (FULL._replace(cause="{who} is full"),                              "captures no who"),
    (FULL._replace(remedies=(Remedy("ask {who}"),)),                    "captures no who"),
    (FULL._replace(patterns=(Pattern("x?", "acme 1"),)),                "fits the empty text"),
]
# fmt: on


def _ids(catalogue: Catalogue, text: str, *numbers: int | None) -> list[str]:
    return [diagnosis.id for diagnosis in catalogue.diagnose(text, *numbers)]


@pytest.mark.parametrize(("code", "domain", "confidence"), AGREEMENT)
def test_numbers_that_agree_make_it_surer(
    code: int | None, domain: int | None, confidence: float | None
) -> None:
    found = Catalogue([FULL]).diagnose("no space left", code, domain)

    assert [diagnosis.confidence for diagnosis in found] == (
        [] if confidence is None else [confidence]
    )


def test_number_that_is_only_inferred_rules_nothing_out() -> None:
    found = [Catalogue([LIKELY]).diagnose("slow", code)[0].confidence for code in (9, None, 1)]

    assert found == [0.48, 0.45, 0.45]


def test_words_of_the_error_are_filled_in_and_quoted_for_a_shell() -> None:
    assert Catalogue([FULL]).diagnose("disk 'my disk' is full", 28, 3) == [
        Diagnosis(
            "disk-full",
            "the disk my disk is full",
            (Remedy("df 'my disk'", Seat.DESTINATION), Remedy("make room")),
            0.8,
            "disk-full",
        )
    ]


def test_last_of_several_counts() -> None:
    (found,) = Catalogue([FULL]).diagnose("disk 'a' is full\ndisk 'b' is full\n")

    assert found.cause == "the disk b is full"


def test_words_that_were_not_said_are_put_in_others() -> None:
    (found,) = Catalogue([FULL]).diagnose("no space")

    assert (found.cause, found.remedies[0].text) == ("the disk DISK is full", "df DISK")


@pytest.mark.parametrize("nasty", ["a\x1b[31mb", "a\u202eb", "a\ud800b", "a\tb"])
def test_what_cannot_be_printed_is_not(nasty: str) -> None:
    (found,) = Catalogue([FULL]).diagnose(f"disk '{nasty}' is full")

    assert found.cause.isprintable()
    assert found.remedies[0].text.isprintable()


def test_quoted_error_is_found_whatever_the_number_of_the_outer_one() -> None:
    catalogue = Catalogue([FULL], [WRAPPER])

    assert _ids(catalogue, "failed: remote host said: no space", 9) == ["disk-full"]
    assert _ids(catalogue, "failed: no space", 9) == []
    assert _ids(catalogue, "remote host said: remote host said: no space", 9) == ["disk-full"]


def test_what_has_to_stand_beside_may_stand_anywhere() -> None:
    catalogue = Catalogue([LIKELY, BESIDE])

    assert _ids(catalogue, "in winter\nit was slow") == ["cold", "slow"]
    assert _ids(catalogue, "it was slow") == ["slow"]


def test_what_may_not_stand_beside_may_stand_nowhere() -> None:
    catalogue = Catalogue([LIKELY._replace(unless="summer")])

    assert _ids(catalogue, "it was slow\nin summer") == []
    assert _ids(catalogue, "it was slow") == ["slow"]


@pytest.mark.parametrize(("entry", "problem"), WRONG)
def test_entry_that_could_not_be_told_is_refused(entry: Entry, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Catalogue([entry])


def test_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="more than one entry has the id slow"):
        Catalogue([LIKELY, FULL, LIKELY])


def test_entries_are_given_as_they_were_taken() -> None:
    entries: tuple[Any, ...] = (FULL, LIKELY)

    assert Catalogue(entries).entries == entries
