"""What errors of Xen migrations mean: libvirt's, xl's, and those of XAPI (XenServer, XCP-ng)."""

from __future__ import annotations

from typing import Final

from migrate_plugins import (
    LIBVIRT_ENTRIES,
    LIBVIRT_WRAPPERS,
    Catalogue,
    Entry,
    Pattern,
    Remedy,
    Seat,
)

__all__ = ["CATALOGUE"]

_LIBXL: Final = "libvirt 9.0.0, Xen 4.17"

_XEN: Final = (
    Entry(
        "xen-pv-live",
        (
            Pattern(r"Failed to enable logdirty", "Xen 4.17"),
            Pattern(r"logdirty.{0,40}: 95\b", "Xen 4.17"),
        ),
        "the hypervisor cannot track which memory a PV guest changes: it was built without shadow"
        " paging, so that such a guest cannot move live",
        (
            Remedy("leave out --live: the guest stands still while it moves"),
            Remedy('or start the guest as PVH (type = "pvh"), on a CPU with HAP', Seat.SOURCE),
        ),
        0.95,
    ),
    Entry(
        "xen-suspend-timeout",
        (
            Pattern(r"Domain has not been suspended: shutdown \d{1,3}, reason \d{1,3}", "Xen 4.17"),
            Pattern(r"guest did(?: not|n't) suspend", "Xen 4.17"),
            Pattern(r"[Tt]imed out waiting for (?:the )?suspend", "source"),
        ),
        "the guest did not answer when it was asked to stand still; a paused guest cannot",
        (
            Remedy("virsh resume GUEST, then migrate again", Seat.SOURCE),
            Remedy("xl list, to see that its state is r or b", Seat.SOURCE),
        ),
        0.85,
    ),
    Entry(
        "xen-stopped",
        (Pattern(r"Failed to write page data to stream \(9 = Bad file descriptor\)", "Xen 4.17"),),
        "the program that saves the guest was stopped on the source, as a cancellation does it: the"
        " guest runs on there",
        (Remedy("xl list, to see it run", Seat.SOURCE), Remedy("migrate again when you want to")),
        0.9,
    ),
    Entry(
        "xen-stream-broke",
        (
            Pattern(r"Failed to send migration data to destination host", _LIBXL),
            Pattern(r"Failed to read Record Header from stream", "Xen 4.17"),
        ),
        "the guest's memory did not arrive, and libvirt's Xen driver does not know why; the guest"
        " stays on the source. Most often it is a PV guest that was to move live, or a paused one,"
        " or the link broke",
        (
            Remedy("tail -n 40 /var/log/libvirt/libxl/libxl-driver.log", Seat.SOURCE),
            Remedy("tail -n 40 /var/log/libvirt/libxl/libxl-driver.log", Seat.DESTINATION),
            Remedy("migrate-plugins diagnose FILE, of such a log"),
        ),
        0.9,
        codes=(1,),
    ),
    Entry(
        "xen-listen",
        (Pattern(r"Fail(?:ed)? to create socket for incoming migration", _LIBXL),),
        "the destination cannot listen under the name or address of the migration URI, or on its"
        " port: it has no such address, cannot resolve the name, or the port is taken",
        (
            Remedy("ip -brief address; ss -ltn", Seat.DESTINATION),
            Remedy("give --migrateuri tcp://ADDRESS, with one of its addresses"),
            Remedy("xl list, and if that guest is stuck: systemctl restart libvirtd", Seat.SOURCE),
        ),
        0.96,
        codes=(9,),
    ),
    Entry(
        "xen-option",
        (
            Pattern(
                r"unsupported flags \((?P<what>0x[0-9a-f]{1,16})\) in function"
                r" libxlDomainMigrate\w{1,40}",
                _LIBXL,
            ),
            Pattern(r"parameter '(?P<what>[\w.]{1,60})' not supported", _LIBXL),
            Pattern(r"cannot enforce (?P<what>change protection)", _LIBXL),
        ),
        "libvirt's Xen driver does not take an option that was given ({what}): it knows --live,"
        " --p2p, --tunnelled, --persistent, --undefinesource, --suspend, --dname and --xml",
        (Remedy("leave the option out; migrate-plugins plan refuses each that Xen lacks"),),
        0.9,
        inferred=(8, 74),
        domains=(41, 20),
        finding="option-not-offered",
    ),
    Entry(
        "xen-resume-failed",
        (Pattern(r"Failed to resume domain '(?P<guest>[^'\n]{1,100})' with libxenlight", _LIBXL),),
        "libvirt takes the guest for paused, and it runs: so its Xen driver leaves it where a"
        " peer-to-peer migration failed early",
        (
            Remedy("xl list, which tells the truth", Seat.SOURCE),
            Remedy("migrate again once the reason is mended: a good migration puts it right"),
        ),
        0.9,
        inferred=(1,),
        domains=(41,),
    ),
    Entry(
        "xen-stale-job",
        (
            Pattern(
                r"held by monitor=remoteDispatchDomainMigrateBegin3Params",
                _LIBXL,
            ),
        ),
        "an earlier migration failed in its preparation, and libvirt's Xen driver never ended its"
        " job: nothing can be done with the guest until it is gone",
        (
            Remedy("systemctl restart libvirtd (the guest runs on)", Seat.SOURCE),
            Remedy("then mend what the earlier attempt said, and migrate again"),
        ),
        0.97,
        codes=(68,),
    ),
    Entry(
        "xen-awaited",
        (Pattern(r"domain '(?P<guest>[^'\n]{1,100})' is already being started", _LIBXL),),
        "the destination's libvirt still waits for this guest since an earlier migration that broke"
        " off, and takes it from nobody else",
        (
            Remedy("xl list, to see that the guest is not there", Seat.DESTINATION),
            Remedy("systemctl restart libvirtd (guests run on)", Seat.DESTINATION),
        ),
        0.9,
        codes=(55,),
        finding="job-held",
    ),
    Entry(
        "xen-hostdev",
        (Pattern(r"domain has assigned host devices", "source"),),
        "a device of the host is passed through to the guest",
        (
            Remedy("virsh detach-device GUEST FILE", Seat.SOURCE),
            Remedy("or shut the guest down and start it at the destination"),
        ),
        0.95,
        codes=(55,),
    ),
    Entry(
        "xen-domain-0",
        (Pattern(r"Domain-0 cannot be migrated", _LIBXL),),
        "Domain-0 is the host itself",
        (Remedy("name a guest: virsh list --all", Seat.SOURCE),),
        0.98,
        codes=(55,),
    ),
    Entry(
        "xl-interrupted",
        (Pattern(r"(?P<guest>[\w.+-]{1,60})--(?:incoming|migratedaway)\b", "Xen 4.17"),),
        "a handover was interrupted: xl renames a guest to NAME--incoming at the destination while"
        " it arrives, and to NAME--migratedaway at the source when it has left",
        (
            Remedy("xl list", Seat.SOURCE),
            Remedy("xl list", Seat.DESTINATION),
            Remedy("if {guest} runs on one of them, destroy only what has the suffix on the other"),
            Remedy(
                "if it runs on neither: migrate-plugins reconcile {guest}, which tells whether the"
                " copy at the destination can go on; one at the source that is shut down (s)"
                " cannot, and has to be ended and started anew"
            ),
        ),
        0.85,
    ),
    Entry(
        "xl-handshake",
        (
            Pattern(r"Migration failed during final handshake", "source"),
            Pattern(r"Domain state is now undefined", "source"),
        ),
        "xl lost the destination after it had let it start the guest: it may run there, and the"
        " source keeps a copy that stands still (NAME--migratedaway)",
        (
            Remedy("xl list", Seat.DESTINATION),
            Remedy("migrate-plugins reconcile GUEST, which tells where it runs and what is left"),
            Remedy(
                "if it runs there, xl destroy NAME--migratedaway; nothing lets that one go on, so"
                " that the guest is started anew if it is certain that it does not",
                Seat.SOURCE,
            ),
        ),
        0.97,
    ),
    Entry(
        "xl-target-failed",
        (
            Pattern(r"Migration failed due to problems at target", "source"),
            Pattern(r"Target reports startup failure", "source"),
        ),
        "the guest's memory arrived, and the destination could not start it; xl let it go on at"
        " the source",
        (
            Remedy("xl list, to see it run", Seat.SOURCE),
            Remedy("read above what libxl said there; xl dmesg", Seat.DESTINATION),
        ),
        0.9,
    ),
    Entry(
        "xl-suspend-failed",
        (Pattern(r"Migration failed, failed to suspend at sender", "source"),),
        "the guest could not be asked to stand still, or its memory not be sent: it runs on at the"
        " source",
        (
            Remedy("xl list: its state has to be r or b; xl unpause if it is p", Seat.SOURCE),
            Remedy("read above what libxl said of its memory (xc: error)"),
        ),
        0.75,
    ),
    Entry(
        "xl-resumed",
        (Pattern(r"Migration failed, resuming at sender", "Xen 4.17"),),
        "the way to the destination broke, or the destination could not take the guest: xl let it"
        " go on at the source",
        (
            Remedy("xl list, to see it run", Seat.SOURCE),
            Remedy("ssh root@DESTINATION xl info", Seat.SOURCE),
            Remedy("xl list, and xl destroy what is called NAME--incoming", Seat.DESTINATION),
        ),
        0.7,
    ),
    Entry(
        "xl-ssh",
        (
            Pattern(r"ssh: connect to host (?P<host>[^\s:]{1,255}) port", "OpenSSH 9.2"),
            Pattern(r"ssh: Could not resolve hostname (?P<host>[^\s:]{1,255}):", "OpenSSH 9.2"),
            Pattern(r"@(?P<host>[^\s@]{1,255}): Permission denied \(", "OpenSSH 9.2"),
            Pattern(r"Host key verification failed", "OpenSSH 9.2"),
            Pattern(r"migration target: Cannot connect", "source"),
            Pattern(r"migration transport process .{0,60}exited", "source"),
        ),
        "xl sends the guest through ssh as root, and that connection was not made or broke",
        (
            Remedy("ssh root@{host} xl info", Seat.SOURCE),
            Remedy("xl list", Seat.DESTINATION),
        ),
        0.99,
        # Without a line of xl's it is the connection URI's ssh.
        beside=r"migration target: |xl migrate|Migration failed|migration transport process",
        otherwise={"host": "DESTINATION"},
    ),
    Entry(
        "xen-unmanaged",
        (Pattern(r"direct migration is not supported by the source host", _LIBXL),),
        "libvirt leaves a migration to Xen alone no more (since 4.3.0); xl still does it",
        (
            Remedy("migrate-plugins migrate GUEST xenmigr://HOST/ --direct, which runs xl migrate"),
            Remedy("or through libvirt: --revision current --p2p"),
        ),
        0.97,
        codes=(74,),
        domains=(20,),
        finding="scenario-not-offered",
    ),
    Entry(
        "xen-old-call",
        (
            Pattern(r"use virDomainMigrateToURI3 for peer-to-peer migration", _LIBXL),
            Pattern(r"not supported by the connection driver: virDomainMigrateBegin3\b", _LIBXL),
        ),
        "the program used a call that libvirt's Xen driver lacks: it has migrate3 (managed) and"
        " migrateToURI3 (peer-to-peer) alone",
        (Remedy("call one of those two, or migrate with virsh or migrate-plugins"),),
        0.9,
        codes=(3, 8),
    ),
    Entry(
        "xen-cpu-model",
        (Pattern(r"Cannot find suitable CPU model for given data", _LIBXL),),
        "libvirt knows no CPU model that fits what Xen shows of this host's CPU: its Xen driver"
        " does not start",
        (
            Remedy("journalctl -u libvirtd -u virtxend"),
            Remedy("update libvirt and Xen; on an emulated host choose another CPU model"),
        ),
        0.95,
    ),
    Entry(
        "xend-option",
        (
            Pattern(r"Xen does not support (?P<what>renaming) domains during migration", "source"),
            Pattern(r"Xen does not support (?P<what>bandwidth limits) during migration", "source"),
            Pattern(r"xend cannot migrate (?P<what>paused) domains", "source"),
        ),
        "xend does not take an option that was given ({what})",
        (Remedy("leave out --dname, --bandwidth or --suspend, whichever it names"),),
        0.97,
        codes=(55,),
        finding="option-not-offered",
    ),
    Entry(
        "xend-uri",
        (
            Pattern(r"xenDaemonDomainMigrate: invalid port number", "source"),
            Pattern(r"only xenmigr:// migrations are supported by Xen", "source"),
            Pattern(r"a hostname must be specified in the URI", "source"),
        ),
        "the migration URI is none that xend reads",
        (Remedy("write it as xenmigr://HOST/ or xenmigr://HOST:PORT/, the port in decimal"),),
        0.97,
        codes=(8,),
    ),
)

