from __future__ import annotations

from migrate_plugins_lab import network


def test_every_host_has_a_cable_into_the_switch() -> None:
    assert network.switch({"alpha": 7, "beta": 9}).splitlines() == [
        "link set lo up",
        "link add switch type bridge",
        "link set switch up",
        "link add alpha type veth peer name eth0 netns 7",
        "link set alpha master switch up",
        "link add beta type veth peer name eth0 netns 9",
        "link set beta master switch up",
    ]


def test_every_host_can_look_up_every_name() -> None:
    addresses = {"alpha": network.address(0), "beta": network.address(1)}

    assert network.names(addresses) == "127.0.0.1 localhost\n10.78.0.1 alpha\n10.78.0.2 beta\n"


def test_unblocking_works_when_nothing_is_blocked() -> None:
    first, second = network.unblock().splitlines()

    assert (first, second) == ("add table inet lab", "delete table inet lab")
