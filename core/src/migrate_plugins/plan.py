"""A plan: everything that will happen, and for each value *because*.

A frozen value that goes to JSON and back unchanged.  What follows from the scenario alone (flow,
transport, API call, what a client crash does) is not stored twice: it is read from the document.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from migrate_plugins.document import (
    CRASH,
    SCENARIOS,
    After,
    Before,
    ClientCrash,
    Crash,
    OwnConfiguration,
    Row,
    Scenario,
    after,
    rows,
)
from migrate_plugins.errors import UsageError
from migrate_plugins.findings import Finding, Severity
from migrate_plugins.model import ChosenBy, NativeCommand, Request, Revision, Seat, Transport
from migrate_plugins.options import own_options

__all__ = ["SCHEMA", "Channel", "Configuration", "Plan", "PlannedPort", "PlannedURI", "URIs"]

SCHEMA: Final = "migrate-plugins/plan/1"


class PlannedURI(NamedTuple):
    """A URI with the seat it is read from; *value* is None where none is used."""

    value: str | None
    seen_from: Seat
    because: str


class URIs(NamedTuple):
    """The document's three URIs, and the destination as the client sees it.

    Attributes:
        source: First URI.
        destination: Second URI, as whoever controls the migration opens it: the client, or in
            peer-to-peer the source.
        migration: Third URI.
        destination_from_client: How the client opens the destination: to take part in the
            migration where the scenario says so, and to read the outcome back.
    """

    source: PlannedURI
    destination: PlannedURI
    migration: PlannedURI
    destination_from_client: PlannedURI


class PlannedPort(NamedTuple):
    """The port that receives the memory: *value* is None while it is not known."""

    value: int | None
    first: int | None
    last: int | None
    chosen_by: ChosenBy
    because: str


class Channel(NamedTuple):
    """A network path.

    Attributes:
        origin: Who opens it.
        target: Who accepts it.
        protocol: What is spoken on it.
        ports: Lowest and highest TCP port of *target*; None where none is opened.
        encrypted: Whether it can be read on the way; None where nobody outside can know.
        because: Why it is (not) encrypted, and where the ports come from.
    """

    origin: Seat
    target: Seat
    protocol: str
    ports: tuple[int, int] | None
    encrypted: bool | None
    because: str

    @property
    def crosses_network(self) -> bool:
        """Whether it leaves the machine: only a UNIX socket has no port and nothing to encrypt."""
        return self.ports is not None or self.encrypted is not None


class Configuration(NamedTuple):
    """What becomes of the configuration files.

    Attributes:
        before: As read from both hosts, or None while nobody has looked.
        after: What follows, or None while *before* decides that and is not known.
        rows: The rows of the document's table that the flags leave open.
        because: Which flags and which revision decide.
    """

    before: Before | None
    after: After | None
    rows: tuple[Row, ...]
    because: str


class Plan(NamedTuple):
    """Everything that will happen.

    Attributes:
        request: What was asked for.
        driver: Name of the driver that owns both hosts.
        scenario_id: One of the document's six.
        scenario_because: Why this one.
        uris: The three URIs.
        receiver: Host that receives the memory: that of the third URI, or of the second where
            memory is tunnelled; None where no URI names it.
        flags: libvirt's migration flags, by name.
        port: The port that receives the memory.
        control: The control path, a channel for each leg.
        data: The path of the guest's memory.
        before: The guest's configuration as read from both hosts, or None.
        commands: The same migration in the words of the hypervisor's own tools.
        commands_because: Whose words they are.
        findings: What can be said without looking at a host.
        own_configuration: What becomes of the guest's configuration, where the document's table
            does not hold; else None.
        own_crash: What becomes of it when the client crashes, where it is not as the document says
            of the flow; else None.
        own_api: What the driver calls, where it is not the call that the document names; else None.
    """

    request: Request
    driver: str
    scenario_id: str
    scenario_because: str
    uris: URIs
    receiver: str | None
    flags: tuple[str, ...]
    port: PlannedPort
    control: tuple[Channel, ...]
    data: Channel
    before: Before | None = None
    commands: tuple[NativeCommand, ...] = ()
    commands_because: str = ""
    findings: tuple[Finding, ...] = ()
    own_configuration: OwnConfiguration | None = None
    own_crash: ClientCrash | None = None
    own_api: str | None = None

    @property
    def scenario(self) -> Scenario:
        """What the document says of the scenario."""
        return SCENARIOS[self.scenario_id]

    @property
    def api(self) -> str:
        """What is called to carry it out."""
        return self.own_api or self.scenario.api

    @property
    def calls_libvirt(self) -> bool:
        """Whether that is a call of libvirt, which alone takes its flags."""
        return self.api.startswith("virDomain")

    @property
    def guest(self) -> str:
        """Name of the guest on the source."""
        return self.request.guest

    @property
    def destination_name(self) -> str:
        """Name of the guest on the destination."""
        return self.request.dname or self.request.guest

    @property
    def own(self) -> dict[str, tuple[str, ...]]:
        """The driver's own options that were given: name to value, or to several."""
        return own_options(self.request)

    @property
    def own_as_typed(self) -> str:
        """The same, as they are typed."""
        return " ".join(f"-o {text}" for text in self.request.options)

    @property
    def memory_in_the_open(self) -> bool:
        """Whether the guest's memory crosses a network where it could, or might, be read."""
        return not self.request.offline and self.data.crosses_network and not self.data.encrypted

    @property
    def memory_crosses_network(self) -> bool:
        """Whether the guest's memory crosses a network at all."""
        return not self.request.offline and self.data.crosses_network

    @property
    def configuration(self) -> Configuration:
        """What becomes of the configuration files."""
        undefine, persist = self.request.undefine_source, self.request.persistent
        revision = self.request.revision
        if self.own_configuration is not None:
            own = self.own_configuration
            then = own.after if self.before is None else own.of(self.before)
            left = rows(revision, undefine_source=undefine, persist=persist)
            if self.before is not None:
                left = (Row(self.before, undefine, persist, own.of(self.before)),)
            left = tuple(row._replace(after=own.of(row.before)) for row in left)
            return Configuration(self.before, then, left, own.because)
        given = [
            f"{'' if on else 'no '}{flag}"
            for flag, on in (("--undefinesource", undefine), ("--persistent", persist))
        ]
        because = f"{' and '.join(given)}, by the document's table, revision {revision}"
        if self.before is None:
            because += "; which row holds is known once both hosts are read"
            left = rows(revision, undefine_source=undefine, persist=persist)
            return Configuration(None, None, left, because)
        then = after(self.before, undefine_source=undefine, persist=persist, revision=revision)
        row = Row(self.before, undefine, persist, then)
        return Configuration(self.before, then, (row,), because)

    @property
    def on_client_crash(self) -> ClientCrash:
        """What becomes of the migration if the client crashes or loses its connection."""
        return self.own_crash or CRASH[self.scenario.flow]

    @property
    def because(self) -> dict[str, str]:
        """The reason for each value that does not carry its own."""
        scenario = self.scenario
        return {
            "guest": "asked for",
            "driver": f"it claims the scheme of {self.uris.source.value}",
            "scenario": self.scenario_because,
            "flow": f"scenario {scenario.id}",
            "transport": f"scenario {scenario.id}",
            "api": f"the document names it for scenario {scenario.id}"
            if self.own_api is None
            else f"the words of the {self.driver} driver, in revision {self.request.revision}",
            "revision": "the edition of the rules that was asked for"
            if self.request.revision is not Revision.ORIGINAL
            else "the document itself is the default",
            "flags": f"{', '.join(scenario.flags) or 'none'} for the scenario,"
            " the others for the options",
            "receiver": self._receiver_because,
            "commands": self.commands_because,
            "on_client_crash": f"flow {scenario.flow}"
            if self.own_crash is None
            else f"the words of the {self.driver} driver",
        }

    @property
    def _receiver_because(self) -> str:
        if self.receiver is None:
            return "no URI names it: the hypervisor decides"
        if self.scenario.transport is Transport.TUNNELLED:
            return "memory travels inside the connection of the second URI"
        return "host of the third URI"

    def to_json(self) -> dict[str, Any]:
        """Give the plan as JSON's own types, in a stable order."""
        scenario = self.scenario
        crash = self.on_client_crash
        configuration = self.configuration
        return {
            "schema": SCHEMA,
            "guest": self.guest,
            "driver": self.driver,
            "scenario": scenario.id,
            "flow": scenario.flow.value,
            "transport": scenario.transport.value,
            "api": self.api,
            "revision": self.request.revision.value,
            "uris": {name: _plain(uri) for name, uri in self.uris._asdict().items()},
            "receiver": self.receiver,
            "flags": list(self.flags),
            "port": _plain(self.port),
            "channels": {
                "control": [_channel(channel) for channel in self.control],
                "data": _channel(self.data),
            },
            "configuration": {
                "before": configuration.before and configuration.before._asdict(),
                "after": configuration.after and configuration.after._asdict(),
                "rows": [
                    {"before": row.before._asdict(), "after": row.after._asdict()}
                    for row in configuration.rows
                ],
                "own": self.own_configuration is not None,
                "untouched": self.own_configuration is not None
                and self.own_configuration.after is None,
                "because": configuration.because,
            },
            "on_client_crash": {
                "then": crash.then.value,
                "own": self.own_crash is not None,
                "because": crash.because,
            },
            "commands": [_command(command) for command in self.commands],
            "findings": [_plain(finding) for finding in self.findings],
            "because": self.because,
            "request": request_to_json(self.request),
        }

    @classmethod
    def from_json(cls, json: object) -> Plan:
        """Read what :meth:`to_json` wrote.

        Raises:
            UsageError: It is not a plan of this schema.
        """
        if not isinstance(json, dict) or json.get("schema") != SCHEMA:
            found = json.get("schema") if isinstance(json, dict) else type(json).__name__
            raise UsageError(
                f"not a plan: the schema is {found!r}; `migrate-plugins plan --json` writes"
                f" {SCHEMA!r}"
            )
        try:
            return _read_plan(json)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"the plan is damaged: {type(error).__name__}: {error};"
                " write it anew with `migrate-plugins plan --json`"
            ) from error


