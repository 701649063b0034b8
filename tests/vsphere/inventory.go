package main

import (
	"context"
	"flag"
	"fmt"
	"path"
	"sort"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// inventory is what there is when the endpoint starts.
type inventory struct {
	esx                                             bool
	datacenters, clusters, hosts, standalone, pools int
	vms, disks, datastores, portgroups              int
	instance, api                                   string
}

func (i *inventory) flags() {
	stock := simulator.VPX()
	flag.BoolVar(&i.esx, "esx", false, "an ESXi host that no vCenter manages")
	flag.IntVar(&i.datacenters, "datacenters", stock.Datacenter, "how many datacenters")
	flag.IntVar(&i.clusters, "clusters", stock.Cluster, "clusters of a datacenter")
	flag.IntVar(&i.hosts, "hosts", stock.ClusterHost, "hosts of a cluster")
	flag.IntVar(&i.standalone, "standalone-hosts", stock.Host, "hosts of a datacenter in no cluster")
	flag.IntVar(&i.pools, "pools", stock.Pool, "resource pools of a cluster beside its root")
	flag.IntVar(&i.datastores, "datastores", stock.Datastore, "datastores of a datacenter")
	flag.IntVar(&i.portgroups, "portgroups", stock.Portgroup, "portgroups of a datacenter")
	flag.IntVar(&i.vms, "vms", stock.Machine, "VMs of each cluster and of each standalone host")
	flag.IntVar(&i.disks, "disks", 1, "disks of a VM")
	flag.StringVar(&i.instance, "instance-uuid", "", "about.instanceUuid; the library has one for all")
	flag.StringVar(&i.api, "api-version", "", "about.apiVersion; the library has 6.5")
}

// model is the library's plan of the inventory.
func (i *inventory) model() *simulator.Model {
	if i.esx {
		model := simulator.ESX()
		model.Machine, model.Datastore = i.vms, i.datastores
		i.about(&model.ServiceContent.About)
		return model
	}
	model := simulator.VPX()
	model.Datacenter, model.Cluster, model.ClusterHost = i.datacenters, i.clusters, i.hosts
	model.Host, model.Pool, model.Datastore = i.standalone, i.pools, i.datastores
	model.Portgroup, model.Machine = i.portgroups, i.vms
	i.about(&model.ServiceContent.About)
	return model
}

func (i *inventory) about(about *types.AboutInfo) {
	if i.instance != "" {
		about.InstanceUuid = i.instance
	}
	if i.api != "" {
		about.ApiVersion, about.Version = i.api, i.api
	}
}

// complete adds what the library's plan does not know of: further disks.
func (i *inventory) complete() error {
	if i.disks < 2 {
		return nil
	}
	ctx := context.Background()
	for _, vm := range all("VirtualMachine") {
		if err := addDisks(ctx, vm.(*simulator.VirtualMachine), i.disks-1); err != nil {
			return err
		}
	}
	return nil
}

func addDisks(ctx context.Context, vm *simulator.VirtualMachine, count int) error {
	devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
	first := devices.SelectByType((*types.VirtualDisk)(nil))[0].(*types.VirtualDisk)
	controller := devices.FindByKey(first.ControllerKey).(types.BaseVirtualController)
	var home object.DatastorePath
	home.FromString(vm.Config.Files.VmPathName)
	spec := types.VirtualMachineConfigSpec{}
	for n := 0; n < count; n++ {
		home.Path = path.Join(path.Dir(home.Path), fmt.Sprintf("disk%d.vmdk", n+2))
		disk := devices.CreateDisk(controller, types.ManagedObjectReference{}, home.String())
		disk.CapacityInKB = first.CapacityInKB
		unit := *first.UnitNumber + int32(n) + 1
		disk.UnitNumber = &unit
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{
			Operation:     types.VirtualDeviceConfigSpecOperationAdd,
			FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate,
			Device:        disk,
		})
	}
	caller := &simulator.Context{Context: ctx, Map: simulator.Map, Session: &simulator.Session{}}
	vm.ReconfigVMTask(caller, &types.ReconfigVM_Task{This: vm.Self, Spec: spec})
	if found := len(disks(&vm.VirtualMachine)); found != count+1 {
		return fmt.Errorf("%s has %d disks and not %d", vm.Name, found, count+1)
	}
	return nil
}

func content() types.ServiceContent {
	return simulator.Map.Get(vim25.ServiceInstance).(*simulator.ServiceInstance).Content
}

// all are the objects of a kind, in the order of their creation.
func all(kind string) []mo.Entity {
	found := simulator.Map.All(kind)
	sort.Slice(found, func(a, b int) bool {
		one, other := found[a].Reference().Value, found[b].Reference().Value
		return len(one) < len(other) || len(one) == len(other) && one < other
	})
	return found
}

func disks(vm *mo.VirtualMachine) []*types.VirtualDisk {
	var found []*types.VirtualDisk
	for _, device := range vm.Config.Hardware.Device {
		if disk, is := device.(*types.VirtualDisk); is {
			found = append(found, disk)
		}
	}
	return found
}
