"""The same teleportation in VBoxManage's words: every line for both hosts, in order.

In capitals what only somebody else knows: SETTINGS-FILE is a copy of the source's ``.vbox`` on the
destination, with absolute paths of its images; PASSWORD-FILE one with a password in its first line;
PORT one that nothing else listens on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import InvalidURIError, MigrationURI, NativeCommand, Seat
from migrate_plugins_vbox.options import Wishes
from migrate_plugins_vbox.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["commands"]


def commands(plan: Plan) -> tuple[NativeCommand, ...]:
    """Give *plan* for VBoxManage; each host's lines are for a shell there."""
    environment = {
        Seat.SOURCE: _environment(plan.uris.source.value),
        Seat.DESTINATION: _environment(plan.uris.destination.value),
    }
    return tuple(
        NativeCommand("VBoxManage", (*environment[host], *words), host=host)
        for host, words in _lines(plan)
    )


def _lines(plan: Plan) -> Iterator[tuple[Seat, tuple[str, ...]]]:
    """Give each call, and where it is made."""
    here, there = Seat.SOURCE, Seat.DESTINATION
    guest, target = plan.guest, plan.destination_name
    uri = MigrationURI.parse(plan.uris.migration.value or "")
    wishes = Wishes.of(plan)
    port = "PORT" if plan.port.value is None else str(plan.port.value)
    file = "PASSWORD-FILE"
    if plan.before is None or not plan.before.destination_config:
        yield there, ("registervm", "SETTINGS-FILE")
        if target != guest:
            yield there, ("modifyvm", guest, "--name", target)
    listen = ["--teleporter", "on", "--teleporter-port", port]
    if plan.request.listen_address:
        listen += ["--teleporter-address", plan.request.listen_address]
    yield there, ("modifyvm", target, *listen, "--teleporter-password-file", file)
    # It returns only when the guest has come, or after five minutes.
    yield there, ("startvm", target, "--type", "headless")
    send = ["--host", uri.host or "", "--port", port]
    if wishes.max_downtime is not None:
        send += ["--maxdowntime", str(wishes.max_downtime)]
    yield here, ("controlvm", guest, "teleport", *send, "--passwordfile", file)
    # After an earlier teleportation to here it is still on.
    yield here, ("modifyvm", guest, "--teleporter", "off")
    if plan.request.undefine_source:
        yield here, ("unregistervm", guest)
    # Refused until the target has been shut off.
    yield there, ("modifyvm", target, "--teleporter", "off")


def _environment(text: str | None) -> tuple[str, ...]:
    """Give VBoxManage as a URI has it, with what chooses its VirtualBox before it."""
    try:
        place = Place.parse(text or "")
    except InvalidURIError:
        return ("VBoxManage",)  # refused for that
    chosen = [f"{name}={value}" for name, value in place.environment.items()]
    return (*(["env", *chosen] if chosen else []), place.vboxmanage or "VBoxManage")