def request_to_json(request: Request) -> dict[str, Any]:
    """Give what was asked for, without what was left at its default."""
    defaults = Request._field_defaults
    given = {
        field: value
        for field, value in zip(request._fields, request, strict=True)
        if field not in defaults or value != defaults[field]
    }
    return {field: list(value) if type(value) is tuple else value for field, value in given.items()}


def _read_plan(json: dict[str, Any]) -> Plan:
    given: dict[str, Any] = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in json["request"].items()
    }
    if "revision" in given:
        given["revision"] = Revision(given["revision"])
    kept, crash = json["configuration"], json["on_client_crash"]
    before = kept["before"]
    # What older versions wrote says nothing of it: they knew the document's alone.
    own = None
    if kept.get("own"):
        after = None if kept.get("untouched") else After(**kept["after"])
        own = OwnConfiguration(after, kept["because"])
    scenario, api = SCENARIOS[json["scenario"]], json["api"]
    own_crash = ClientCrash(Crash(crash["then"]), crash["because"]) if crash.get("own") else None
    return Plan(
        request=Request(**given),
        driver=json["driver"],
        scenario_id=scenario.id,
        scenario_because=json["because"]["scenario"],
        uris=URIs(
            **{
                name: PlannedURI(uri["value"], Seat(uri["seen_from"]), uri["because"])
                for name, uri in json["uris"].items()
            }
        ),
        receiver=json["receiver"],
        flags=tuple(json["flags"]),
        port=PlannedPort(**{**json["port"], "chosen_by": ChosenBy(json["port"]["chosen_by"])}),
        control=tuple(_read_channel(channel) for channel in json["channels"]["control"]),
        data=_read_channel(json["channels"]["data"]),
        before=Before(**before) if before else None,
        commands=tuple(_read_command(command) for command in json["commands"]),
        commands_because=json["because"]["commands"],
        findings=tuple(
            Finding(**{**finding, "severity": Severity(finding["severity"])})
            for finding in json["findings"]
        ),
        own_configuration=own,
        own_crash=own_crash,
        own_api=None if api == scenario.api else api,
    )


