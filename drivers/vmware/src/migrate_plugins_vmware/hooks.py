"""The VMware driver's hooks.

The document's VMware driver is libvirt's for ESX and vCenter (vMotion), not Workstation or Player.
Nothing here imports pyVmomi: planning needs none of it.
"""

from __future__ import annotations

from _thread import allocate_lock  # to import threading takes longer than all of this
from typing import TYPE_CHECKING, ClassVar, Final

from migrate_plugins import (
    After,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ClientCrash,
    ControlProtocol,
    Crash,
    DriverInfo,
    Offer,
    OwnConfiguration,
    PortRule,
    Receiver,
    hookimpl,
)
from migrate_plugins_vmware.options import OPTIONS, refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import (
        Access,
        Ask,
        Diagnosis,
        Finding,
        FindingKind,
        MigrationURI,
        NativeCommand,
        Plan,
        Reason,
        Selection,
        Session,
        Settings,
    )
    from migrate_plugins_vmware.vcenter import VCenters

__all__ = ["VMware"]

NAME: Final = "vmware"

# "Required for virtual machine migration with vMotion": vSphere Security, firewall ports of ESXi.
VMOTION_PORT: Final = 8000
SCHEME: Final = "vpxmigr"

_CLAIM: Final = Claim(
    Basis.VERIFIED,
    "tests/integration/vsphere/test_moves.py, on a simulated vCenter",
    "pyVmomi 9.1.1, vcsim 0.24.2",
)
# A guest that runs is always moved live, its configuration goes along, and one that is shut off
# moves as well.  No move leaves it paused: --suspend is taken by libvirt's driver, and ignored.
_OPTIONS: Final = frozenset({"live", "offline", "persistent", "undefine_source"})
_CONFIGURATION: Final = OwnConfiguration(
    After(persistent=True, source_config=False, destination_config=True),
    "a vCenter keeps each guest in its inventory, on one host at a time: no file is left on the"
    " source, and --persistent and --undefinesource change nothing",
)
_CRASH: Final = ClientCrash(
    Crash.CONTINUES,
    "the move is a task of the vCenter, which carries it to its end without the client that began"
    " it: in the document's managed direct the client would have controlled it",
)
_HTTPS: Final = ControlProtocol("vSphere API over https", 443, encrypted=True)


class VMware:
    """The driver; made once for each set of plugins, it shares its connections among all moves."""

    MIGRATE_PLUGINS_API: ClassVar = 1

    def __init__(self, settings: Settings | None = None) -> None:
        """Open nothing yet."""
        del settings  # it takes none
        self._lock: Final = allocate_lock()
        self._vcenters: VCenters | None = None

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return DriverInfo(
            name=NAME,
            title="VMware ESX and vCenter",
            connection_schemes=("vpx", "esx", "gsx"),
            migration_schemes=(SCHEME,),
            control={"": _HTTPS},
            example="vpx://vcenter/DATACENTER/CLUSTER/DESTHOST",
        )

    @hookimpl
    def migrate_capabilities(self) -> Capabilities:
        return Capabilities(
            offers={"native-direct": Offer(_CLAIM, _OPTIONS, migration_uri=True, own=OPTIONS)},
            migration_schemes=(SCHEME,),
            protocol="vMotion",
            unwritten_uri="made from the vCenter's address and from its ids of the destination's"
            " resource pool and host",
            encrypted=None,
            encryption="up to the guest's migrateEncryption in the vCenter: by default it is"
            " encrypted where both hosts can",
            uri_names_receiver=False,  # the host of its URIs is the vCenter
            configuration=_CONFIGURATION,
            on_client_crash=_CRASH,
            always_live=True,
        )

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        return PortRule(
            VMOTION_PORT,
            VMOTION_PORT,
            ChosenBy.HYPERVISOR,
            "vMotion between the two hosts; the client itself needs only 443 of the vCenter",
        )

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.lowest_free(taken)

    @hookimpl
    def migrate_uri(self) -> MigrationURI | None:
        return None  # its resource pool and host are object ids that only the vCenter knows

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        from migrate_plugins_vmware.places import read_peer  # noqa: PLC0415 - of few plans

        return read_peer(text)[0]

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        from migrate_plugins_vmware.commands import commands  # noqa: PLC0415 - of few plans

        return commands(plan)

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        return [*refusals(plan)] if plan.driver == NAME else None

    @hookimpl
    def migrate_connect(self, uri: str, ask: Ask | None) -> Session:
        from migrate_plugins_vmware.session import connect  # noqa: PLC0415 - imports pyVmomi
        from migrate_plugins_vmware.vcenter import VCenters  # noqa: PLC0415 - likewise

        with self._lock:  # both hosts are opened at once, from two threads
            if self._vcenters is None:
                self._vcenters = VCenters()
        return connect(uri, self._vcenters, ask)

    @hookimpl
    def migrate_receiver(self) -> Receiver:
        # The port is the hosts' own and always open to them: a probe of ours could say nothing.
        # Where the memory arrives the checks read of the vCenter.
        return Receiver(None, None, None, "the vMotion interface of the destination")

    @hookimpl
    def migrate_checks(
        self, plan: Plan, source: Access, destination: Access, selection: Selection
    ) -> Sequence[Finding] | None:
        if plan.driver != NAME:
            return None
        from migrate_plugins_vmware.checks import check  # noqa: PLC0415 - planning needs none

        return check(plan, source, destination, selection)

    @hookimpl
    def migrate_diagnose(
        self, text: str, code: int | None, domain: int | None
    ) -> Sequence[Diagnosis]:
        from migrate_plugins_vmware.diagnoses import CATALOGUE  # noqa: PLC0415 - planning needs none

        return CATALOGUE.diagnose(text, code, domain)

    @hookimpl
    def migrate_foresee(self, plan: Plan) -> Sequence[Finding] | None:
        if plan.driver != NAME:
            return None
        from migrate_plugins_vmware.foresight import foresee  # noqa: PLC0415 - of few plans

        return [*foresee(plan)]

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        from migrate_plugins_vmware import checks, foresight  # noqa: PLC0415 - planning needs none

        return (*foresight.KINDS, *checks.KINDS)
