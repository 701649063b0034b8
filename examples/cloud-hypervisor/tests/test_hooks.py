"""What a plan says, over the public API alone, and which migration URIs are taken."""

from __future__ import annotations

import pytest

from migrate_plugins import Migrator, Plan, PlanError

# fmt: off
SOCKET = "/run/libvirt/ch/web1-socket"

PLANS = [
    # destination                       options        migration URI             commands
    ("ch+ssh://desthost/system",        {"live": True}, "tcp:desthost", [
        "destination: cloud-hypervisor --api-socket API-SOCKET",
        "destination: ch-remote --api-socket API-SOCKET"
        " receive-migration receiver_url=tcp:0.0.0.0:PORT",
        f"source: ch-remote --api-socket {SOCKET}"
        " send-migration destination_url=tcp:desthost:PORT",
    ]),
    ("ch+ssh://[2001:db8::7]/system",   {"live": True}, "tcp:[2001:db8::7]", [
        "destination: cloud-hypervisor --api-socket API-SOCKET",
        "destination: ch-remote --api-socket API-SOCKET"
        " receive-migration receiver_url=tcp:[::]:PORT",
        f"source: ch-remote --api-socket {SOCKET}"
        " send-migration destination_url=tcp:[2001:db8::7]:PORT",
    ]),
    ("ch+ssh://desthost/system",        {"tls": True, "migration": "tcp:10.0.0.1:9000"},
     "tcp:10.0.0.1:9000", [
        f"source: ch-remote --api-socket {SOCKET} pause",
        "destination: cloud-hypervisor --api-socket API-SOCKET",
        "destination: ch-remote --api-socket API-SOCKET"
        " receive-migration receiver_url=tcp:0.0.0.0:9000,tls_dir=CERTIFICATES",
        f"source: ch-remote --api-socket {SOCKET}"
        " send-migration destination_url=tcp:10.0.0.1:9000,tls_dir=CERTIFICATES",
        "destination: ch-remote --api-socket API-SOCKET resume",
    ]),
]

REFUSALS = [
    # request                                            what is wrong
    ({"migration": "tcp://desthost:49400"},              "Cloud Hypervisor reads no // behind tcp:"),
    ({"migration": "desthost:49400"},                    "it has no scheme"),
    ({"migration": "unix:/run/guest"},                   "its scheme is 'unix'"),
    ({"migration": "tcp:root@desthost:49400"},           "it has more than a host and a port"),
    ({"migration": "tcp:desthost/system"},               "it has more than a host and a port"),
    ({"p2p": True},                                      "does not offer native-p2p"),
    ({"persistent": True},                               "has no --persistent"),
    ({"destination": "ch+tls://desthost/system"},        "has no connection transport 'tls'"),
]
# fmt: on


@pytest.fixture(scope="module")
def migrator() -> Migrator:
    return Migrator.installed()


def _said(plan: Plan) -> list[str]:
    return [f"{command.host}: {' '.join(command.argv or ())}" for command in plan.commands]


@pytest.mark.parametrize(("destination", "options", "uri", "commands"), PLANS)
def test_plan_gives_the_uri_and_the_commands(
    migrator: Migrator,
    destination: str,
    options: dict[str, object],
    uri: str,
    commands: list[str],
) -> None:
    request: dict[str, object] = {"source": "ch:///system", "destination": destination, **options}

    plan = migrator.plan("web1", **request)  # type: ignore[arg-type] # a table of keywords

    assert plan.driver == "cloud-hypervisor"
    assert plan.uris.migration.value == uri
    assert _said(plan) == commands


def test_socket_of_a_session_is_left_to_the_reader(migrator: Migrator) -> None:
    plan = migrator.plan(
        "web1", source="ch:///session", destination="ch+ssh://desthost/session", live=True
    )

    assert _said(plan)[-1] == (
        "source: ch-remote --api-socket API-SOCKET send-migration destination_url=tcp:desthost:PORT"
    )


@pytest.mark.parametrize(("request_", "problem"), REFUSALS)
def test_refusal_names_what_is_wrong(
    migrator: Migrator, request_: dict[str, object], problem: str
) -> None:
    whole = {"source": "ch:///system", "destination": "ch+ssh://desthost/system", **request_}

    with pytest.raises(PlanError) as caught:
        migrator.plan("web1", **whole)  # type: ignore[arg-type] # a table of keywords

    (reason,) = caught.value.reasons
    assert problem in reason.text
    assert reason.instead
