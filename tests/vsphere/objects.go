package main

import (
	"fmt"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func host(reference types.ManagedObjectReference) *simulator.HostSystem {
	return simulator.Map.Get(reference).(*simulator.HostSystem)
}

func datastore(reference types.ManagedObjectReference) *simulator.Datastore {
	return simulator.Map.Get(reference).(*simulator.Datastore)
}

func pool(reference types.ManagedObjectReference) *mo.ResourcePool {
	switch found := simulator.Map.Get(reference).(type) {
	case *simulator.ResourcePool:
		return &found.ResourcePool
	case *simulator.VirtualApp:
		return &found.ResourcePool
	}
	return nil
}

func connected(host *simulator.HostSystem) bool {
	return host.Runtime.ConnectionState == types.HostSystemConnectionStateConnected
}

// hosts are those of a cluster, or the one of a standalone host.
func hosts(compute types.ManagedObjectReference) []*simulator.HostSystem {
	var references []types.ManagedObjectReference
	switch found := simulator.Map.Get(compute).(type) {
	case *simulator.ClusterComputeResource:
		references = found.Host
	case *mo.ComputeResource:
		references = found.Host
	}
	var found []*simulator.HostSystem
	for _, reference := range references {
		found = append(found, host(reference))
	}
	return found
}

func datacenter(entity mo.Entity) *simulator.Datacenter {
	for {
		if found, is := entity.(*simulator.Datacenter); is {
			return found
		}
		entity = simulator.Map.Get(*entity.Entity().Parent).(mo.Entity)
	}
}

// datastoreOf is the one that a path "[name] folder/file" of a VM names.
func datastoreOf(vm *simulator.VirtualMachine, file string) *simulator.Datastore {
	var path object.DatastorePath
	path.FromString(file)
	return simulator.Map.FindByName(path.Datastore, datacenter(vm).Datastore).(*simulator.Datastore)
}

func fileOf(disk *types.VirtualDisk) string {
	return disk.Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo().FileName
}

func label(device *types.VirtualDevice) string {
	if device.DeviceInfo == nil {
		return fmt.Sprint(device.Key)
	}
	return device.DeviceInfo.GetDescription().Label
}

// mounted tells whether a host has a datastore. The library keeps one side of it, the host's.
func mounted(store *simulator.Datastore, at *simulator.HostSystem) bool {
	return simulator.FindReference(at.Datastore, store.Self) != nil
}
