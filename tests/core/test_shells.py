"""How a host can be looked at from within: where there is a way, and what comes back."""

from __future__ import annotations

import time

import pytest

from migrate_plugins import Answer, NamedHost, Shell, find_shell

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5")
ROOT = ("-p", "22", "-l", "ro ot")
TRUST = ("-o", "StrictHostKeyChecking=no")
HOSTS = (
    NamedHost("beta", "qemu+tls://beta/system", "qemu+tcp://10.0.0.2/system", (), ("ssh", "beta")),
    NamedHost("gamma", "qemu+ssh://gamma/system", None, (), ()),
    NamedHost("delta", "qemu+ssh://delta/system"),
)
HERE = Shell(("sh", "-c"), "this machine")
NOISY = Shell(
    ("sh", "-c", 'echo Welcome; echo "0 users" >&2; printf "no end"; exec sh -c "$0"'),
    "a shell whose start-up files print something",
)

# fmt: off
WAYS = [
    # connection URI                                   command
    ("qemu:///system",                                 ("sh", "-c")),
    ("qemu+unix:///session",                           ("sh", "-c")),
    ("qemu+unix:///session?socket=/run/alpha",         None),
    ("qemu+tls://alpha/system",                        None),
    ("qemu+tcp://alpha/system",                        None),
    ("memory://alpha/",                                None),
    ("qemu+ssh://alpha/system",                        (*SSH, "--", "alpha")),
    ("qemu+libssh2://alpha/system",                    (*SSH, "--", "alpha")),
    ("xen+ssh://ro%20ot@alpha:22/",                    (*SSH, *ROOT, "--", "alpha")),
    ("qemu+ssh://[2001:db8::7]/system",                (*SSH, "--", "2001:db8::7")),
    ("qemu+ssh://alpha/system?keyfile=/k&no_verify=1", (*SSH, "-i", "/k", *TRUST, "--", "alpha")),
    ("qemu+ssh://alpha/system?command=/opt/ssh",       ("/opt/ssh", *SSH[1:], "--", "alpha")),
    ("qemu+tls://beta/system",                         ("ssh", "beta")),
    ("qemu+tcp://10.0.0.2/system",                     ("ssh", "beta")),
    ("qemu+ssh://gamma/system",                        None),
    ("qemu+ssh://delta/system",                        (*SSH, "--", "delta")),
    (None,                                             None),
]

ANSWERS = [
    # command                            answer
    (["echo", "a b", "$HOME;"],          Answer(0, "a b $HOME;\n", "")),
    (["sh", "-c", "echo no >&2; exit 3"], Answer(3, "", "no\n")),
    (["sh", "-c", "echo $LC_ALL"],       Answer(0, "C.UTF-8\n", "")),
    (["cat"],                            Answer(0, "", "")),
]
# fmt: on


@pytest.mark.parametrize(("uri", "argv"), WAYS)
def test_way_to_a_host_follows_its_uri(uri: str | None, argv: tuple[str, ...] | None) -> None:
    shell = find_shell(uri, HOSTS)

    assert (shell and shell.argv) == argv


@pytest.mark.parametrize(("argv", "answer"), ANSWERS)
def test_program_is_run_with_the_words_it_was_given(argv: list[str], answer: Answer) -> None:
    assert HERE.run(argv) == answer


def test_program_that_takes_too_long_is_ended_with_all_that_it_started() -> None:
    began = time.monotonic()

    answer = HERE.run(["sh", "-c", "sleep 60 & sleep 60"], seconds=0.2)

    assert answer == Answer(None, "", "no answer within 0.2 s")
    assert time.monotonic() - began < 10


def test_what_the_start_up_files_of_a_shell_print_is_left_out() -> None:
    assert NOISY.run(["sh", "-c", "echo own; echo problem >&2"]) == Answer(0, "own\n", "problem\n")
    with NOISY.open(["sh", "-c", "echo first; echo second; cat"]) as running:
        assert (running.line(5), running.line(5)) == ("first", "second")
    job = NOISY.start(["sh", "-c", "echo own; echo problem >&2; exit 3"])
    assert job.wait(5) == Answer(3, "own\n", "problem\n")


def test_what_a_way_says_that_does_not_lead_there_is_kept() -> None:
    closed = Shell(("sh", "-c", "echo greeting; echo no such host >&2; exit 255"), "leads nowhere")

    assert closed.run(["true"]) == Answer(255, "greeting\n", "no such host\n")
    with closed.open(["true"]) as running:
        assert running.line(5) is None


def test_way_that_does_not_exist_is_told() -> None:
    answer = Shell(("/nowhere/ssh",), "a test").run(["true"])

    assert answer == Answer(None, "", "/nowhere/ssh: No such file or directory")
