"""``migrate-plugins lab``: up, down, status, guest, fault and demo."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from migrate_plugins_lab import faults, lab
from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from migrate_plugins.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lab", metavar="NAME", default="default", help="which lab (%(default)s)")
    common.add_argument("--json", action="store_true", help="one JSON object on standard output")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    action = actions.add_parser("up", parents=[common], help="bring up hosts, or find them up")
    action.add_argument(
        "--kind",
        choices=[*lab.KINDS],
        default="qemu",
        help="what they are (%(default)s); xen: two emulated computers, needs root, and at its"
        " first use some minutes",
    )
    action.add_argument(
        "--hosts",
        type=int,
        default=2,
        metavar="N",
        help=f"how many, 2 to {len(lab.NAMES)} (%(default)s): {', '.join(lab.NAMES)}",
    )
    action.add_argument(
        "--privileged",
        action="store_true",
        help="as root, with libvirt's system instance: post-copy needs it on most machines",
    )
    action.set_defaults(act=up)

    action = actions.add_parser("down", parents=[common], help="end every process of the lab")
    action.set_defaults(act=down)

    action = actions.add_parser("status", parents=[common], help="hosts, daemons, faults, guests")
    action.set_defaults(act=status)

    action = actions.add_parser("guest", parents=[common], help="start a guest that ticks")
    action.add_argument("name", help="what libvirt calls it")
    action.add_argument("--host", default=lab.NAMES[0], help="where it starts (%(default)s)")
    action.add_argument(
        "--memory", type=int, metavar="MiB", help="default: what it dirties and needs besides"
    )
    action.add_argument(
        "--dirty",
        type=int,
        default=0,
        metavar="MiB",
        help="memory it writes over before each tick, 50 or on Xen 5 a second (%(default)s)",
    )
    action.add_argument(
        "--disk", type=int, default=0, metavar="MiB", help="a disk that hosts do not share"
    )
    action.add_argument(
        "--off", type=int, default=0, metavar="TICKS", help="power itself off after so many ticks"
    )
    action.add_argument("--persistent", action="store_true", help="define it, then start it")
    action.set_defaults(act=guest)

    action = actions.add_parser(
        "fault",
        parents=[common],
        help="break a host, or heal it",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            [
                "kinds:",
                *(f"  {form:18}{summary}" for form, summary in faults.forms().items()),
            ]
        ),
    )
    action.add_argument("host", help="which host")
    action.add_argument("kind", help="one of those below")
    action.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="what the kind takes")
    action.set_defaults(act=fault)

    action = actions.add_parser("demo", help="watch a guest move between two hosts, in five ways")
    action.add_argument("--privileged", action="store_true", help="as for up")
    action.set_defaults(act=demo)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what was asked; errors go up to the caller."""
    return int(arguments.act(arguments, output) or 0)


def demo(arguments: argparse.Namespace, output: Output) -> int:
    """Show a guest move; the exit status is that of the command that failed, or 0."""
    from migrate_plugins_lab.demo import demo as show  # noqa: PLC0415 - imports the whole CLI

    return show(output, privileged=arguments.privileged)


def up(arguments: argparse.Namespace, output: Output) -> None:
    """Bring up a lab and say how to reach its hosts."""
    found = Lab.up(
        arguments.lab,
        hosts=arguments.hosts,
        privileged=arguments.privileged,
        kind=arguments.kind,
    )
    if arguments.json:
        output.json("lab-up", found.describe())
        return
    output.text(f"lab {found.name} is up with {found.shape}")
    for host in found.hosts:
        output.text(f"{host.name}:")
        output.text(f"  from here                {host.uri}")
        output.text(f"  from the other hosts     {host.peer_uri}")


def down(arguments: argparse.Namespace, output: Output) -> None:
    """End a lab; ending one that is not up is no failure."""
    ended = Lab.end(arguments.lab)
    if arguments.json:
        output.json("lab-down", {"name": arguments.lab, "ended": ended})
        return
    output.text(f"lab {arguments.lab} is down" if ended else f"lab {arguments.lab} was not up")


def status(arguments: argparse.Namespace, output: Output) -> None:
    """Say how a lab and everything in it is."""
    found = Lab.open(arguments.lab)
    about = found.status()
    if arguments.json:
        output.json("lab-status", about)
        return
    output.text(f"lab {found.name} is up with {found.shape}")
    output.text(f"post-copy: {'yes' if found.postcopy else 'no: ' + found.postcopy.reason}")
    for host in about["hosts"]:
        guests = [f"{each['name']} ({each['state']})" for each in host["guests"]]
        output.text(f"{host['name']}: libvirtd {host['daemon']}")
        output.text(f"  faults: {', '.join(host['faults']) or 'none'}")
        output.text(f"  guests: {', '.join(guests) or 'none'}")


def guest(arguments: argparse.Namespace, output: Output) -> None:
    """Start a guest."""
    started = Lab.open(arguments.lab).guest(
        arguments.name,
        host=arguments.host,
        memory=arguments.memory,
        dirty=arguments.dirty,
        disk=arguments.disk,
        off=arguments.off,
        persistent=arguments.persistent,
    )
    if arguments.json:
        output.json("lab-guest", {**started.describe(), "host": arguments.host})
        return
    output.text(f"guest {started.name} runs on {arguments.host} and ticks into {started.serial}")


def fault(arguments: argparse.Namespace, output: Output) -> None:
    """Break a host, or heal it."""
    found = Lab.open(arguments.lab)
    found.fault(arguments.host, arguments.kind, *arguments.arguments)
    active = faults.active(found.host(arguments.host))
    if arguments.json:
        output.json("lab-fault", {"host": arguments.host, "faults": active})
        return
    output.text(f"faults of {arguments.host}: {', '.join(active) or 'none'}")
