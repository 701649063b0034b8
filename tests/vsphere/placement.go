package main

import (
	"os"
	"path/filepath"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// place puts the VM where it was to go. All at once: what a client reads is before or after it.
func (to *here) place() types.BaseMethodFault {
	vm := to.vm
	host, pool := to.host.Self, to.pool.Self
	transfer(vmsOfHost(*vm.Runtime.Host), vmsOfHost(host), vm.Self)
	transfer(vmsOfPool(*vm.ResourcePool), vmsOfPool(pool), vm.Self)
	update(vm,
		types.PropertyChange{Name: "resourcePool", Val: &pool},
		types.PropertyChange{Name: "runtime.host", Val: &host},
		types.PropertyChange{Name: "summary.runtime.host", Val: &host},
	)
	to.placeStorage()
	to.placeNetworks()
	if to.folder != nil {
		folder := to.folder.Self
		transfer(childrenOf(*vm.Parent), childrenOf(folder), vm.Self)
		update(vm, types.PropertyChange{Name: "parent", Val: &folder})
	}
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
	before, used := vm.Datastore, []types.ManagedObjectReference{to.home.Self}
	config, layout := *vm.Config, *vm.LayoutEx
	simulator.Map.WithLock(vm, func() {
		files := map[string]*simulator.Datastore{}
		for _, disk := range disks(&vm.VirtualMachine) {
			store := to.disks[disk.Key]
			self := store.Self
			backing := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo()
			files[backing.FileName] = store
			backing.FileName, backing.Datastore = to.moved(backing.FileName, store), &self
			if simulator.FindReference(used, self) == nil {
				used = append(used, self)
			}
		}
		for _, path := range []*string{
			&config.Files.VmPathName, &config.Files.SnapshotDirectory,
			&config.Files.SuspendDirectory, &config.Files.LogDirectory,
		} {
			*path = renamed(*path, to.home)
		}
		layout.File = append([]types.VirtualMachineFileLayoutExFileInfo{}, layout.File...)
		for i, file := range layout.File {
			store := files[file.Name]
			if store == nil {
				store = to.home
			}
			layout.File[i].Name = to.moved(file.Name, store)
		}
		simulator.Map.Update(vm, []types.PropertyChange{
			{Name: "config.files", Val: config.Files},
			{Name: "summary.config.vmPathName", Val: config.Files.VmPathName},
			{Name: "config.hardware.device", Val: config.Hardware.Device},
			{Name: "layoutEx", Val: &layout},
			{Name: "datastore", Val: used},
		})
	})
	for _, store := range before {
		listed := vmsOfDatastore(store)
		listed.set(listed.without(vm.Self))
	}
	for _, store := range used {
		listed := vmsOfDatastore(store)
		listed.set(append(listed.without(vm.Self), vm.Self))
	}
}

// moved is the path of a file on another datastore, where it is put if there is such a file.
func (to *here) moved(file string, store *simulator.Datastore) string {
	name := renamed(file, store)
	if name == file {
		return file
	}
	source, target := local(file, datastoreOf(to.vm, file)), local(name, store)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err == nil {
		_ = os.Rename(source, target)
	}
	return name
}

func renamed(file string, store *simulator.Datastore) string {
	var path object.DatastorePath
	path.FromString(file)
	path.Datastore = store.Name
	return path.String()
}

func local(file string, store *simulator.Datastore) string {
	var path object.DatastorePath
	path.FromString(file)
	return filepath.Join(store.Info.GetDatastoreInfo().Url, path.Path)
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
