"""Which servers are not spoken to, and what is said of them; each is a real one on loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ConnectError
from migrate_plugins_vmware.session import connect
from migrate_plugins_vmware.tls import Context, Trust, thumbprint
from migrate_plugins_vmware.vcenter import VCenters, newest_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = Callable[[socket.socket], None]

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NO_SOAP = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"

CONFIG = """
[ca]
default_ca = test
[test]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""

# fmt: off
SHOWN = [
    # names, from, to, what is said
    ("IP:127.0.0.1", "20200101", "20200201", "its certificate has expired; renew it, or, unt"),
    ("IP:127.0.0.1", "20900101", "20900201", "its certificate is not valid yet; look at the cl"),
    ("DNS:other",    "20200101", "20900101", "its certificate is not for 127.0.0.1; name the s"),
    ("IP:127.0.0.9", "20200101", "20900101", "its certificate is not for 127.0.0.1; name the s"),
]
# fmt: on


class Authority:
    """A certificate authority that signs what it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.pem"
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(CONFIG.format(folder=folder))
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE",
        )  # fmt: skip

    def sign(self, names: str, begin: str, end: str, *key: str) -> tuple[Path, Path]:
        """Give a certificate and its key."""
        self._openssl(
            "req", "-new", *(key or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")),
            "-nodes", "-subj", "/CN=server", "-addext", f"subjectAltName={names}",
            "-keyout", "s.key", "-out", "s.csr",
        )  # fmt: skip
        self._openssl(
            "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-startdate", f"{begin}000000Z", "-enddate", f"{end}000000Z",
            "-in", "s.csr", "-out", "s.pem",
        )  # fmt: skip
        return self.folder / "s.pem", self.folder / "s.key"

    def _openssl(self, *command: str) -> None:
        subprocess.run(
            ["openssl", *command], cwd=self.folder, capture_output=True, timeout=60, check=True
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """Answer each connection by *answer*, on a port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):  # it is closed at the end
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        answer(connection)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            assert not thread.is_alive()


def speaking_tls(certificate: tuple[Path, Path], said: bytes = NOT_FOUND) -> Answer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # it may show a key that is too weak
    context.load_cert_chain(*certificate)

    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        with context.wrap_socket(connection, server_side=True) as secured:
            heard = b""
            while b"Envelope>" not in heard and (more := secured.recv(65536)):
                heard += more
            secured.sendall(said)

    return answer


def problem(port: int, query: str, timeout: float = 10) -> str:
    with pytest.raises(ConnectError) as caught:
        connect(f"vpx://u@127.0.0.1:{port}/DC/h?{query}", VCenters(timeout))
    assert caught.value.__context__ is None
    return caught.value.problem


@pytest.mark.parametrize(("names", "begin", "end", "said"), SHOWN)
def test_certificate_is_refused_and_says_how_to_pin_it(
    authority: Authority, names: str, begin: str, end: str, said: str
) -> None:
    certificate, key = authority.sign(names, begin, end)
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    pin = thumbprint(der, "sha256").replace(":", "")

    with serving(speaking_tls((certificate, key))) as port:
        told = problem(port, f"cacert={authority.certificate}")
        pinned = problem(port, f"thumbprint={pin}")

    assert told.startswith(said)
    assert told.endswith(f"pin it with thumbprint={pin}")
    assert "is no vSphere server (HTTPException: 404 Not Found)" in pinned


def test_weak_key_is_refused(authority: Authority) -> None:
    weak = authority.sign("IP:127.0.0.1", "20200101", "20900101", "-newkey", "rsa:1024")

    with serving(speaking_tls(weak)) as port:
        told = problem(port, f"cacert={authority.certificate}")

    assert told.startswith("its certificate is not taken: EE certificate key too weak; renew it")


def test_nothing_is_sent_to_a_server_with_another_certificate(authority: Authority) -> None:
    heard = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("IP:127.0.0.1", "20200101", "20900101"))

    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        with context.wrap_socket(connection, server_side=True) as secured:
            heard.append(secured.recv(65536))

    with serving(answer) as port:
        told = problem(port, f"thumbprint={'ab' * 32}&cacert={authority.certificate}")

    assert told.startswith("it shows another certificate than thumbprint=ABAB")
    assert heard == [b""]


def test_server_that_is_none_of_vsphere(authority: Authority) -> None:
    own = authority.sign("IP:127.0.0.1", "20200101", "20900101")

    for said, told in [(NOT_FOUND, "HTTPException: 404 Not Found"), (NO_SOAP, "ExpatError: ")]:
        with serving(speaking_tls(own, said)) as port:
            assert f"127.0.0.1:{port} answers, and is no vSphere server ({told}" in problem(
                port, f"cacert={authority.certificate}"
            )


def test_server_without_tls() -> None:
    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)

    with serving(answer) as port:
        told = problem(port, "no_verify=1")

    assert told == (
        f"port {port} does not speak TLS (wrong version number); name the https port of the vCenter"
    )


def test_server_that_says_nothing() -> None:
    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        while connection.recv(65536):
            pass

    with serving(answer) as port:
        told = problem(port, "no_verify=1", timeout=0.3)

    assert told.startswith(f"127.0.0.1:{port} does not answer")


def test_context_trusts_what_it_was_told_to() -> None:
    system = Context(Trust())
    pinned = Context(Trust(thumbprint="ab" * 20))
    anything = Context(Trust(no_verify=True))

    assert [one.verify_mode for one in (system, pinned, anything)] == [
        ssl.CERT_REQUIRED,
        ssl.CERT_NONE,
        ssl.CERT_NONE,
    ]
    assert [one.check_hostname for one in (system, pinned, anything)] == [True, False, False]
    assert system.get_ca_certs() == ssl.create_default_context().get_ca_certs()


def test_authority_is_trusted_instead_of_the_systems(authority: Authority) -> None:
    file = str(authority.certificate)

    for trust in (Trust(cacert=file), Trust(cacert=file, no_verify=True)):
        context = Context(trust)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert [dict(*one["subject"])["commonName"] for one in context.get_ca_certs()] == [  # type: ignore[index]
            "authority"
        ]


@pytest.mark.parametrize(
    ("spoken", "chosen"),
    [
        ("6.5", "vim.version.version11"),
        ("6.7.2", "vim.version.version14"),
        ("7.0.1.2", "vim.version.v7_0_1_1"),
        ("8.0.3.0", "vim.version.v8_0_3_0"),
        ("99.0", "vim.version.v9_1_1_0"),
        ("1.0", "vim.version.version9"),
        ("dev", "vim.version.version9"),
    ],
)
def test_newest_version_that_both_speak(spoken: str, chosen: str) -> None:
    assert newest_version(spoken) == chosen
