"""What a plan says, over the public API alone, and which migration URIs are taken."""

from __future__ import annotations

from typing import Any

import pytest

from migrate_plugins import Migrator, Plan, PlanError

SOCKET = "/run/libvirt/ch/web1-socket"

# fmt: off
PLANS = [
    # destination, options, migration URI,
    #     receiver_url, destination_url
    ("desthost", {}, "tcp:desthost",
         "tcp:0.0.0.0:PORT", "tcp:desthost:PORT"),
    ("192.0.2.7", {}, "tcp:192.0.2.7",
         "tcp:0.0.0.0:PORT", "tcp:192.0.2.7:PORT"),
    ("[2001:db8::7]", {}, "tcp:[2001:db8::7]",
         "tcp:[::]:PORT", "tcp:[2001:db8::7]:PORT"),
    ("desthost", {"tls": True}, "tcp:desthost",
         "tcp:0.0.0.0:PORT,tls_dir=CERTIFICATES", "tcp:desthost:PORT,tls_dir=CERTIFICATES"),
    ("desthost", {"migration": "tcp:10.0.0.1:9000"}, "tcp:10.0.0.1:9000",
         "tcp:0.0.0.0:9000", "tcp:10.0.0.1:9000"),
    ("desthost", {"migration": "tcp:10.0.0.1"}, "tcp:10.0.0.1",
         "tcp:0.0.0.0:PORT", "tcp:10.0.0.1:PORT"),
]

REFUSALS = [
    # request                                       what is wrong
    ({"migration": "tcp://desthost:49400"},         "Cloud Hypervisor reads no // behind tcp:"),
    ({"migration": "desthost:49400"},               "it has no scheme"),
    ({"migration": "unix:/run/guest"},              "its scheme is 'unix'"),
    ({"migration": "tcp:root@desthost:49400"},      "it has more than a host and a port"),
    ({"migration": "tcp:desthost/system"},          "it has more than a host and a port"),
    ({"migration": "tcp:desthost?tls=on"},          "it has more than a host and a port"),
    ({"p2p": True},                                 "does not offer native-p2p"),
    ({"persistent": True},                          "has no --persistent"),
    ({"destination": "ch+tls://desthost/system"},   "has no connection transport 'tls'"),
]
# fmt: on


@pytest.fixture(scope="module")
def migrator() -> Migrator:
    return Migrator.installed()


def _plan(migrator: Migrator, **request: Any) -> Plan:  # noqa: ANN401 - what Request takes
    whole = {"source": "ch:///system", "destination": "ch+ssh://desthost/system"} | request
    return migrator.plan("web1", **whole)


def _commands(plan: Plan) -> list[str]:
    return [f"{command.host}: {' '.join(command.argv or ())}" for command in plan.commands]


@pytest.mark.parametrize(("host", "options", "uri", "receiver", "destination"), PLANS)
def test_plan_gives_the_uri_and_the_commands(
    migrator: Migrator,
    host: str,
    options: dict[str, Any],
    uri: str,
    receiver: str,
    destination: str,
) -> None:
    plan = _plan(migrator, destination=f"ch+ssh://{host}/system", live=True, **options)

    assert plan.driver == "cloud-hypervisor"
    assert plan.uris.migration.value == uri
    assert _commands(plan) == [
        "destination: cloud-hypervisor --api-socket API-SOCKET",
        f"destination: ch-remote --api-socket API-SOCKET receive-migration receiver_url={receiver}",
        f"source: ch-remote --api-socket {SOCKET} send-migration destination_url={destination}",
    ]


def test_guest_that_is_not_to_run_meanwhile_is_paused_first_and_resumed_at_the_end(
    migrator: Migrator,
) -> None:
    live, paused = (_commands(_plan(migrator, live=live)) for live in (True, False))

    assert paused == [
        f"source: ch-remote --api-socket {SOCKET} pause",
        *live,
        "destination: ch-remote --api-socket API-SOCKET resume",
    ]


def test_socket_of_a_session_is_left_open(migrator: Migrator) -> None:
    *_, send = _commands(_plan(migrator, source="ch:///session", live=True))

    assert send == (
        "source: ch-remote --api-socket API-SOCKET send-migration destination_url=tcp:desthost:PORT"
    )


def test_tls_is_what_encrypts(migrator: Migrator) -> None:
    assert _plan(migrator).data.encrypted is False
    assert _plan(migrator, tls=True).data.encrypted is True


@pytest.mark.parametrize(("request_", "problem"), REFUSALS)
def test_refusal_names_what_is_wrong(
    migrator: Migrator, request_: dict[str, Any], problem: str
) -> None:
    with pytest.raises(PlanError) as caught:
        _plan(migrator, **request_)

    (reason,) = caught.value.reasons
    assert problem in reason.text
    assert reason.instead
