"""A real connection from the source to a port of the destination, before there is anything there.

Nobody listens on a migration's ports until it starts, so that a refusal proves nothing: a firewall
may give the same one.  A small program therefore listens on a few of them for some seconds, with
no file of its own, and says a word that only we know to whoever connects.  Its process is called
:data:`NAME`, so that no other check takes it for a program that holds the port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins.shells import Shell

__all__ = ["NAME", "Attempt", "Probe", "probe"]

# At most 15 characters, or the kernel cuts it.
NAME: Final = "migrate-plugins"

# Seconds for the listener to be there, for a connection, and after which the listener ends even
# where nobody tells it to: a link may be cut while it runs.
_READY: Final = 6.0
_CONNECT: Final = 3
_LIFE: Final = 12

# Arguments: its name, the word, seconds to live, address or "-", first and last port, further
# ports. Of the range the lowest free port is taken, which is also the one a daemon would choose,
# and the last one. It ends with its standard input, which is how it hears that the caller is gone.
# It hangs up last, so that no port is left waiting for stray packets.
_PYTHON: Final = """\
import select, socket, sys, time
name, word, life, address, first, last, *more = sys.argv[1:]
try:
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
except OSError:
    pass
end = time.monotonic() + float(life)
def listen(port):
    for family, host in ([(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")] if address == "-"
                         else [(socket.AF_INET6 if ":" in address else socket.AF_INET, address)]):
        try:
            s = socket.socket(family, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.bind((host, port))
            s.listen()
            return s
        except OSError as error:
            problem = error.strerror
    return problem
held, kept, problem = {}, [], ""
def take(port):
    global problem
    if port in held:
        return True
    s = listen(port)
    if isinstance(s, str):
        problem = s
        return False
    held[port] = s
    return True
for port in range(int(first), int(last) + 1):
    if take(port):
        break
for port in [int(last), *map(int, more)]:
    take(port)
print("listening", *held) if held else print("cannot", problem)
sys.stdout.flush()
while held and time.monotonic() < end:
    for s in select.select([0, *held.values()], [], [], max(0, end - time.monotonic()))[0]:
        if s == 0:
            sys.exit()
        c, _ = s.accept()
        c.sendall(word.encode() + b"\\n")
        kept.append(c)
"""
_PERL: Final = """\
use Socket qw(:DEFAULT IPPROTO_IPV6 IPV6_V6ONLY inet_pton pack_sockaddr_in6); $| = 1;
my ($name, $word, $life, $address, $first, $last, @more) = @ARGV; $0 = $name; alarm $life;
my (%held, @kept, $problem);
sub take {
  my ($port) = @_; return 1 if $held{$port};
  my @ways = $address eq "-" ? ([AF_INET6, "::"], [AF_INET, "0.0.0.0"])
    : ([$address =~ /:/ ? AF_INET6 : AF_INET, $address]);
  for (@ways) {
    my ($family, $host) = @$_;
    socket(my $s, $family, SOCK_STREAM, 0) or ($problem = $!, next);
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, pack("l", 1));
    setsockopt($s, IPPROTO_IPV6, IPV6_V6ONLY, pack("l", 0)) if $family == AF_INET6;
    my $ip = inet_pton($family, $host);
    my $name = $family == AF_INET6 ? pack_sockaddr_in6($port, $ip) : pack_sockaddr_in($port, $ip);
    if (bind($s, $name) && listen($s, 5)) { $held{$port} = $s; return 1 }
    $problem = $!;
  }
  return 0;
}
for my $port ($first .. $last) { last if take($port) }
take($_) for ($last, @more);
print %held ? "listening @{[sort { $a <=> $b } keys %held]}\\n" : "cannot $problem\\n";
while (%held) {
  my $wanted = ""; vec($wanted, 0, 1) = 1; vec($wanted, fileno $_, 1) = 1 for values %held;
  select($wanted, undef, undef, undef) > 0 or last; exit if vec($wanted, 0, 1);
  for my $s (values %held) {
    next unless vec($wanted, fileno $s, 1);
    accept(my $c, $s) or next; syswrite $c, "$word\\n"; push @kept, $c;
  }
}
"""
_LISTEN: Final = """\
python=$1 perl=$2; shift 2
if command -v perl >/dev/null; then exec perl -e "$perl" "$@"
elif command -v python3 >/dev/null; then exec python3 -I -S -c "$python" "$@"
else echo without; fi
"""

# Arguments: seconds, host, and ports. A line for each: the port, an exit status, and what was
# said: the word, or bash's complaint. timeout gives 124 where nobody answers.
_CALL: Final = """\
seconds=$1 host=$2; shift 2
for port; do
  (said=$(timeout "$seconds" bash -c \
    'exec 3<>"/dev/tcp/$1/$2" && IFS= read -r word <&3 && printf %s "$word"' \
    bash "$host" "$port" 2>&1); echo "$port $? "${said##*: }) &
done
wait
"""
_TIMED_OUT: Final = 124  # of coreutils' timeout


class Attempt(NamedTuple):
    """One connection that was tried.

    Attributes:
        port: To which port.
        reached: Whether our own listener answered.
        problem: Why not, or None.
    """

    port: int
    reached: bool
    problem: str | None = None


class Probe(NamedTuple):
    """What came of it.

    Attributes:
        attempts: Each connection, by port; empty where none could be tried.
        problem: Why none could be tried, or None.
    """

    attempts: tuple[Attempt, ...]
    problem: str | None = None


def probe(
    source: Shell,
    destination: Shell,
    host: str,
    ports: tuple[int, int],
    *,
    more: tuple[int, ...] = (),
    listen: str | None = None,
) -> Probe:
    """Connect from the source to the lowest free port of a range, and to its last one.

    Takes a second or two, and less than fifteen whatever happens.

    Args:
        source: Runs a program on the source.
        destination: Runs one on the destination.
        host: What the source is to connect to.
        ports: First and last port of the range.
        more: Further ports to try.
        listen: Address to listen on, or None for all of them.
    """
    from secrets import token_hex  # noqa: PLC0415 - few checks probe

    word = token_hex(8)
    wanted = [str(port) for port in (*ports, *more)]
    program = ["sh", "-c", _LISTEN, "sh", _PYTHON, _PERL, NAME, word, str(_LIFE), listen or "-"]
    try:
        with destination.open([*program, *wanted]) as listener:
            said = listener.line(_READY) or ""
            verb, _, rest = said.partition(" ")
            if verb != "listening":
                return Probe((), _why_not(verb, rest))
            return _call(source, host, rest.split(), word)
    except OSError as error:
        return Probe((), f"{destination.argv[0]}: {error.strerror}")


def _why_not(verb: str, rest: str) -> str:
    if verb == "without":
        return "the destination has neither perl nor python3 to listen with"
    if verb == "cannot":
        return f"nothing can listen on the destination: {rest}"
    return "the destination did not start to listen in time"


def _call(source: Shell, host: str, ports: Sequence[str], word: str) -> Probe:
    argv = ["bash", "-c", _CALL, "bash", str(_CONNECT), host, *ports]
    answer = source.run(argv, seconds=_READY)
    if answer.status != 0:
        return Probe((), f"the source cannot connect with bash: {answer.error.strip()}")
    attempts = []
    for line in answer.output.splitlines():
        port, status, said = [*line.split(" ", 2), "", ""][:3]
        problem = None
        if said != word:
            problem = said or f"exit status {status}"
            if status == str(_TIMED_OUT):
                problem = f"no answer within {_CONNECT} s"
            elif status == "0":
                problem = "something else answers there"
        attempts.append(Attempt(int(port), problem is None, problem))
    return Probe(tuple(sorted(attempts)))
