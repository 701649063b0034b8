"""Values that the laws hold for: URIs, port rules and requests that can be planned."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from migrate_plugins import (
    OPTIONS,
    ChosenBy,
    ConnectionURI,
    Kind,
    MigrationURI,
    Option,
    PortRule,
    Request,
    Revision,
)

_ALNUM = string.ascii_letters + string.digits


def _texts(alphabet: str, first: str | None = None, longest: int = 12) -> st.SearchStrategy[str]:
    if first is None:
        return st.text(alphabet, min_size=1, max_size=longest)
    return st.builds(str.__add__, st.sampled_from(first), st.text(alphabet, max_size=longest - 1))


schemes = _texts(_ALNUM + ".-", string.ascii_letters, 8)
transports = _texts(_ALNUM, longest=8)
users = st.text(_ALNUM + "%:._-\\", max_size=8)
ports = st.integers(0, 65535)
queries = st.text(_ALNUM + "=&/?%[]:@", max_size=16)
paths = st.one_of(st.just(""), st.builds("/{}".format, st.text(_ALNUM + "/:@[]%._-", max_size=16)))
names = _texts(_ALNUM + ".-_", string.ascii_letters)
ipv4s = st.ip_addresses(v=4).map(str)
ipv6s = st.one_of(
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded.upper()),
    st.builds("{}%{}".format, st.ip_addresses(v=6), st.sampled_from(["eth0", "1", "br-lan.7"])),
)
hosts = st.one_of(names, ipv4s, ipv6s)


def _optional(values: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), values)


_NOTHING = st.none()
_PORT = st.one_of(st.none(), ports)
_TWO, _ONE, _NO = st.just("//"), st.just("/"), st.just("")
_SLASHED = st.builds("/{}".format, _texts(_ALNUM + "/._-", _ALNUM))

connection_uris = st.one_of(
    st.builds(
        ConnectionURI,
        *(schemes, _optional(transports)),
        *(_optional(users), hosts, _PORT, paths, _optional(queries), _TWO),
    ),
    st.builds(
        ConnectionURI,
        *(schemes, _optional(transports)),
        *(_NOTHING, _NOTHING, _NOTHING, paths, _optional(queries), _TWO),
    ),
    st.builds(
        ConnectionURI,
        *(schemes, st.sampled_from(["tls", "ssh", "tcp", "TLS"])),
        *(_NOTHING, st.one_of(names, ipv4s), _NOTHING, _SLASHED, _optional(queries), _ONE),
    ),
    st.builds(
        ConnectionURI,
        *(schemes, st.sampled_from(["unix", "UNIX", None])),
        *(_NOTHING, _NOTHING, _NOTHING, _SLASHED, _optional(queries), _NO),
    ),
)

# The old and the bare form take no host of digits alone: it would be read as a port.
migration_uris = st.one_of(
    st.builds(
        MigrationURI,
        *(schemes, _optional(users), hosts, _PORT, paths, _optional(queries), _TWO),
    ),
    st.builds(
        MigrationURI,
        *(schemes, _optional(users), hosts, _PORT, paths, _optional(queries), _NO),
    ),
    st.builds(
        MigrationURI,
        *(_NOTHING, _NOTHING, hosts, _PORT, paths, _optional(queries), _NO),
    ),
    st.builds(
        MigrationURI,
        *(schemes, _NOTHING, _NOTHING, _NOTHING, _SLASHED, _optional(queries), _TWO),
    ),
    st.builds(
        MigrationURI,
        *(schemes, _NOTHING, _NOTHING, _NOTHING, _SLASHED, _optional(queries), _NO),
    ),
)

# Close to a URI and often not one.
scribbles = st.text("aqt1:/+@[]?#%. -٢", max_size=16)


def _port_rule(first: int, length: int) -> PortRule:
    return PortRule(first, first + length, ChosenBy.US, "generated")


port_rules = st.builds(_port_rule, st.integers(1024, 65000), st.integers(0, 5))

# Where each driver's guests go, with flags that name a scenario of its.
_PLACES = {
    "qemu": ("qemu:///system", "qemu+ssh://desthost/system", "tcp://10.0.0.1/"),
    "xen": ("xen:///system", "xen+tls://desthost/system", None),
    "vmware": ("vpx://vcenter/DC/a", "vpx://vcenter/DC/b", "vpxmigr://192.0.2.7/pool/host-1"),
    "vbox": ("vbox:///session", "vbox+ssh://[2001:db8::7]/session", "vboxmigr://10.0.0.9:49301/"),
}


def _value(option: Option) -> st.SearchStrategy[object]:
    return {
        Kind.FLAG: st.just(value=True),
        Kind.NUMBER: st.integers(1, option.most or 10_000),
        Kind.TEXT: _texts(_ALNUM + " é\"'-_."),
        Kind.NAMES: st.lists(names, min_size=1, max_size=3).map(tuple),
    }[option.kind]


@st.composite
def _plannable(draw: st.DrawFn) -> Request:
    """Draw what often can be planned: options come with what they need."""
    name = draw(st.sampled_from(sorted(_PLACES)))
    source, destination, migration = _PLACES[name]
    given: dict[str, object] = {}
    for option in draw(st.lists(st.sampled_from(OPTIONS), max_size=3, unique=True)):
        given[option.field] = draw(_value(option))
        for need in option.needs:
            given[need] = draw(_value(next(o for o in OPTIONS if o.field == need)))
    flows = [{}, {"p2p": True}, {"p2p": True, "tunnelled": True}] if name == "qemu" else [{}]
    flow = draw(st.sampled_from(flows))
    return Request(
        guest=draw(_texts(_ALNUM + " é-_.")),
        source=source,
        destination=destination,
        migration=migration if draw(st.booleans()) else None,
        revision=draw(st.sampled_from(Revision)),
        **(flow | given),  # type: ignore[arg-type]
    )


requests = _plannable()
