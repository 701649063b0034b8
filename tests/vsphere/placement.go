package main

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// place puts the VM where it was to go. It is there once its runtime.host says so; by then all lists
// have it.
func (to *here) place() types.BaseMethodFault {
	vm := to.vm
	host, pool := to.host.Self, to.pool.Self
	to.placeStorage()
	to.placeNetworks()
	if to.folder != nil {
		folder := to.folder.Self
		transfer(childrenOf(*vm.Parent), childrenOf(folder), vm.Self)
		update(vm, types.PropertyChange{Name: "parent", Val: &folder})
	}
	transfer(vmsOfHost(*vm.Runtime.Host), vmsOfHost(host), vm.Self)
	transfer(vmsOfPool(*vm.ResourcePool), vmsOfPool(pool), vm.Self)
	update(vm,
		types.PropertyChange{Name: "resourcePool", Val: &pool},
		types.PropertyChange{Name: "runtime.host", Val: &host},
		types.PropertyChange{Name: "summary.runtime.host", Val: &host},
	)
	return nil
}

// list is a list with VMs in it that another object keeps.
type list struct {
	owner mo.Reference
	name  string
	vms   []types.ManagedObjectReference
}

func vmsOfHost(reference types.ManagedObjectReference) list {
	found := host(reference)
	return list{found, "vm", found.Vm}
}

func vmsOfPool(reference types.ManagedObjectReference) list {
	return list{simulator.Map.Get(reference), "vm", pool(reference).Vm}
}

func vmsOfDatastore(reference types.ManagedObjectReference) list {
	found := datastore(reference)
	return list{found, "vm", found.Vm}
}

func childrenOf(reference types.ManagedObjectReference) list {
	found := simulator.Map.Get(reference).(*simulator.Folder)
	return list{found, "childEntity", found.ChildEntity}
}

func (l list) without(vm types.ManagedObjectReference) []types.ManagedObjectReference {
	kept := []types.ManagedObjectReference{}
	for _, reference := range l.vms {
		if reference != vm {
			kept = append(kept, reference)
		}
	}
	return kept
}

func (l list) set(vms []types.ManagedObjectReference) {
	update(l.owner, types.PropertyChange{Name: l.name, Val: vms})
}

func transfer(from, to list, vm types.ManagedObjectReference) {
	if from.owner.Reference() == to.owner.Reference() {
		return
	}
	from.set(from.without(vm))
	to.set(append(to.without(vm), vm))
}

// update changes an object and tells those who watch it.
func update(of mo.Reference, changes ...types.PropertyChange) {
	simulator.Map.WithLock(of, func() { simulator.Map.Update(of, changes) })
}

func (to *here) placeStorage() {
	vm := to.vm
	before := vm.Datastore
	usage := []types.VirtualMachineUsageOnDatastore{{Datastore: to.home.Self}}
	config, layout := *vm.Config, *vm.LayoutEx
	of := map[string]*simulator.Datastore{} // by the name of a disk's file, without its folder
	simulator.Map.WithLock(vm, func() {
		for _, disk := range disks(&vm.VirtualMachine) {
			store, file := to.disks[disk.Key], fileOf(disk)
			for _, part := range []string{file, strings.TrimSuffix(file, ".vmdk") + "-flat.vmdk"} {
				of[path.Base(part)] = store
				to.carry(part, store)
			}
			self := store.Self
			backing := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo()
			backing.FileName, backing.Datastore = renamed(file, store), &self
			usage = used(usage, self, disk.CapacityInBytes)
		}
		folder := path.Dir(config.Files.VmPathName)
		entries, _ := os.ReadDir(local(folder, datastoreOf(vm, folder)))
		for _, entry := range entries {
			if of[entry.Name()] == nil {
				to.carry(folder+"/"+entry.Name(), to.home)
			}
		}
		for _, file := range []*string{
			&config.Files.VmPathName, &config.Files.SnapshotDirectory,
			&config.Files.SuspendDirectory, &config.Files.LogDirectory,
		} {
			*file = renamed(*file, to.home)
		}
		layout.File = append([]types.VirtualMachineFileLayoutExFileInfo{}, layout.File...)
		for i, file := range layout.File {
			store := of[path.Base(file.Name)]
			if store == nil {
				store = to.home
			}
			layout.File[i].Name = renamed(file.Name, store)
		}
		stores := []types.ManagedObjectReference{}
		for _, one := range usage {
			stores = append(stores, one.Datastore)
		}
		simulator.Map.Update(vm, []types.PropertyChange{
			{Name: "config.files", Val: config.Files},
			{Name: "summary.config.vmPathName", Val: config.Files.VmPathName},
			{Name: "config.hardware.device", Val: config.Hardware.Device},
			{Name: "layoutEx", Val: &layout},
			{Name: "storage.perDatastoreUsage", Val: usage},
			{Name: "datastore", Val: stores},
		})
	})
	for _, store := range before {
		listed := vmsOfDatastore(store)
		listed.set(listed.without(vm.Self))
	}
	for _, one := range usage {
		listed := vmsOfDatastore(one.Datastore)
		listed.set(append(listed.without(vm.Self), vm.Self))
	}
}

// used adds a disk to what a VM uses.
func used(
	usage []types.VirtualMachineUsageOnDatastore, store types.ManagedObjectReference, size int64,
) []types.VirtualMachineUsageOnDatastore {
	for i := range usage {
		if usage[i].Datastore == store {
			usage[i].Uncommitted += size
			return usage
		}
	}
	return append(usage, types.VirtualMachineUsageOnDatastore{Datastore: store, Uncommitted: size})
}

// carry takes a file to another datastore, if there is such a file.
func (to *here) carry(file string, store *simulator.Datastore) {
	source, target := local(file, datastoreOf(to.vm, file)), local(renamed(file, store), store)
	if source == target {
		return
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err == nil {
		_ = os.Rename(source, target)
	}
}

// renamed is the path of a file on another datastore.
func renamed(file string, store *simulator.Datastore) string {
	var place object.DatastorePath
	place.FromString(file)
	place.Datastore = store.Name
	return place.String()
}

// local is where the library keeps a file of a datastore.
func local(file string, store *simulator.Datastore) string {
	var place object.DatastorePath
	place.FromString(file)
	return filepath.Join(store.Info.GetDatastoreInfo().Url, place.Path)
}

func (to *here) placeNetworks() {
	vm := to.vm
	if len(to.nics) == 0 {
		return
	}
	simulator.Map.WithLock(vm, func() {
		var networks []types.ManagedObjectReference
		for _, device := range vm.Config.Hardware.Device {
			if _, is := device.(types.BaseVirtualEthernetCard); !is {
				continue
			}
			common := device.GetVirtualDevice()
			if backing, is := to.nics[common.Key]; is {
				common.Backing = backing
			}
			network := networkOf(common.Backing, to.host)
			if plain, is := common.Backing.(*types.VirtualEthernetCardNetworkBackingInfo); is {
				plain.Network = network
			}
			networks = append(networks, *network)
		}
		simulator.Map.Update(vm, []types.PropertyChange{
			{Name: "config.hardware.device", Val: vm.Config.Hardware.Device},
			{Name: "network", Val: networks},
		})
	})
}
