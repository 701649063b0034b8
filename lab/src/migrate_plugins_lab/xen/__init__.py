"""Two real Xen hosts, each a whole computer that QEMU emulates.

From the outside in: :mod:`lab` (both hosts together) → :mod:`host`, :mod:`guest`, :mod:`domain`
(one of each) → :mod:`machine` (the computer that QEMU emulates) → :mod:`image` (what it starts
from, built once).

``dom0/`` is what makes a Debian tree a host of the lab, ``guest/`` the whole of a guest.
"""
