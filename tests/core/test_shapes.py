"""An answer that is of the right type, and of the wrong shape."""

from __future__ import annotations

from typing import Any

import pytest

from migrate_plugins import (
    LIBVIRT_CONTROL,
    After,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ClientCrash,
    Command,
    Crash,
    Diagnosis,
    DriverInfo,
    DriverOption,
    Finding,
    Kind,
    NativeCommand,
    Offer,
    OwnConfiguration,
    PortRule,
    Reason,
    Remedy,
    Severity,
)
from migrate_plugins.shapes import misfit

INFO = DriverInfo("x", "X", ("x",), ("xmigr",), LIBVIRT_CONTROL, "x://beta/")
CLAIM = Claim(Basis.CODE, "here", "1")
OFFER = Offer(CLAIM, frozenset({"live"}), migration_uri=True)
CAPABILITIES = Capabilities({"native-direct": OFFER}, ("xmigr",), "stream", "made", None, "no")
OWN = DriverOption("pool", "where to", "POOL")
RULE = PortRule(1, 2, ChosenBy.US, "here")
COMMAND = NativeCommand("x", ("x",))
FINDING = Finding("a", Severity.ERROR, None, "text")
DIAGNOSIS = Diagnosis("a", "cause", (Remedy("remedy"),), 1)


def _but(value: Any, **fields: Any) -> Any:  # noqa: ANN401 - wrong on purpose
    """Give a value with other fields, whatever a type checker says to that."""
    return value._replace(**fields)


# fmt: off
GOOD = [INFO, CLAIM, OFFER, CAPABILITIES, RULE, COMMAND, FINDING, DIAGNOSIS,
        Reason("a", "b", "c"), Command("a", "b", "c"), "a text", None]

WRONG: list[tuple[Any, str]] = [
    # value                                        what is wrong with it
    (_but(INFO, title=b"X"),                    "the title of its DriverInfo is b'X'"),
    (_but(INFO, connection_schemes=["x"]),
     "the connection_schemes of its DriverInfo is ['x']"),
    (_but(INFO, control=None),                  "the control of its DriverInfo is None"),
    (_but(INFO, control={"": "tcp"}),           "the control of its DriverInfo is {'': 'tcp'}"),
    (_but(CAPABILITIES, offers=None),           "the offers of its Capabilities is None"),
    (_but(CAPABILITIES, offers=["native-direct"]),
     "the offers of its Capabilities is ['native-direct']"),
    (_but(CAPABILITIES, offers={"x": "yes"}),
     "the offers of its Capabilities is {'x': 'yes'}"),
    (_but(CAPABILITIES, encrypted="no"),        "the encrypted of its Capabilities is 'no'"),
    (_but(OFFER, claim=_but(CLAIM, basis="code")),
     "the basis of its Claim is 'code'"),
    (_but(OFFER, own=[OWN]),                    f"the own of its Offer is {[OWN]!r}"),
    (_but(OFFER, own=(_but(OWN, name="A b"),)),
     "the name of its DriverOption is 'A b'"),
    (_but(CAPABILITIES, apart={"native-p2p": _but(CAPABILITIES, protocol=None)}),
     "the protocol of its Capabilities is None"),
    (_but(OWN, kind=Kind.FLAG),
     "the kind of its DriverOption is <Kind.FLAG: 'flag'>"),
    (_but(CAPABILITIES, configuration="moves"), "the configuration of its Capabilities is 'moves'"),
    (_but(CAPABILITIES, on_client_crash=(1, 2)),
     "the on_client_crash of its Capabilities is (1, 2)"),
    (_but(OwnConfiguration(After(True, False, True), "x"), after=(1, 2, 3)),
     "the after of its OwnConfiguration is (1, 2, 3)"),
    (_but(ClientCrash(Crash.ABORTED, "x"), then="aborted"),
     "the then of its ClientCrash is 'aborted'"),
    (_but(RULE, first="1"),                     "the first of its PortRule is '1'"),
    (_but(RULE, first=True),                    "the first of its PortRule is True"),
    (_but(FINDING, severity="error"),           "the severity of its Finding is 'error'"),
    (_but(DIAGNOSIS, confidence=None),          "the confidence of its Diagnosis is None"),
    (_but(Command("a", "b", "c"), name=1), "the name of its Command is 1"),
    (_but(Reason("a", "b", "c"), instead=None), "the instead of its Reason is None"),
]
# fmt: on


@pytest.mark.parametrize("value", GOOD)
def test_good_answer_fits(value: object) -> None:
    assert misfit(value) is None


@pytest.mark.parametrize(("value", "problem"), WRONG)
def test_field_that_is_wrong_is_named(value: object, problem: str) -> None:
    assert misfit(value) == problem
