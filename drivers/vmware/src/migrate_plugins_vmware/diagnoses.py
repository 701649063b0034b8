"""What errors of vMotion mean: vCenter's faults, and those of libvirt's ESX driver."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Catalogue, Entry, Pattern, Remedy, Seat

__all__ = ["CATALOGUE"]

_ESX: Final = "libvirt 9.0.0"

CATALOGUE: Final = Catalogue(
    (
        Entry(
            "vmotion-network",
            (
                Pattern(r"not able to connect over the vMotion network", "report"),
                Pattern(
                    r"vMotion migration \[[\w:-]{1,80}\] .{0,120}failed"
                    r".{0,200}(?:timed out|connect)",
                    "report",
                ),
                Pattern(
                    r"failed to (?:create|establish) .{0,40}(?:vMotion|migration)"
                    r" (?:connection|network)",
                    "inferred",
                ),
            ),
            "the two hosts do not reach each other over their vMotion interfaces: another subnet or"
            " VLAN, another MTU, or a vMotion network that is not routed",
            (
                Remedy("esxcli network ip interface tag get -i vmkN", Seat.SOURCE),
                Remedy(
                    "vmkping -I vmkN -d -s 8972 VMOTION-ADDRESS (1472 without jumbo frames)",
                    Seat.SOURCE,
                ),
                Remedy(
                    "enable vMotion on a vmkernel interface of the same network, and 8000/tcp",
                    Seat.DESTINATION,
                ),
            ),
            0.9,
        ),
        Entry(
            "vmware-busy",
            (
                Pattern(r"vim\.fault\.TaskInProgress", "pyvmomi 9.1"),
                Pattern(r"[Aa]nother task is already in progress", "report"),
            ),
            "vCenter does something else with the virtual machine",
            (
                Remedy("govc tasks -l, and wait for its end"),
                Remedy("then migrate again; never blindly: look first on which host it is"),
            ),
            0.95,
        ),
        Entry(
            "vmware-cancelled",
            (
                Pattern(r"vmodl\.fault\.RequestCanceled", "pyvmomi 9.1"),
                Pattern(r"The task was canceled by a user", "report"),
            ),
            "somebody cancelled the task; nothing is wrong, and the virtual machine has not moved",
            (Remedy("govc vm.info NAME, to see its host"), Remedy("migrate again")),
            0.95,
        ),
        Entry(
            "vmware-pool",
            (
                Pattern(r"vmodl\.fault\.InvalidArgument.{0,80}spec\.pool", "pyvmomi 9.1"),
                Pattern(r"A specified parameter was not correct: spec\.pool", "report"),
            ),
            "the resource pool does not belong to the host or cluster that was named",
            (
                Remedy("govc find / -type p"),
                Remedy(
                    "name the root pool of the destination's cluster: /DC/host/CLUSTER/Resources"
                ),
            ),
            0.95,
        ),
        Entry(
            "vmware-gone",
            (
                Pattern(r"vmodl\.fault\.ManagedObjectNotFound", "pyvmomi 9.1"),
                Pattern(r"has already been deleted or has not been completely created", "report"),
            ),
            "an object that was named (virtual machine, host or pool) is no longer in vCenter's"
            " inventory",
            (Remedy("govc find / -type m -name NAME"), Remedy("plan again, with what is there")),
            0.95,
        ),
        Entry(
            "vmware-login",
            (
                Pattern(r"vim\.fault\.(?:InvalidLogin|NotAuthenticated)", "pyvmomi 9.1"),
                Pattern(
                    r"Cannot complete login due to an incorrect user name or password", "report"
                ),
            ),
            "vCenter does not take the user and password, or the session has expired",
            (
                Remedy("govc about, with the same GOVC_URL, GOVC_USERNAME and GOVC_PASSWORD"),
                Remedy("renew the password, or log in anew"),
            ),
            0.95,
        ),
        Entry(
            "vmware-no-call",
            (
                Pattern(r"vmodl\.fault\.(?:MethodNotFound|NotSupported)", "pyvmomi 9.1"),
                Pattern(r"The operation is not supported on the object", "report"),
            ),
            "the server does not have that call: a host without vCenter, or a simulator",
            (
                Remedy("govc about, which names the product"),
                Remedy("connect to the vCenter that manages both hosts: vpx://VCENTER/…"),
            ),
            0.85,
        ),
        Entry(
            "vmware-privilege",
            (
                Pattern(r"vim\.fault\.NoPermission", "inferred"),
                Pattern(r"Permission to perform this operation was denied", "report"),
            ),
            "the user may not migrate: it needs Resource.HotMigrate, Resource.ColdMigrate and"
            " Resource.AssignVMToPool",
            (
                Remedy("govc permissions.ls / | grep USER"),
                Remedy("add those three privileges to the user's role, on both hosts' folders"),
            ),
            0.95,
        ),
        Entry(
            "vmware-tls",
            (
                Pattern(r"EE certificate key too weak", "OpenSSL 3"),
                Pattern(r"is down or is not a VIM server", "pyvmomi 9.1"),
            ),
            "the connection to vCenter was not made: no https there, or a certificate that is not"
            " taken",
            (
                Remedy("openssl s_client -connect VCENTER:443 </dev/null"),
                Remedy("name the https port, and trust the certificate authority that this prints"),
            ),
            0.8,
        ),
        Entry(
            "esx-no-vcenter",
            (Pattern(r"Migration not possible without a vCenter", _ESX),),
            "libvirt was given an ESXi host alone; only the vCenter above it can move a virtual"
            " machine",
            (
                Remedy(
                    "connect to it: vpx://VCENTER/DC/CLUSTER/HOST, or esx://HOST/?vcenter=VCENTER"
                ),
            ),
            0.98,
        ),
        Entry(
            "esx-two-vcenters",
            (
                Pattern(
                    r"[Mm]igration source and destination have to refer to the same vCenter", _ESX
                ),
            ),
            "source and destination were named by two vCenters, or by two addresses of one",
            (
                Remedy("name the same vCenter, by the same address, in both connection URIs"),
                Remedy(
                    "between two vCenters: govc vm.migrate, or the client's cross-vCenter vMotion"
                ),
            ),
            0.98,
        ),
        Entry(
            "esx-migration-uri",
            (
                Pattern(r"Only vpxmigr:// migration URIs are supported", _ESX),
                Pattern(r"[Mm]igration URI has to specify resource pool and host system", _ESX),
            ),
            "the migration URI is none that libvirt's ESX driver reads",
            (
                Remedy("leave it out: libvirt makes it of the destination's connection URI"),
                Remedy("or write vpxmigr://VCENTER/POOL-ID/HOST-ID"),
            ),
            0.98,
        ),
        Entry(
            "esx-option",
            (
                Pattern(
                    r"unsupported flags \((?P<what>0x[0-9a-f]{1,16})\) in function"
                    r" esxDomainMigrate\w{1,20}",
                    _ESX,
                ),
                Pattern(r"(?P<what>Renaming) domains on migration not supported", _ESX),
                Pattern(r"(?P<what>p2p migration) is not supported by the source host", _ESX),
            ),
            "libvirt's ESX driver does not take an option that was given ({what}): it knows --live,"
            " --persistent, --undefinesource and --suspend",
            (Remedy("leave the option out; migrate-plugins plan refuses each that ESX lacks"),),
            0.8,
            inferred=(8, 74),
            domains=(28,),
            finding="option-not-offered",
        ),
        Entry(
            "esx-unknown-host",
            (Pattern(r"HTTP response code 500 for call to 'MigrateVM_Task'", _ESX),),
            "vCenter refused the move: most often the host's or the pool's id in the migration URI"
            " is not there",
            (
                Remedy("govc find -i / -type h, which gives the ids"),
                Remedy("leave the migration URI out, or correct its last part"),
            ),
            0.8,
        ),
    )
)
