"""Real libvirtd/QEMU hosts on one machine, to try and to test live migration.

::

    from migrate_plugins_lab import Lab

    lab = Lab.up("demo", hosts=2)
    guest = lab.guest("web1", host="alpha", memory=64, dirty=16)
    ...                                # migrate it from lab.host("alpha") to lab.host("beta")
    assert guest.continuity().unbroken
    lab.down()

From the outside in: :mod:`lab` (all hosts together) → :mod:`host`, :mod:`daemon`, :mod:`guest`,
:mod:`faults` (one of each) → :mod:`anchor` (the namespaces everything lives in) → :mod:`init`
(the process that holds them).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

__all__ = ["Guest", "Host", "Lab"]

__version__ = "0.1.0"

# Looked up on first use: every `migrate-plugins` command and every pytest run imports this
# package to find its entry points, and few of them need a lab.
_HOMES: Final = {"Guest": "guest", "Host": "host", "Lab": "lab"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
