"""Which of the document's scenarios a request asks for: by its name, else by the flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.document import SCENARIOS, Scenario
from migrate_plugins.model import Flow, Reason, Transport

if TYPE_CHECKING:
    from migrate_plugins.model import Request

__all__ = ["Choice", "choose_scenario"]


class Choice(NamedTuple):
    """The scenario that was chosen and why, or every reason why none can be.

    Attributes:
        scenario: None where the request does not say which one it means.
        because: What in the request decided.
        reasons: What is wrong; there may be some although a scenario was chosen.
        possible: Where none was chosen, those that may be meant.
    """

    scenario: Scenario | None
    because: str = ""
    reasons: tuple[Reason, ...] = ()
    possible: tuple[Scenario, ...] = ()


_BOTH: Final = Reason(
    "flow-contradiction",
    "--p2p and --direct were both given",
    "--p2p lets the source's daemon control the migration, --direct the hypervisor",
    usage=True,
)
_TUNNELLED_DIRECT: Final = Reason(
    "tunnelled-needs-p2p",
    "--tunnelled was given with --direct, where no daemon takes part",
    "use --p2p --tunnelled",
    usage=True,
)
_TUNNELLED_ALONE: Final = Reason(
    "tunnelled-needs-p2p",
    "--tunnelled was given without --p2p: memory can travel inside a libvirt connection only"
    " where the two daemons have one",
    "use --p2p --tunnelled",
    usage=True,
)


def choose_scenario(request: Request) -> Choice:
    """Choose the scenario of *request*."""
    if request.p2p and request.direct:
        peer2peer = SCENARIOS["tunnelled-p2p" if request.tunnelled else "native-p2p"]
        possible = (peer2peer, SCENARIOS["native-unmanaged"])
        return Choice(None, reasons=(_BOTH,), possible=possible)
    if request.scenario is not None:
        return _named(request, request.scenario)
    if request.direct:
        reasons = (_TUNNELLED_DIRECT,) if request.tunnelled else ()
        return Choice(SCENARIOS["native-unmanaged"], "--direct", reasons)
    if request.p2p and request.tunnelled:
        return Choice(SCENARIOS["tunnelled-p2p"], "--p2p --tunnelled")
    if request.p2p:
        return Choice(SCENARIOS["native-p2p"], "--p2p without --tunnelled")
    if request.tunnelled:
        return Choice(None, reasons=(_TUNNELLED_ALONE,), possible=(SCENARIOS["tunnelled-p2p"],))
    return Choice(SCENARIOS["native-direct"], "neither --p2p nor --direct")


def _named(request: Request, name: str) -> Choice:
    scenario = SCENARIOS.get(name)
    if scenario is None:
        text, instead = f"there is no scenario {name!r}", f"the document has {', '.join(SCENARIOS)}"
        unknown = Reason("scenario-unknown", text, instead, usage=True)
        return Choice(None, reasons=(unknown,), possible=(*SCENARIOS.values(),))
    told = f"scenario {name} is {scenario.flow}, {scenario.transport}"
    reasons = tuple(
        Reason(
            "scenario-contradiction",
            f"{flag} was given, and {told}",
            f"leave out {flag} or --scenario",
            usage=True,
        )
        for flag, given, fits in (
            ("--p2p", request.p2p, scenario.flow is Flow.MANAGED_PEER2PEER),
            ("--direct", request.direct, scenario.flow is Flow.UNMANAGED_DIRECT),
            ("--tunnelled", request.tunnelled, scenario.transport is Transport.TUNNELLED),
        )
        if given and not fits
    )
    return Choice(scenario, f"--scenario {name}", reasons)
