"""What the driver offers: by the document's rules what xend can, by today's what libxl and xl can.

Three programs move guests of Xen, and each has its own options, protocol and ports.
"""

from __future__ import annotations

from typing import Final

from migrate_plugins import (
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ClientCrash,
    Crash,
    Offer,
    OwnConfiguration,
    PortRule,
    Revision,
)
from migrate_plugins_xen.options import OPTIONS
from migrate_plugins_xen.receiver import LIBXL_PORTS
from migrate_plugins_xen.uris import SCHEMES

__all__ = ["CAPABILITIES", "UNMANAGED", "port_rule"]

UNMANAGED: Final = "native-unmanaged"
"""The one scenario in which libvirt may leave the move to xl."""

# xend-relocation-port of xend-config.sxp.
_XEND_PORT: Final = 8002
_SSH_PORT: Final = 22

# XEN_MIGRATION_FLAGS of libvirt's xend driver, which could not rename a guest nor leave it paused.
_XEND: Final = frozenset({"live", "undefine_source", "persistent"})
_XEND_LIMITS: Final = (
    "libvirt's driver for xend took no flags but those of --live, --persistent and --undefinesource"
)
# LIBXL_MIGRATION_FLAGS and LIBXL_MIGRATION_PARAMETERS.
_LIBXL: Final = frozenset({"live", "undefine_source", "persistent", "suspend", "dname", "xml"})
_LIBXL_LIMITS: Final = (
    "libvirt's driver for libxl takes no flags and parameters but those of --live, --p2p,"
    " --tunnelled, --persistent, --undefinesource, --suspend, --dname and --xml"
)
_XL_LIMITS: Final = "xl migrate moves a guest live, and can be asked for nothing else"

_STALLS: Final = ClientCrash(
    Crash.STALLS,
    "libxl sends the guest to the end all the same, and nobody tells the destination to let it go"
    " on: it stands still on both hosts until `migrate-plugins reconcile --apply` does, with a"
    " shell on each",
)

_UNTOUCHED: Final = OwnConfiguration(
    None,
    "xl knows nothing of libvirt's configurations: the source's libvirt keeps the one it has, and"
    " the destination's does not list the guest",
)


def _current(scenario: str) -> Offer:
    claim = Claim(Basis.VERIFIED, f"tests/integration/xen, {scenario}", "libvirt 9.0.0, Xen 4.17")
    if scenario == UNMANAGED:
        xl = frozenset({"live"})
        return Offer(claim, xl, True, OPTIONS, _XL_LIMITS, "xl migrate")
    call = "virDomainMigrate3" if scenario == "native-direct" else "virDomainMigrateToURI3"
    return Offer(claim, _LIBXL, scenario != "tunnelled-p2p", OPTIONS, _LIBXL_LIMITS, call)


_XEND_OFFER: Final = Offer(
    Claim(Basis.DOCUMENT, "section 'Migration scenarios'"),
    _XEND,
    migration_uri=True,
    own=OPTIONS,
    limits=_XEND_LIMITS,
)
_BY_XEND: Final = Capabilities(
    offers=dict.fromkeys(("native-direct", UNMANAGED), _XEND_OFFER),
    migration_schemes=SCHEMES[Revision.ORIGINAL],
    protocol="xend relocation",
    unwritten_uri="the destination gives its own host name, and xend takes its own port",
    encrypted=False,
    encryption="xend sends it as it is",
)
_BY_LIBXL: Final = Capabilities(
    offers={
        each: _current(each) for each in ("native-direct", "native-p2p", UNMANAGED, "tunnelled-p2p")
    },
    migration_schemes=SCHEMES[Revision.CURRENT],
    protocol="libxl migration stream",
    unwritten_uri="the destination makes one from its own host name and a free port of its range",
    encrypted=False,
    encryption="libxl sends it as it is",
)
# xl has no other way than a live one.
_BY_XL: Final = _BY_LIBXL._replace(
    migration_schemes=SCHEMES[Revision.ORIGINAL],
    protocol="libxl migration stream over ssh",
    encrypted=True,
    encryption="xl migrate sends it through ssh",
    uri_names_port=False,
    always_live=True,
    configuration=_UNTOUCHED,
)
_BY_EITHER: Final = _BY_XEND._replace(
    protocol="xend relocation or xl",
    encrypted=None,
    encryption="xend sends it as it is, and xl migrate through ssh; only the source can say which"
    " of them it is",
    always_live=True,
)

CAPABILITIES: Final = {
    Revision.ORIGINAL: _BY_XEND._replace(apart={UNMANAGED: _BY_EITHER}),
    Revision.CURRENT: _BY_LIBXL._replace(
        apart={
            "native-direct": _BY_LIBXL._replace(on_client_crash=_STALLS),
            UNMANAGED: _BY_XL,
        }
    ),
}

_XEND_RULE: Final = PortRule(
    _XEND_PORT,
    _XEND_PORT,
    ChosenBy.HYPERVISOR,
    "xend-relocation-port of the destination's xend-config.sxp, by default",
)
_LIBXL_RULE: Final = PortRule(
    *LIBXL_PORTS, ChosenBy.DESTINATION, "fixed in libvirt's libxl driver; not configurable"
)
_XL_RULE: Final = PortRule(
    _SSH_PORT,
    _SSH_PORT,
    ChosenBy.HYPERVISOR,
    "of ssh, which xl migrate goes through: its default, or what ~/.ssh/config of the source's root"
    " says",
)


def port_rule(revision: Revision, scenario: str) -> PortRule:
    """Give the ports of the destination that the program needs which moves the guest."""
    xl = scenario == UNMANAGED
    if revision is Revision.CURRENT:
        return _XL_RULE if xl else _LIBXL_RULE
    because = f"{_XEND_RULE.because}; where the move is left to xl migrate, that of ssh"
    return _XEND_RULE._replace(because=because) if xl else _XEND_RULE
