"""The endpoint's program: built once, kept in the cache, built again when its sources change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

SOURCES = Path(__file__).parent
GOPATH = Path("/usr/share/gocode")
LIBRARY = GOPATH / "src/github.com/vmware/govmomi/simulator"

_BUILD_SECONDS = 300
_KEPT_SECONDS = 14 * 24 * 3600.0


class BuildError(Exception):
    """The endpoint cannot be built; says what is missing or what the compiler says."""


def program() -> Path:
    """Find the endpoint's program, and build it first where it is not there yet.

    Two that ask at once build once; nobody ever sees half a program.

    Raises:
        BuildError: Go or the library is missing, or the sources do not compile.
    """
    go = shutil.which("go")
    if go is None or not LIBRARY.is_dir():
        raise BuildError("Go or govmomi's simulator is missing: ./scripts/setup brings both")
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    built = cache / f"vsphere-{_key(go)}"
    if not built.exists():
        with (cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not built.exists():
                _build(go, cache, built)
                _forget_old(cache, built)
    os.utime(built)  # it is in use
    return built


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "migrate-plugins/vsphere"


def _key(go: str) -> str:
    """What the program is made of: our sources, the compiler, the library's files."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.go")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    digest.update(_run([go, "version"], {}).encode())
    for file in sorted(LIBRARY.glob("*.go")):
        found = file.stat()
        digest.update(f"{file.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def _build(go: str, cache: Path, built: Path) -> None:
    partial = built.with_suffix(".partial")
    _run(
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(partial), "."],
        {"GOPATH": str(GOPATH), "GO111MODULE": "off", "GOCACHE": str(cache / "go"), "GOFLAGS": ""},
    )
    partial.replace(built)


def _forget_old(cache: Path, built: Path) -> None:
    now = time.time()
    for old in cache.glob("vsphere-*"):
        if old != built and now - old.stat().st_mtime > _KEPT_SECONDS:
            old.unlink(missing_ok=True)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=SOURCES,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{' '.join(command[1:2])} failed: {done.stderr}")
    return done.stdout
