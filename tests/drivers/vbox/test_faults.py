"""What VBoxManage and ssh say becomes an error that says what would work."""

from __future__ import annotations

import pytest

from migrate_plugins import AuthenticationError, ConnectError, DriverError
from migrate_plugins_vbox.faults import Fault, failed, unreachable
from migrate_plugins_vbox.places import Place
from migrate_plugins_vbox.runner import Answer


def said(*lines: str) -> str:
    return "".join(f"VBoxManage: error: {line}\n" for line in lines)


NOT_FOUND = said(
    "Could not find a registered machine named 'web1'",
    "Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001), component VirtualBoxWrap",
    'Context: "FindMachine(Bstr(VMNameOrUuid).raw()" at line 3248 of file VBoxManageInfo.cpp',
)
PASSWORD = "0%...NS_ERROR_FAILURE\n" + said(
    "Teleportation failed",
    "Invalid password",
    "Details: code NS_ERROR_FAILURE (0x80004005), component ConsoleWrap, interface IConsole",
    'Context: "RTEXITCODE handleControlVM(HandlerArg*)" at line 1739',
)
LOST = "Code NS_ERROR_CALL_FAILED (0x800706BE) - Call to remote object failed"
NO_HOME = (
    "Failed to initialize COM because the global settings directory '/root/x' is not accessible!"
)
EMPTY_HOME = "Failed to initialize COM! (hrc=NS_ERROR_FAILURE)"

# fmt: off
SAID = [
    # standard error of VirtualBox 7.2.22, its sentences, its number
    (NOT_FOUND,                           "Could not find a registered machine named 'web1'",
                                          0x80BB0001),
    (PASSWORD,                            "Teleportation failed; Invalid password", 0x80004005),
    (f"0%...10%...100%\n{said(LOST)}",    LOST, 0x800706BE),
    (said(NO_HOME),                       NO_HOME, None),
    (said(EMPTY_HOME),                    EMPTY_HOME, None),
    ("VBoxManage: fatal error: RTR3Init: VERR_NO_TRANSLATION\n",
                                          "RTR3Init: VERR_NO_TRANSLATION", None),
    ("sh: 1: VBoxManage: not found\n",    "sh: 1: VBoxManage: not found", None),
    ("0%...10%...20%...100%\n",           "", None),
    ("",                                  "", None),
]

UNKNOWN = "No ED25519 host key is known for h and you have requested strict checking."
CHANGED = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @"
UNREACHED = "h cannot be reached: see that it runs, and that no firewall is in between"

SSH = [
    # what ssh said, kind, what is said beside it
    ("ssh: Could not resolve hostname h: Name or service not known",
     ConnectError, "the name h is not known"),
    ("ssh: connect to host h port 22: Connection refused", ConnectError,
     "nobody listens there: start sshd, or name its port (vbox+ssh://h:PORT/session)"),
    ("ssh: connect to host h port 22: Connection timed out", ConnectError, UNREACHED),
    ("ssh: connect to host h port 22: No route to host",     ConnectError, UNREACHED),
    ("ssh did not get there within 20 s",                    ConnectError, UNREACHED),
    (f"{UNKNOWN}\nHost key verification failed.", AuthenticationError,
     ("the host key of h is not known: log in once by hand (ssh -p 2222 u@h) and compare it, or"
      " name a file with known_hosts=")),
    (f"@@@@\n{CHANGED}\n@@@@\nHost key verification failed.", AuthenticationError,
     ("the host key of h is not the one that is known: find out why before you go on, and then"
      " ssh-keygen -R '[h]:2222'")),
    ("u@h: Permission denied (publickey).", AuthenticationError,
     "h does not let u in: let ssh have a key without a question (keyfile=, an agent)"),
]

FOUND = [
    # what the first look ended with, what is said
    (Answer(127, "", "looked for /a and in PATH\n"),
     ("there is no VBoxManage on h (looked for /a and in PATH): install VirtualBox there, or name"
      " its path with vboxmanage=")),
    (Answer(1, "", said(NO_HOME)),
     (f"VirtualBox does not start on h: {NO_HOME}; see that the folder of its settings"
      " (user_home=) is there and belongs to the user")),
    (Answer(1, "", NOT_FOUND),
     "VirtualBox on h: Could not find a registered machine named 'web1'"),
    (Answer(2, "", ""), "VirtualBox on h: VBoxManage ended with 2"),
]
# fmt: on

THERE = Place.parse("vbox+ssh://u@h:2222/session")


@pytest.mark.parametrize(("told", "text", "code"), SAID)
def test_fault(told: str, text: str, code: int | None) -> None:
    fault = Fault.of(told)

    assert (fault.text, fault.code) == (text, code)


def test_the_details_are_kept() -> None:
    assert Fault.of(NOT_FOUND).details.startswith("Details: code VBOX_E_OBJECT_NOT_FOUND")


@pytest.mark.parametrize(("told", "text", "code"), [each for each in SAID if each[1]])
def test_an_error_on_an_open_connection(told: str, text: str, code: int | None) -> None:
    error = failed("reading web1", Answer(1, "", told), THERE)

    assert type(error) is DriverError
    assert (error.action, error.problem, error.code) == ("reading web1", text, code)


def test_a_host_that_did_not_answer_is_named() -> None:
    late = failed("reading web1", Answer(None, "", "no answer within 20 s"), THERE)
    broken = failed("reading web1", Answer(None, "", "Broken pipe\nended\n", broken=True), THERE)

    assert str(late) == "reading web1 failed: h did not answer (no answer within 20 s)"
    assert str(broken) == "reading web1 failed: the connection to h broke (Broken pipe; ended)"


@pytest.mark.parametrize(("told", "kind", "text"), SSH)
def test_ssh(told: str, kind: type, text: str) -> None:
    error = unreachable(THERE, Answer(None, "", told, broken=True))

    assert type(error) is kind
    assert error.problem == f"{text} (ssh: {' '.join(told.split())})"


def test_what_is_not_known_of_ssh_is_told_as_it_is() -> None:
    error = unreachable(THERE, Answer(None, "", "kex_exchange: something\nelse", broken=True))

    assert (type(error), error.problem) == (ConnectError, "ssh: kex_exchange: something else")


@pytest.mark.parametrize(("answer", "problem"), FOUND)
def test_a_host_without_a_virtualbox_that_works(answer: Answer, problem: str) -> None:
    error = unreachable(THERE, answer)

    assert (type(error), error.problem) == (ConnectError, problem)