_XAPI: Final = (
    Entry(
        "xapi-cpu",
        (
            Pattern(r"VM_INCOMPATIBLE_WITH_THIS_HOST", "XAPI"),
            Pattern(r"VM_LACKS_FEATURE", "XAPI"),
            Pattern(r"CPU from a different vendor", "XAPI"),
        ),
        "the guest was started on a CPU of another vendor, or with features that this host lacks",
        (
            Remedy("xe host-cpu-info", Seat.SOURCE),
            Remedy("xe host-cpu-info", Seat.DESTINATION),
            Remedy("choose a host of the same kind, or shut the guest down and start it there"),
        ),
        0.95,
    ),
    Entry(
        "xapi-version",
        (
            Pattern(r"VM_HOST_INCOMPATIBLE_VERSION(?:_MIGRATE)?", "XAPI"),
            Pattern(r"NOT_SUPPORTED_DURING_UPGRADE", "XAPI"),
        ),
        "the destination is older than the source: a guest moves only towards the same or a newer"
        " version",
        (
            Remedy("xe host-list params=name-label,software-version"),
            Remedy("move it to a host that is at least as new; upgrade the pool's master first"),
        ),
        0.95,
    ),
    Entry(
        "xapi-memory",
        (
            Pattern(r"Cannot_free_this_much_memory", "XAPI"),
            Pattern(r"HOST_NOT_ENOUGH_FREE_MEMORY", "XAPI"),
        ),
        "the destination has not the memory for the guest; XAPI may find that out only after the"
        " disks were copied",
        (
            Remedy("xe host-compute-free-memory host=NAME", Seat.DESTINATION),
            Remedy("free memory there, or choose another host, before migrating again"),
        ),
        0.95,
    ),
    Entry(
        "xapi-storage-limit",
        (Pattern(r"TOO_MANY_STORAGE_MIGRATES", "XAPI"),),
        "the host moves as many disks already as XAPI allows at once (3)",
        (
            Remedy("xe task-list", Seat.SOURCE),
            Remedy("wait for one of them to end, then migrate again"),
        ),
        0.98,
    ),
    Entry(
        "xapi-unmapped",
        (Pattern(r"(?P<kind>VIF|VDI)_NOT_IN_MAP", "XAPI"),),
        "a network card (VIF) or disk (VDI) has no counterpart at the destination: {kind}",
        (
            Remedy("xe vm-vif-list vm=GUEST, and xe vm-disk-list vm=GUEST", Seat.SOURCE),
            Remedy(
                "name a network for each (vif:UUID=UUID) and a storage for each (vdi:UUID=UUID)"
            ),
        ),
        0.98,
    ),
    Entry(
        "xapi-host-disabled",
        (Pattern(r"\bHOST_DISABLED\b", "XAPI"),),
        "the destination is in maintenance mode, or still starting",
        (
            Remedy("xe host-list params=name-label,enabled"),
            Remedy("xe host-enable host=NAME", Seat.DESTINATION),
        ),
        0.98,
    ),
)

# What libvirt's shared entries leave to the hypervisor; the ports are fixed in libvirt's source.
_WORDS: Final = {
    "scheme": "xen",
    "daemon": "virtxend",
    "configuration": "libxl.conf",
    "first": "49152",
    "last": "49216",
    "log": "/var/log/libvirt/libxl/libxl-driver.log",
    # There is none of these, nor a setting for it.
    **dict.fromkeys(("abort", "offline", "own_name", "settings", "last_port"), ""),
}

# Told in Xen's own terms by xen-unmanaged and xen-listen: xl migrates unmanaged, and libxl listens
# on the address of the migration URI alone.
_SHARED: Final = tuple(
    entry for entry in LIBVIRT_ENTRIES if entry.id not in {"unmanaged-refused", "bind-address"}
)

CATALOGUE: Final = Catalogue((*_SHARED, *_XEN, *_XAPI), LIBVIRT_WRAPPERS, _WORDS)
