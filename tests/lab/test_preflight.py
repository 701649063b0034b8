from __future__ import annotations

from dataclasses import replace

import pytest

from migrate_plugins_lab import commands, preflight
from migrate_plugins_lab.errors import PreflightError
from migrate_plugins_lab.preflight import Machine, problems

FINE = Machine(root=False, apt=True, missing=(), settings={}, namespaces="")
ROOT = replace(FINE, root=True)
REFUSED = replace(FINE, namespaces="unshare failed: Operation not permitted")
SAID = "namespaces cannot be made (unshare failed: Operation not permitted): "
OR_ROOT = "root can do without them: `lab up --privileged`"


def without(*missing: str, apt: bool = True) -> Machine:
    return replace(FINE, missing=missing, apt=apt)


def refused(setting: str, value: str) -> Machine:
    return replace(REFUSED, settings={setting: value})


def allowed_by(setting: str) -> str:
    return f"`sysctl -w {setting}` allows them, or "


# fmt: off
MACHINES = [
    # machine                                   privileged  problems
    (FINE,                                      False,      []),
    (ROOT,                                      True,       []),
    (without("virsh", "tc", "ip"),              False,
        ["not installed: `apt-get install iproute2 libvirt-clients` brings it"]),
    (without("libvirt_driver_qemu.so"),         False,
        ["not installed: `apt-get install libvirt-daemon-driver-qemu` brings it"]),
    (without("virsh", "nft", apt=False),        False,
        ["not installed: virsh, nft"]),
    (replace(ROOT, missing=("/etc/libvirt",)),  True,
        ["not installed: `apt-get install libvirt-daemon-system` brings it"]),
    (FINE,                                      True,
        ["--privileged needs root: run it with sudo, or without --privileged"]),
    (REFUSED,                                   False,
        [SAID + OR_ROOT]),
    (refused("kernel.apparmor_restrict_unprivileged_userns", "1"), False,
        [SAID + allowed_by("kernel.apparmor_restrict_unprivileged_userns=0") + OR_ROOT]),
    (refused("kernel.unprivileged_userns_clone", "0"), False,
        [SAID + allowed_by("kernel.unprivileged_userns_clone=1") + OR_ROOT]),
    (refused("user.max_user_namespaces", "0"),  False,
        [SAID + allowed_by("user.max_user_namespaces=10000") + OR_ROOT]),
    (refused("user.max_user_namespaces", "96"), False,
        [SAID + OR_ROOT]),
    (replace(REFUSED, root=True),               True,
        [SAID + "in a container, run it with CAP_SYS_ADMIN (`docker run --privileged`)"]),
    (replace(REFUSED, missing=("virsh",)),      False,
        ["not installed: `apt-get install libvirt-clients` brings it", SAID + OR_ROOT]),
]
# fmt: on


@pytest.mark.parametrize(("machine", "privileged", "expected"), MACHINES)
def test_everything_that_is_missing_is_said_with_its_remedy(
    machine: Machine, privileged: bool, expected: list[str]
) -> None:
    assert problems(machine, privileged=privileged) == expected


def test_the_error_lists_every_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = replace(REFUSED, missing=("virsh",))
    monkeypatch.setattr(preflight, "look", lambda *, privileged: machine)  # noqa: ARG005

    with pytest.raises(PreflightError) as caught:
        preflight.check(privileged=False)

    assert caught.value.problems == tuple(problems(machine, privileged=False))
    assert str(caught.value).count("\n  * ") == 2


def test_a_program_that_is_not_on_the_path_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "search_path", lambda: "/nonexistent")

    assert set(preflight.look(privileged=False).missing) >= {"unshare", "virsh", "libvirtd"}
