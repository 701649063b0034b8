package main

import (
	"fmt"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// target is where a specification leads to.
type target interface {
	destination() types.ManagedObjectReference // the host
	wrong() []types.BaseMethodFault            // what speaks against it, in the order of the checks
	place() types.BaseMethodFault              // put the VM there
	leave()                                    // no more is asked of it
}

// resolve reads a specification and finds what is wrong with it.
func resolve(vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) target {
	if spec.Service != nil {
		return resolveAbroad(vm, spec)
	}
	return resolveHere(vm, spec)
}

// here is a destination in this vCenter: a specification with its references resolved and its gaps
// filled.
type here struct {
	vm     *simulator.VirtualMachine
	host   *simulator.HostSystem
	pool   *mo.ResourcePool
	home   *simulator.Datastore
	disks  map[int32]*simulator.Datastore // by the disk's key
	nics   map[int32]types.BaseVirtualDeviceBackingInfo
	folder *simulator.Folder
	errors []types.BaseMethodFault
}

// missing is the fault for the first reference that names nothing here.
func missing(references ...*types.ManagedObjectReference) types.BaseMethodFault {
	for _, reference := range references {
		if reference != nil && simulator.Map.Get(*reference) == nil {
			return &types.ManagedObjectNotFound{Obj: *reference}
		}
	}
	return nil
}

func namedIn(spec *types.VirtualMachineRelocateSpec) []*types.ManagedObjectReference {
	references := []*types.ManagedObjectReference{spec.Host, spec.Pool, spec.Datastore, spec.Folder}
	for i := range spec.Disk {
		references = append(references, &spec.Disk[i].Datastore)
	}
	return references
}

// resolveHere reads a specification whose references all exist.
func resolveHere(vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) *here {
	to := &here{vm: vm, disks: map[int32]*simulator.Datastore{}}
	to.nics = map[int32]types.BaseVirtualDeviceBackingInfo{}
	to.resolvePlace(spec)
	to.resolveStorage(spec)
	to.resolveDevices(spec)
	to.resolveFolder(spec)
	to.checkHost()
	to.checkStorage()
	to.checkDevices()
	return to
}

func (to *here) destination() types.ManagedObjectReference { return to.host.Self }
func (to *here) wrong() []types.BaseMethodFault            { return to.errors }
func (to *here) leave()                                    {}

func (to *here) fail(fault types.BaseMethodFault) {
	to.errors = append(to.errors, fault)
}

func (to *here) argument(name string) {
	to.fail(&types.InvalidArgument{InvalidProperty: name})
}

func (to *here) resolvePlace(spec *types.VirtualMachineRelocateSpec) {
	to.host = host(*to.vm.Runtime.Host)
	if spec.Host != nil {
		to.host = host(*spec.Host)
	}
	reference := to.vm.ResourcePool
	if spec.Pool != nil {
		reference = spec.Pool
	}
	if reference == nil { // a template has none
		to.argument("spec.pool")
		return
	}
	to.pool = pool(*reference)
	if to.pool.Owner == *to.host.Parent {
		return
	}
	if spec.Host != nil {
		to.argument("spec.pool")
		return
	}
	// A pool elsewhere and no host: the cluster's scheduler chooses one.
	for _, candidate := range hosts(to.pool.Owner) {
		if connected(candidate) && !candidate.Runtime.InMaintenanceMode {
			to.host = candidate
			return
		}
	}
	to.argument("spec.host")
}

func (to *here) resolveStorage(spec *types.VirtualMachineRelocateSpec) {
	to.home = datastoreOf(to.vm, to.vm.Config.Files.VmPathName)
	for _, disk := range disks(&to.vm.VirtualMachine) {
		to.disks[disk.Key] = datastoreOf(to.vm, fileOf(disk))
	}
	if spec.Datastore != nil {
		to.home = datastore(*spec.Datastore)
		for key := range to.disks {
			to.disks[key] = to.home
		}
	}
	for i, locator := range spec.Disk {
		if _, is := to.disks[locator.DiskId]; !is {
			to.argument(fmt.Sprintf("spec.disk[%d].diskId", i))
			continue
		}
		to.disks[locator.DiskId] = datastore(locator.Datastore)
	}
}

func (to *here) resolveDevices(spec *types.VirtualMachineRelocateSpec) {
	devices := object.VirtualDeviceList(to.vm.Config.Hardware.Device)
	for i, change := range spec.DeviceChange {
		asked := change.GetVirtualDeviceConfigSpec()
		key := asked.Device.GetVirtualDevice().Key
		_, is := devices.FindByKey(key).(types.BaseVirtualEthernetCard)
		if !is || asked.Operation != types.VirtualDeviceConfigSpecOperationEdit {
			to.argument(fmt.Sprintf("spec.deviceChange[%d]", i))
			continue
		}
		to.nics[key] = asked.Device.GetVirtualDevice().Backing
	}
}

func (to *here) resolveFolder(spec *types.VirtualMachineRelocateSpec) {
	there := datacenter(to.host)
	if spec.Folder != nil {
		chosen, is := simulator.Map.Get(*spec.Folder).(*simulator.Folder)
		if !is || datacenter(chosen).Self != there.Self {
			to.argument("spec.folder")
			return
		}
		to.folder = chosen
	} else if datacenter(to.vm).Self != there.Self {
		to.folder = simulator.Map.Get(there.VmFolder).(*simulator.Folder)
	}
	if to.folder == nil {
		return
	}
	twin := simulator.Map.FindByName(to.vm.Name, to.folder.ChildEntity)
	if twin != nil && twin.Reference() != to.vm.Self {
		to.fail(&types.DuplicateName{Name: to.vm.Name, Object: twin.Reference()})
	}
}

func (to *here) checkHost() {
	self, source := to.host.Self, host(*to.vm.Runtime.Host)
	if !connected(source) || !connected(to.host) {
		to.fail(&types.HostNotConnected{})
	}
	if to.host.Runtime.InMaintenanceMode {
		to.fail(&types.InvalidHostState{Host: &self})
	}
	// The library tells nothing of a host's abilities; only where we do, vMotion can be off.
	running := to.vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	if !running || source.Self == self {
		return
	}
	for _, end := range []*simulator.HostSystem{source, to.host} {
		entity := end.Self
		if end.Capability != nil && !end.Summary.Config.VmotionEnabled {
			issue := types.VMotionInterfaceIssue{
				AtSourceHost: end == source, FailedHost: end.Name, FailedHostEntity: &entity,
			}
			to.fail(&types.VMotionNotConfigured{VMotionInterfaceIssue: issue})
		}
	}
}

func (to *here) checkStorage() {
	if !mounted(to.home, to.host) {
		to.fail(inaccessible(to.home))
	}
	for _, disk := range disks(&to.vm.VirtualMachine) {
		if there := to.disks[disk.Key]; there != to.home && !mounted(there, to.host) {
			to.fail(inaccessible(there))
		}
	}
}

func inaccessible(store *simulator.Datastore) types.BaseMethodFault {
	self := store.Self
	return &types.InaccessibleDatastore{
		InvalidDatastore: types.InvalidDatastore{Datastore: &self, Name: store.Name},
	}
}

func (to *here) checkDevices() {
	moves := to.host.Self != *to.vm.Runtime.Host
	for _, device := range to.vm.Config.Hardware.Device {
		common := device.GetVirtualDevice()
		switch device.(type) {
		case types.BaseVirtualEthernetCard:
			backing, is := to.nics[common.Key]
			if !is {
				backing = common.Backing
			}
			if network := networkOf(backing, to.host); network == nil {
				fault := &types.CannotAccessNetwork{}
				fault.Device = label(common)
				to.fail(fault)
			}
		case *types.VirtualPCIPassthrough:
			if moves {
				to.fail(&types.DeviceNotSupported{Device: label(common)})
			}
		}
	}
}

// networkOf is the network of the host that a card's backing names; nil where it has none of it.
func networkOf(
	backing types.BaseVirtualDeviceBackingInfo, at *simulator.HostSystem,
) *types.ManagedObjectReference {
	for _, network := range at.Network {
		switch backing := backing.(type) {
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if entity, is := simulator.Map.Get(network).(*mo.Network); is && entity.Name == backing.DeviceName {
				return &entity.Self
			}
		case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
			if network.Value == backing.Port.PortgroupKey {
				return &types.ManagedObjectReference{Type: network.Type, Value: network.Value}
			}
		}
	}
	return nil
}