def _plain(value: PlannedURI | PlannedPort | Finding) -> dict[str, Any]:
    return {
        field: item.value if isinstance(item, (Seat, ChosenBy, Severity)) else item
        for field, item in value._asdict().items()
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "from": channel.origin.value,
        "to": channel.target.value,
        "protocol": channel.protocol,
        "ports": list(channel.ports) if channel.ports else None,
        "encrypted": channel.encrypted,
        "because": channel.because,
    }


def _read_channel(json: dict[str, Any]) -> Channel:
    ports = json["ports"]
    return Channel(
        origin=Seat(json["from"]),
        target=Seat(json["to"]),
        protocol=json["protocol"],
        ports=(ports[0], ports[1]) if ports else None,
        encrypted=json["encrypted"],
        because=json["because"],
    )


def _command(command: NativeCommand) -> dict[str, Any]:
    said = (
        {"not_expressible": command.not_expressible}
        if command.argv is None
        else {"argv": list(command.argv)}
    )
    return {"tool": command.tool, "host": command.host.value, **said}


def _read_command(json: dict[str, Any]) -> NativeCommand:
    argv = json.get("argv")
    return NativeCommand(
        tool=json["tool"],
        argv=None if argv is None else tuple(argv),
        not_expressible=json.get("not_expressible"),
        host=Seat(json["host"]),
    )
