"""A whole driver by a stranger, as small as one can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import (
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ControlProtocol,
    DriverInfo,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@hookimpl
def migrate_driver() -> DriverInfo:
    plain = ControlProtocol("good RPC", 7000, encrypted=False)
    return DriverInfo("good", "Good", ("good",), ("goodmigr",), {"": plain}, example="fake://beta/")


@hookimpl
def migrate_capabilities() -> Capabilities:
    offer = Offer(Claim(Basis.CODE, "acme_good.py"), frozenset({"live"}), migration_uri=True)
    return Capabilities(
        offers={"native-direct": offer},
        migration_schemes=("goodmigr",),
        protocol="good stream",
        unwritten_uri="made from the destination's host",
        encrypted=False,
        encryption="good does not encrypt",
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    return PortRule(7100, 7109, ChosenBy.US, "acme")


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri(host: str, port: int | None) -> MigrationURI:
    return MigrationURI("goodmigr", host=host, port=port, path="/")


@hookimpl
def migrate_read_uri(text: str) -> MigrationURI:
    return MigrationURI.parse(text)


@hookimpl
def migrate_commands() -> Sequence[NativeCommand]:
    return [NativeCommand("goodctl", None, "goodctl cannot migrate")]
