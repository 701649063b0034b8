package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const vmotion = "vmotion"

// installHosts gives hosts what a check reads of them. The library's hosts have no capabilities
// and no vMotion, share one network manager by name, and of the hosts that mount a datastore it
// tells the last one.
func installHosts(on *endpoint, _ settings) {
	managers := map[types.ManagedObjectReference]*simulator.HostSystem{}
	for _, entity := range all("HostSystem") {
		host := entity.(*simulator.HostSystem)
		manager := &mo.HostVirtualNicManager{}
		manager.Self.Type = "HostVirtualNicManager"
		manager.Self.Value = "virtualNicManager-" + host.Self.Value
		managers[manager.Self] = host
		simulator.Map.Put(manager)
		host.ConfigManager.VirtualNicManager = &manager.Self
		host.Capability = &types.HostCapability{
			VmotionSupported: true, StorageVMotionSupported: types.NewBool(true),
		}
		selectVmotion(host, manager, true)
		listMounts(host)
	}
	turn := func(call *request, kind string, enabled bool) types.BaseMethodFault {
		host, is := managers[call.This]
		if !is {
			return &types.ManagedObjectNotFound{Obj: call.This}
		}
		if kind != vmotion {
			return &types.InvalidArgument{InvalidProperty: "nicType"}
		}
		selectVmotion(host, simulator.Map.Get(call.This).(*mo.HostVirtualNicManager), enabled)
		return nil
	}
	on.answers["SelectVnicForNicType"] = func(call *request) reply {
		if fault := turn(call, call.Body.(*types.SelectVnicForNicType).NicType, true); fault != nil {
			return refused(fault)
		}
		return encoded(&types.SelectVnicForNicTypeResponse{})
	}
	on.answers["DeselectVnicForNicType"] = func(call *request) reply {
		if fault := turn(call, call.Body.(*types.DeselectVnicForNicType).NicType, false); fault != nil {
			return refused(fault)
		}
		return encoded(&types.DeselectVnicForNicTypeResponse{})
	}
	on.answers["DisconnectHost_Task"] = func(call *request) reply {
		task, fault := connect(call.This, "disconnect", types.HostSystemConnectionStateDisconnected)
		if fault != nil {
			return refused(fault)
		}
		return encoded(&types.DisconnectHost_TaskResponse{Returnval: task})
	}
	on.answers["ReconnectHost_Task"] = func(call *request) reply {
		task, fault := connect(call.This, "reconnect", types.HostSystemConnectionStateConnected)
		if fault != nil {
			return refused(fault)
		}
		return encoded(&types.ReconnectHost_TaskResponse{Returnval: task})
	}
}

// selectVmotion turns vMotion on or off in all the places where a host tells of it.
func selectVmotion(host *simulator.HostSystem, manager *mo.HostVirtualNicManager, enabled bool) {
	info := *host.Config.VirtualNicManagerInfo
	info.NetConfig = append([]types.VirtualNicManagerNetConfig{}, info.NetConfig...)
	var selected string
	for i := range info.NetConfig {
		config := &info.NetConfig[i]
		if config.NicType != vmotion {
			continue
		}
		config.SelectedVnic = nil
		if enabled {
			selected = config.CandidateVnic[0].Key
			config.SelectedVnic = []string{selected}
		}
	}
	old := *host.Config.Vmotion.NetConfig
	old.SelectedVnic = selected
	update(manager, types.PropertyChange{Name: "info", Val: info})
	update(host,
		types.PropertyChange{Name: "config.virtualNicManagerInfo", Val: &info},
		types.PropertyChange{Name: "config.vmotion.netConfig", Val: &old},
		types.PropertyChange{Name: "summary.config.vmotionEnabled", Val: enabled},
	)
}

func listMounts(host *simulator.HostSystem) {
	for _, reference := range host.Datastore {
		store := datastore(reference)
		mounts := []types.DatastoreHostMount{}
		for _, mount := range store.Host {
			if mount.Key != host.Self {
				mounts = append(mounts, mount)
			}
		}
		mounts = append(mounts, types.DatastoreHostMount{
			Key: host.Self,
			MountInfo: types.HostMountInfo{
				Path:       store.Info.GetDatastoreInfo().Url,
				AccessMode: string(types.HostMountModeReadWrite),
				Mounted:    types.NewBool(true),
				Accessible: types.NewBool(true),
			},
		})
		update(store, types.PropertyChange{Name: "host", Val: mounts})
	}
}

func connect(
	reference types.ManagedObjectReference, name string, state types.HostSystemConnectionState,
) (types.ManagedObjectReference, types.BaseMethodFault) {
	if fault := missing(&reference); fault != nil {
		return reference, fault
	}
	host := host(reference)
	update(host, types.PropertyChange{Name: "runtime.connectionState", Val: state})
	for _, vm := range host.Vm { // the vCenter knows no more of them either
		known := types.VirtualMachineConnectionState(state)
		update(simulator.Map.Get(vm),
			types.PropertyChange{Name: "runtime.connectionState", Val: known},
			types.PropertyChange{Name: "summary.runtime.connectionState", Val: known},
		)
	}
	task := simulator.CreateTask(host, name, func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return nil, nil
	})
	return task.Run(), nil
}
