from __future__ import annotations

from migrate_plugins_lab import daemon


def test_the_daemon_listens_on_plain_tcp_with_a_host_uuid_of_its_own() -> None:
    lines = daemon.configuration("alpha", "some-uuid").splitlines()

    assert 'host_uuid = "some-uuid"' in lines
    assert "listen_tcp = 1" in lines
    assert 'auth_tcp = "none"' in lines
    assert 'log_outputs = "3:file:/mnt/alpha/libvirtd.log"' in lines


def test_only_a_privileged_daemon_is_told_to_leave_the_machine_alone() -> None:
    rootless = daemon.qemu_configuration(privileged=False)
    privileged = daemon.qemu_configuration(privileged=True)

    assert "cgroup_controllers" not in rootless
    assert "cgroup_controllers = []" in privileged
    assert "namespaces = []" in privileged


def test_everything_a_daemon_keeps_lies_in_its_hosts_folder() -> None:
    variables = daemon.environment("beta")

    kept = {name: value for name, value in variables.items() if name.startswith(("XDG", "HOME"))}
    assert set(kept) == {
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
    }
    assert all(value.startswith("/mnt/beta/") for value in kept.values())
