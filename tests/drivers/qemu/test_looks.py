"""What a real shell on this machine shows of it."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from migrate_plugins import Shell
from migrate_plugins_qemu.looks import Certificates, Look, Pem, look

SHELL = Shell(("sh", "-c"), "this machine")
SESSION, SYSTEM = "qemu:///session", "qemu:///system"


def _seen(*paths: Path | str, **options: bool | str) -> Look:
    found = look(SHELL, SESSION, {str(path): None for path in paths}, **options)  # type: ignore[arg-type]
    assert isinstance(found, Look)
    return found


def test_files_are_seen_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "an image's [odd] näme.img"
    image.write_bytes(b"x" * 1000)
    (tmp_path / "link").symlink_to(image)
    monkeypatch.chdir(tmp_path)  # a socket's path may only be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        seen = _seen(
            image, tmp_path / "link", tmp_path / "s", tmp_path / "gone", tmp_path / "no/such/file"
        ).files

    magic = int(
        subprocess.run(
            ["stat", "-f", "-c", "%t", str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout,
        16,
    )
    kinds = {path: (file.kind, file.size, file.folder) for path, file in seen.items()}
    assert kinds == {
        str(image): ("regular file", 1000, True),
        str(tmp_path / "link"): ("regular file", 1000, True),
        str(tmp_path / "s"): ("socket", 0, True),
        str(tmp_path / "gone"): (None, None, True),
        str(tmp_path / "no/such/file"): (None, None, False),
    }
    assert {file.filesystem for file in seen.values()} == {magic}


def test_mount_of_a_file_is_that_of_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/version")
    seen = _seen("/proc/version", tmp_path / "link", "/proc/self/nothing").files

    assert [(file.type, file.mount) for file in seen.values()] == [("proc", "/proc")] * 3
    # libvirt judges the folder that a path names, and so do we.
    assert seen["/proc/version"].filesystem == 0x9FA0
    assert seen[str(tmp_path / "link")].filesystem != 0x9FA0


def test_relative_path_is_left_alone() -> None:
    assert _seen("a/b.img") == Look({}, frozenset(), {}, Certificates("/etc/pki/qemu", {}, False))


def test_addresses_and_devices_are_seen_where_they_matter() -> None:
    assert _seen().devices == {}

    seen = _seen(network=True)
    assert "127.0.0.1" in seen.addresses
    assert seen.devices["lo"] > 1280


def _certificate(folder: Path, name: str, subject: str, *, days: int = 1) -> None:
    key, pem = str(folder / "key.pem"), str(folder / f"{name}.pem")
    argv = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-keyout", key, "-out", pem, "-subj", "/CN=x", "-addext", f"subjectAltName={subject}"]
    for each in (argv, ["x509", "-in", pem, "-signkey", key, "-days", str(days), "-out", pem]):
        subprocess.run(["openssl", *each], check=True, capture_output=True)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that qemu.conf of a session names."""
    folder = tmp_path / "pki of qemu"
    (tmp_path / "libvirt").mkdir()
    folder.mkdir()
    (tmp_path / "libvirt/qemu.conf").write_text(
        f'#migrate_tls_x509_cert_dir = "/nowhere"\n  migrate_tls_x509_cert_dir="{folder}"\n'
        'default_tls_x509_cert_dir = "/elsewhere"\nmigrate_tls_force = 1\n'
        "default_tls_x509_verify = 0",
        encoding="utf-8",
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return folder


def test_certificates_are_where_qemu_conf_says(configured: Path) -> None:
    assert _seen(certificate_for="beta").certificates == Certificates(
        str(configured),
        {},
        forced=True,
        verified=False,
    )


@pytest.mark.parametrize(
    ("subject", "name", "named"),
    [
        ("DNS:beta.example", "beta.example", True),
        ("DNS:beta.example", "gamma.example", False),
        ("IP:10.0.0.2", "10.0.0.2", True),
        ("IP:10.0.0.2", "10.0.0.3", False),
        ("IP:2001:db8::7", "2001:db8::7", True),
    ],
)
def test_certificate_is_for_a_name(
    configured: Path, subject: str, name: str, *, named: bool
) -> None:
    _certificate(configured, "server-cert", subject)
    (configured / "server-key.pem").write_text("a key", encoding="utf-8")

    assert _seen(certificate_for=name).certificates.files == {
        "server-cert": Pem(readable=None, expired=False, named=named),
        "server-key": Pem(readable=None),
    }


def test_certificate_that_is_over_is_expired(configured: Path) -> None:
    _certificate(configured, "server-cert", "DNS:beta", days=-1)

    assert _seen(certificate_for="beta").certificates.files == {
        "server-cert": Pem(readable=None, expired=True, named=True)
    }


def test_what_is_no_certificate_is_not_judged(configured: Path) -> None:
    (configured / "ca-cert.pem").write_text("no certificate", encoding="utf-8")

    assert _seen(certificate_for="beta").certificates.files == {"ca-cert": Pem(readable=None)}


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("sh", "-c", "echo no way in >&2; exit 255; "), "no way in"),
        (("sh", "-c", "exit 3; "), "exit status 3"),
        (("/no/such/program",), "/no/such/program: No such file or directory"),
    ],
)
def test_host_that_shows_nothing_says_why(argv: tuple[str, ...], why: str) -> None:
    assert look(Shell(argv, "a test"), SYSTEM, {}) == why


def test_block_device_has_the_size_that_a_guest_sees() -> None:
    sectors = {
        path.parent.name: int(path.read_text()) for path in Path("/sys/class/block").glob("*/size")
    }
    sizes = {
        name: size * 512 for name, size in sectors.items() if size and Path("/dev", name).exists()
    }
    if not sizes:
        pytest.skip("this machine shows no block device that is in use")

    seen = _seen(*(f"/dev/{name}" for name in sizes)).files

    assert {path: (file.kind, file.size) for path, file in seen.items()} == {
        f"/dev/{name}": ("block special file", size) for name, size in sizes.items()
    }
