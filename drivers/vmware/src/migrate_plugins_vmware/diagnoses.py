"""What errors of vMotion mean: vCenter's faults, and those of libvirt's ESX driver."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Catalogue, Entry, Pattern, Remedy, Seat

__all__ = ["CATALOGUE"]

_ESX: Final = "libvirt 9.0.0"
# What faults.py and tls.py say themselves.
_OWN: Final = "this driver"

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
                Remedy("govc tasks -f, until the other task is over"),
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
                Remedy("leave -o resource-pool out: the destination's root pool is taken"),
            ),
            0.95,
            finding="pool-elsewhere",
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
                Pattern(r"vim\.fault\.(?:InvalidLogin|PasswordExpired)\b", "pyvmomi 9.1"),
                Pattern(
                    r"Cannot complete login due to an incorrect user name or password", "report"
                ),
            ),
            "vCenter does not take the user and password",
            (
                Remedy("govc about, with the same GOVC_URL, GOVC_USERNAME and GOVC_PASSWORD"),
                Remedy("correct the password in the file or variable that it was read from"),
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
                Pattern(
                    r"vim\.fault\.NoPermission\b(?:.{0,300}?privilegeId=(?P<what>[\w.]{1,80}))?",
                    "source",
                ),
                Pattern(r"Permission to perform this operation was denied", "report"),
            ),
            "the user may not do that ({what}): to migrate it needs Resource.HotMigrate,"
            " Resource.ColdMigrate and Resource.AssignVMToPool",
            (
                Remedy("govc permissions.ls / | grep USER"),
                Remedy(
                    "govc role.update -a ROLE Resource.HotMigrate Resource.ColdMigrate"
                    " Resource.AssignVMToPool"
                ),
            ),
            0.95,
            finding="privilege-missing",
            otherwise={"what": "a privilege is missing"},
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
            "vmware-session",
            (
                Pattern(r"vim\.fault\.NotAuthenticated\b", "pyvmomi 9.1"),
                Pattern(r"The session is not authenticated", "report"),
            ),
            "vCenter has ended our session: it was idle for too long, somebody ended it, or vCenter"
            " was started anew; a move that was under way goes on",
            (
                Remedy("migrate-plugins reconcile, which logs in anew and finds the guest"),
                Remedy("govc session.ls, to see who is logged in"),
            ),
            0.95,
        ),
        Entry(
            "vmware-connection-lost",
            (
                Pattern(
                    r"\b(?:RemoteDisconnected|ConnectionResetError|BrokenPipeError|IncompleteRead)\b",
                    "pyvmomi 9.1",
                ),
                Pattern(r"Remote end closed connection without response", "pyvmomi 9.1"),
                Pattern(r"\bTimeoutError: .{0,40}timed out", "pyvmomi 9.1"),
            ),
            "the connection with vCenter broke in the middle of a call: whether vCenter carries it"
            " out nobody can tell from here, and a move may be under way or done",
            (
                Remedy("migrate-plugins reconcile, before anything else"),
                Remedy("govc vm.info GUEST, to see its host"),
            ),
            0.85,
        ),
        Entry(
            "vmware-unreachable",
            (
                Pattern(r"nobody listens at (?P<what>[\w.:\[\]-]{1,255}); name the https", _OWN),
                Pattern(r"(?P<what>[\w.:\[\]-]{1,255}) does not answer; see that it runs", _OWN),
                Pattern(r"(?P<what>[\w.:\[\]-]{1,255}) answers, and is no vSphere server", _OWN),
                Pattern(r"port (?P<what>\d{1,5}) does not speak TLS", _OWN),
            ),
            "no vCenter was reached there ({what}): another host or port, a service that does not"
            " run, or a firewall",
            (
                Remedy("govc about -u VCENTER:PORT"),
                Remedy("give the port in the URI where it is not 443: vpx://VCENTER:PORT/…"),
            ),
            0.9,
        ),
        Entry(
            "vmware-certificate-changed",
            (Pattern(r"it shows another certificate than thumbprint=", _OWN),),
            "vCenter shows another certificate than the one that was pinned: it was renewed, or"
            " somebody stands in between",
            (
                Remedy("govc about.cert -thumbprint, at a place that can be trusted"),
                Remedy("if that is the same, write it into the URI: thumbprint=SHA256"),
            ),
            0.98,
        ),
        Entry(
            "vmware-certificate",
            (
                Pattern(r"its certificate is signed by nobody in", _OWN),
                Pattern(r"its certificate has expired", _OWN),
                Pattern(r"its certificate is not (?:for|valid yet|taken)", _OWN),
                Pattern(r"CERTIFICATE_VERIFY_FAILED", "OpenSSL 3"),
            ),
            "the certificate that vCenter shows is not taken: nobody known has signed it, its time"
            " is over, or it is for another name",
            (
                Remedy("openssl s_client -connect VCENTER:443 -showcerts </dev/null"),
                Remedy(
                    "write cacert=FILE into the URI, with the authority from"
                    " https://VCENTER/certs/download.zip; or thumbprint=SHA256"
                ),
            ),
            0.85,
            finding="certificate-not-verified",
        ),
        Entry(
            "vmware-other-vcenter",
            (
                Pattern(
                    r"vmodl\.fault\.InvalidArgument.{0,200}?\bspec\.service\b(?P<what>[\w.]{0,60})",
                    "source",
                ),
                Pattern(r"vim\.fault\.SSLVerifyFault\b", "source"),
                Pattern(r"A specified parameter was not correct: spec\.service", "inferred"),
            ),
            "the source's vCenter could not log in to the other one, or does not take its"
            " certificate: the first vCenter opens the second itself",
            (
                Remedy("curl -sk https://OTHER-VCENTER/sdk, on the source's vCenter"),
                Remedy("govc about, for the other vCenter, with the same user and password"),
            ),
            0.9,
        ),
        Entry(
            "vmware-argument",
            (
                Pattern(
                    r"vmodl\.fault\.InvalidArgument.{0,200}?invalidProperty=(?P<what>[\w.\[\]]{1,80})",
                    "pyvmomi 9.1",
                ),
                Pattern(
                    r"A specified parameter was not correct: (?P<what>spec[\w.\[\]]{1,80})",
                    "report",
                ),
            ),
            "vCenter does not take a part of what was asked for: {what}",
            (
                Remedy("migrate-plugins check, which names what is not there"),
                Remedy("leave out the -o option that stands for it"),
            ),
            0.8,
        ),
        Entry(
            "vmware-host-lost",
            (
                Pattern(
                    r"\b(?:vim|vmodl)\.fault\.(?:HostCommunication|HostNotConnected|HostNotReachable"
                    r"|HostConnectFault|NoHost|InvalidHostConnectionState)\b",
                    "source",
                ),
                Pattern(r"Unable to communicate with the remote host", "report"),
                Pattern(r"Cannot contact the specified host", "report"),
            ),
            "vCenter lost its connection with a host; a move that was under way may end either way",
            (
                Remedy("migrate-plugins reconcile, before anything else"),
                Remedy("govc host.info, where State says connected or not"),
                Remedy("esxcli network ip connection list | grep :902", Seat.DESTINATION),
            ),
            0.9,
            finding="host-disconnected",
        ),
        Entry(
            "vmware-host-state",
            (
                Pattern(r"vim\.fault\.(?:InvalidHostState|QuarantineModeFault)\b", "source"),
                Pattern(r"operation is not allowed in the current state of the host", "report"),
            ),
            "a host is not in a state that lets guests move: in maintenance mode, in standby, or"
            " on the way there",
            (
                Remedy("govc host.info"),
                Remedy("govc host.maintenance.exit HOST, if it is to take guests again"),
            ),
            0.95,
            finding="destination-in-maintenance",
        ),
        Entry(
            "vmware-power-state",
            (
                Pattern(
                    r"vim\.fault\.InvalidPowerState\b(?:.{0,200}?existingState=(?P<what>\w{1,20}))?",
                    "source",
                ),
                Pattern(
                    r"attempted operation cannot be performed in the current state"
                    r" \((?P<what>[\w ]{1,20})\)",
                    "report",
                ),
            ),
            "the guest's power state is another one than the move needs ({what}): somebody switched"
            " it meanwhile",
            (Remedy("govc vm.info GUEST"), Remedy("check again, then migrate")),
            0.95,
            otherwise={"what": "not told"},
        ),
        Entry(
            "vmware-question",
            (Pattern(r"vim\.fault\.QuestionPending\b", "source"),),
            "the guest waits for somebody to answer a question of vSphere's",
            (Remedy("govc vm.question -vm GUEST"),),
            0.95,
        ),
        Entry(
            "vmware-state",
            (
                Pattern(
                    r"vim\.fault\.(?:InvalidState|InvalidVmState|VmPowerOnDisabled)\b", "source"
                ),
                Pattern(r"operation is not allowed in the current state(?! of the host)", "report"),
            ),
            "vCenter does not move the guest in its present state: orphaned, inaccessible, being"
            " made, or a template",
            (
                Remedy("govc vm.info -r GUEST"),
                Remedy("govc tasks -f, whether something else is done to it"),
            ),
            0.85,
            finding="guest-inaccessible",
        ),
        Entry(
            "vmware-datastore",
            (
                Pattern(
                    r"vim\.fault\.(?:Inaccessible|Invalid)Datastore(?:Path|State)?\b"
                    r"(?:.{0,200}?name=(?P<what>[^,)\n]{1,80}))?",
                    "source",
                ),
                Pattern(
                    r"vim\.fault\.(?:DatastoreNotWritableOnHost|SwapDatastoreNotWritableOnHost"
                    r"|CannotAccessVmConfig|CannotAccessVmDisk|UnsupportedDatastore"
                    r"|RDMPointsToInaccessibleDisk)\b",
                    "source",
                ),
                Pattern(r"Unable to access the virtual machine configuration", "report"),
                Pattern(
                    r"is not accessible from (?:the )?host|datastore .{0,80} inaccessible",
                    "inferred",
                ),
            ),
            "the destination cannot use a datastore of the guest ({what}): not mounted, to be read"
            " alone, or out of reach",
            (
                Remedy("govc datastore.info"),
                Remedy("esxcli storage filesystem list", Seat.DESTINATION),
                Remedy("-o datastore=NAME moves the guest's files to one that both hosts have"),
            ),
            0.9,
            finding="datastore-missing",
            otherwise={"what": "not named"},
        ),
        Entry(
            "vmware-space",
            (
                Pattern(r"vim\.fault\.(?:NoDiskSpace|InsufficientStorageSpace)\b", "source"),
                Pattern(
                    r"Insufficient disk space on datastore '?(?P<what>[^'.\n]{1,80})", "report"
                ),
            ),
            "the datastore that files go to is full ({what})",
            (
                Remedy("govc datastore.info"),
                Remedy("-o disk=DISK:DATASTORE sends a disk to another one"),
            ),
            0.95,
            finding="datastore-space-short",
            otherwise={"what": "not named"},
        ),
        Entry(
            "vmware-file-locked",
            (
                Pattern(r"vim\.fault\.FileLocked\b", "source"),
                Pattern(r"Unable to access (?:a )?file .{0,200} since it is locked", "report"),
                Pattern(r"Failed to lock the file", "report"),
            ),
            "a file of the guest is in use: by a backup, by another guest, or by the guest itself"
            " on another host",
            (
                Remedy("govc vm.info GUEST, to see which host it runs on"),
                Remedy("vmfsfilelockinfo -p /vmfs/volumes/DATASTORE/GUEST/FILE", Seat.SOURCE),
                Remedy("end that use; never break the lock"),
            ),
            0.9,
        ),
        Entry(
            "vmware-copy",
            (
                Pattern(r"vim\.fault\.NetworkCopyFault\b", "source"),
                Pattern(r"Failed to (?:copy|clone) .{0,120}\bNFC\b", "inferred"),
            ),
            "files could not be copied from host to host: they go to port 902 of the destination",
            (
                Remedy("nc -z DESTINATION 902", Seat.SOURCE),
                Remedy("esxcli network firewall ruleset list | grep -i nfc", Seat.DESTINATION),
            ),
            0.9,
        ),
        Entry(
            "vmware-file",
            (
                Pattern(
                    r"vim\.fault\.(?:FileFault|FileNotFound|CannotAccessFile|CannotCreateFile"
                    r"|CannotDeleteFile|FileAlreadyExists|FileNotWritable|FileTooLarge)\b"
                    r"(?:.{0,200}?file=(?P<what>[^,)\n]{1,160}))?",
                    "source",
                ),
            ),
            "a file of the guest could not be read or written ({what})",
            (
                Remedy("govc device.info -vm GUEST 'disk-*'"),
                Remedy("govc datastore.ls -ds DATASTORE GUEST"),
            ),
            0.85,
            otherwise={"what": "not named"},
        ),
        Entry(
            "vmware-timeout",
            (
                Pattern(r"vim\.fault\.Timedout\b", "source"),
                Pattern(r"Operation timed out\.", "report"),
            ),
            "vCenter waited in vain for a host, and gave the move up; most often the memory changed"
            " faster than the network carried it, or a host was busy",
            (
                Remedy("govc vm.info GUEST, to see its host"),
                Remedy("grep -i migrat /var/log/vmkernel.log | tail", Seat.SOURCE),
                Remedy("migrate again at a quieter time, with -o priority=high"),
            ),
            0.85,
        ),
        Entry(
            "vmware-failover",
            (Pattern(r"vim\.fault\.InsufficientFailoverResourcesFault\b", "source"),),
            "vSphere HA keeps room for hosts that fail, and the destination's cluster has too"
            " little left for the guest",
            (
                Remedy("govc cluster.usage CLUSTER"),
                Remedy("choose another cluster, or lower what HA keeps"),
            ),
            0.95,
        ),
        Entry(
            "vmware-resources",
            (
                Pattern(
                    r"vim\.fault\.(?P<what>(?:Insufficient|NumVirtualCpusExceeds)"
                    r"(?!Storage)\w{1,50})\b",
                    "source",
                ),
                Pattern(r"(?P<what>host does not have sufficient \w{1,20} resources)", "report"),
            ),
            "the destination, or its resource pool, cannot give the guest what it has reserved"
            " ({what})",
            (
                Remedy("govc pool.info"),
                Remedy("govc vm.change -vm GUEST -mem.reservation MIB, or choose another pool"),
            ),
            0.9,
            finding="pool-memory-short",
        ),
        Entry(
            "vmotion-not-enabled",
            (
                Pattern(
                    r"vim\.fault\.(?:VMotionNotConfigured|VMotionLinkDown|VMotionLinkCapacityLow"
                    r"|VMotionInterfaceIssue)\b",
                    "source",
                ),
                Pattern(r"vMotion interface (?:is )?not configured", "report"),
            ),
            "a host has no network interface for vMotion, or its link is down",
            (
                Remedy("govc host.vnic.info -host HOST, for both hosts"),
                Remedy("govc host.vnic.service -host HOST -enable vmotion vmkN"),
            ),
            0.95,
            finding="vmotion-not-enabled",
        ),
        Entry(
            "vmotion-not-supported",
            (
                Pattern(
                    r"vim\.fault\.(?:VMotionNotSupported|VMotionNotLicensed|VMotionProtocolIncompatible"
                    r"|MigrationDisabled|LicenseRestricted|NotEnoughLicenses)\b",
                    "source",
                ),
                Pattern(r"not licensed for .{0,40}v?[Mm]otion", "inferred"),
            ),
            "a host, its version or its licence does not do this kind of move",
            (
                Remedy("govc license.assigned.ls"),
                Remedy("govc host.info, for the versions of both hosts"),
            ),
            0.95,
            finding="vmotion-not-supported",
        ),
        Entry(
            "vmware-cpu",
            (
                Pattern(
                    r"vim\.fault\.(?:CpuIncompatible\w{0,8}|CpuCompatibilityUnknown"
                    r"|FeatureRequirementsNotMet|WillModifyConfigCpuRequirements"
                    r"|CannotModifyConfigCpuRequirements)\b",
                    "source",
                ),
                Pattern(
                    r"requires hardware features that are unsupported or disabled on the target",
                    "report",
                ),
                Pattern(
                    r"target host does not support the virtual machine's current hardware", "report"
                ),
            ),
            "the destination's processors lack features that the guest was given when it started",
            (
                Remedy("choose a host of the same EVC mode: a cluster with EVC has one for all"),
                Remedy("or power the guest off, move it, and start it there"),
            ),
            0.95,
            finding="processor-older",
        ),
        Entry(
            "vmware-network",
            (
                Pattern(
                    r"vim\.fault\.(?:CannotAccessNetwork|CannotUseNetwork|NetworksMayNotBeTheSame"
                    r"|MismatchedNetworkPolicies|DestinationSwitchFull|DVPortNotSupported"
                    r"|VMOnVirtualIntranet|LegacyNetworkInterfaceInUse|VMOnConflictDVPort)\b"
                    r"(?:.{0,300}?network(?:Name)?=(?P<what>[^,)\n]{1,80}))?",
                    "source",
                ),
                Pattern(
                    r"network interface '[^'\n]{1,80}' uses network '(?P<what>[^'\n]{1,120})',"
                    r" which is not accessible",
                    "report",
                ),
            ),
            "the destination does not have a network of the guest ({what})",
            (
                Remedy("govc find / -type n"),
                Remedy("-o network=NIC:NETWORK attaches a card to another one there"),
            ),
            0.95,
            finding="network-not-there",
            otherwise={"what": "not named"},
        ),
        Entry(
            "vmware-device",
            (
                Pattern(
                    r"vim\.fault\.(?:DisallowedMigrationDeviceAttached|RemoteDeviceNotSupported"
                    r"|CannotAccessVmDevice|Device(?:Backing|Controller)?NotSupported"
                    r"|FileBackedPortNotSupported|RawDiskNotSupported|IncompatibleDefaultDevice"
                    r"|SharedBusControllerNotSupported|MultiWriterNotSupported|RDMNotPreserved)\b"
                    r"(?:.{0,200}?device=(?P<what>[^,)\n]{1,80}))?",
                    "source",
                ),
                Pattern(r"Virtual machine is configured to use a device that prevents", "report"),
                Pattern(
                    r"(?:connected device '|device backing for device ')(?P<what>[^'\n]{1,80})'"
                    r".{0,80}(?:uses backing|which is not accessible|not supported)",
                    "report",
                ),
            ),
            "a device of the guest stays where it is ({what}): a drive or port of the host or of a"
            " client, or hardware that is passed through",
            (
                Remedy("govc device.ls -vm GUEST"),
                Remedy("govc device.disconnect -vm GUEST DEVICE"),
            ),
            0.9,
            finding="device-of-host",
            otherwise={"what": "not named"},
        ),
        Entry(
            "vmware-affinity",
            (Pattern(r"vim\.fault\.AffinityConfigured\b", "source"),),
            "the guest is bound to processors or NUMA nodes of its host",
            (Remedy("clear Scheduling Affinity: Edit Settings, Virtual Hardware, CPU"),),
            0.98,
            finding="guest-affinity",
        ),
        Entry(
            "vmware-tools-installing",
            (
                Pattern(r"vim\.fault\.ToolsInstallationInProgress\b", "source"),
                Pattern(
                    r"VMware Tools (?:install(?:er|ation)|installer CD).{0,40}(?:mounted|progress)",
                    "report",
                ),
            ),
            "the installer of VMware Tools is mounted in the guest",
            (Remedy("govc vm.guest.tools -unmount GUEST"),),
            0.95,
            finding="guest-tools-installing",
        ),
        Entry(
            "vmware-snapshots",
            (
                Pattern(
                    r"vim\.fault\.(?:(?:Hot)?Snapshot(?:Copy|Clone|Move\w{0,20})NotSupported"
                    r"|SnapshotRevertIssue"
                    r"|CannotMoveVmWith(?:Native)?DeltaDisk|WillResetSnapshotDirectory"
                    r"|DeltaDiskFormatNotSupported)\b",
                    "source",
                ),
            ),
            "snapshots of the guest, or disks that it shares with a linked clone, cannot go where"
            " its files are to go",
            (
                Remedy("govc snapshot.tree -vm GUEST"),
                Remedy("move all files to one datastore: -o datastore=NAME without -o disk"),
            ),
            0.95,
            finding="guest-snapshots",
        ),
        Entry(
            "vmware-storage-move",
            (
                Pattern(
                    r"vim\.fault\.(?:(?:Full)?StorageVMotionNotSupported|StorageVmotionIncompatible"
                    r"|IndependentDiskVMotionNotSupported|NonHomeRDMVMotionNotSupported"
                    r"|VirtualDiskModeNotSupported|NonPersistentDisksNotSupported"
                    r"|UnsharedSwapVMotionNotSupported|VMotionAcrossNetworkNotSupported"
                    r"|MigrationFeatureNotSupported|RDMConversionNotSupported"
                    r"|UncommittedUndoableDisk)\b",
                    "source",
                ),
            ),
            "a host cannot change the datastore of such a disk while the guest runs",
            (
                Remedy("govc device.info -vm GUEST 'disk-*', where Mode is not persistent"),
                Remedy("leave -o datastore and -o disk out, or power the guest off"),
            ),
            0.9,
            finding="disk-not-persistent",
        ),
        Entry(
            "vmware-datacenter",
            (Pattern(r"vim\.fault\.DatacenterMismatch\b", "source"),),
            "host, pool, folder and datastores that were named belong to different datacenters",
            (
                Remedy("govc find / -type d"),
                Remedy("name a folder and a datastore of the destination's datacenter"),
            ),
            0.95,
        ),
        Entry(
            "vmware-hardware-version",
            (
                Pattern(r"vim\.fault\.VirtualHardwareVersionNotSupported\b", "source"),
                Pattern(
                    r"virtual machine version is not compatible with the .{0,20}host",
                    "report",
                ),
            ),
            "the guest's hardware version is newer than the destination's ESXi knows",
            (
                Remedy("govc host.info, for the destination's version"),
                Remedy("move it to a newer host; a hardware version cannot be lowered"),
            ),
            0.95,
        ),
        Entry(
            "vmware-fault-tolerance",
            (
                Pattern(
                    r"vim\.fault\.(?:FaultTolerance\w{1,40}|VmFaultTolerance\w{1,40}"
                    r"|InvalidOperationOnSecondaryVm)\b",
                    "source",
                ),
            ),
            "fault tolerance protects the guest, and does not let it go there",
            (Remedy("turn fault tolerance off in vCenter, and on again afterwards"),),
            0.9,
            finding="guest-fault-tolerant",
        ),
        Entry(
            "vmware-rule",
            (
                Pattern(
                    r"vim\.fault\.(?:RuleViolation|VmHostAffinityRuleViolation|FtVmHostRuleViolation"
                    r"|NoCompatible(?:Hard|Soft)AffinityHost|DrsVmotionIncompatibleFault)\b",
                    "source",
                ),
                Pattern(r"violates? .{0,40}(?:affinity|DRS) rule", "report"),
            ),
            "a rule of DRS keeps the guest away from that host, or beside another guest",
            (
                Remedy("govc cluster.rule.ls -cluster CLUSTER"),
                Remedy("choose another host, or change the rule"),
            ),
            0.95,
        ),
        Entry(
            "vmware-ha",
            (Pattern(r"vim\.fault\.(?:HAErrorsAtDest|WillLoseHAProtection)\b", "source"),),
            "the guest would not be protected by vSphere HA at the destination",
            (Remedy("govc events -type HostDasErrorEvent CLUSTER"),),
            0.9,
        ),
        Entry(
            "vmware-suspended",
            (Pattern(r"vim\.fault\.SuspendedRelocateNotSupported\b", "source"),),
            "a host cannot move a suspended guest to another datastore",
            (Remedy("govc vm.power -on GUEST"), Remedy("or power it off, and lose its memory")),
            0.95,
            finding="guest-suspended",
        ),
        Entry(
            "vmware-configuration",
            (
                Pattern(
                    r"vim\.fault\.(?P<what>(?:Generic)?VmConfigFault|InvalidVmConfig|InvalidDeviceSpec"
                    r"|VirtualHardwareCompatibilityIssue|MigrationFault|MigrationNotReady"
                    r"|MemorySizeNot\w{1,40}|NumVirtual\w{1,40}|NotEnough(?:Logical)?Cpus|DiskNotSupported"
                    r"|UnsupportedGuest|EncryptionKeyRequired)\b",
                    "source",
                ),
            ),
            "the destination cannot take the guest as it is configured ({what})",
            (
                Remedy("migrate-plugins check, which asks vCenter for all of its reasons"),
                Remedy("govc events -n 20 /DC/vm/GUEST"),
            ),
            0.7,
            finding="relocate-refused",
        ),
        Entry(
            "vmware-general",
            (
                Pattern(r"vmodl\.fault\.SystemError\b", "source"),
                Pattern(r"A general system error occurred", "report"),
            ),
            "vCenter says no more than that something failed; its reason stands in the guest's"
            " events, or in the log of a host",
            (
                Remedy("govc events -n 20 /DC/vm/GUEST"),
                Remedy("tail -n 50 /vmfs/volumes/DATASTORE/GUEST/vmware.log", Seat.SOURCE),
                Remedy("grep -i migrat /var/log/vmkernel.log | tail", Seat.DESTINATION),
            ),
            0.5,
        ),
        Entry(
            "vmware-fault",
            (Pattern(r"\b(?:vim|vmodl)\.fault\.(?P<what>\w{3,60})", "pyvmomi 9.1"),),
            "vCenter refused with the fault {what}",
            (
                Remedy("govc events -n 20 /DC/vm/GUEST"),
                Remedy(
                    "read what the fault means: vSphere Web Services API, Data Object Types, {what}"
                ),
            ),
            0.3,
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
