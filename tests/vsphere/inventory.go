package main

import (
	"context"
	"flag"
	"fmt"
	"path"
	"sort"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// inventory is what there is when the endpoint starts.
type inventory struct {
	esx                                             bool
	datacenters, clusters, hosts, standalone, pools int
	vms, disks, datastores, portgroups              int
	instance, prefix, api                           string
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
	flag.StringVar(&i.instance, "instance-uuid", "",
		"about.instanceUuid, and hosts and VMs with uuids of their own; the library's are the same in all")
	flag.StringVar(&i.prefix, "prefix", "", "names of VMs begin with this `text`")
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

// complete adds what the library's plan does not know of.
func (i *inventory) complete() error {
	for _, entity := range all("VirtualMachine") {
		vm := entity.(*simulator.VirtualMachine)
		if i.disks > 1 {
			if err := addDisks(vm, i.disks-1); err != nil {
				return err
			}
		}
		if i.instance != "" {
			i.identify(&vm.Config.Uuid, &vm.Summary.Config.Uuid)
			i.identify(&vm.Config.InstanceUuid, &vm.Summary.Config.InstanceUuid)
		}
		for _, name := range []*string{&vm.Name, &vm.Config.Name, &vm.Summary.Config.Name} {
			*name = i.prefix + *name
		}
	}
	if i.instance != "" {
		for _, entity := range all("HostSystem") {
			host := entity.(*simulator.HostSystem)
			i.identify(&host.Hardware.SystemInfo.Uuid, &host.Summary.Hardware.Uuid)
		}
	}
	return nil
}

// identify makes a uuid one that only this vCenter has, in both places that tell it.
func (i *inventory) identify(id, summary *string) {
	*id = uuid.NewSHA1(uuid.NameSpaceOID, []byte(i.instance+*id)).String()
	*summary = *id
}

func addDisks(vm *simulator.VirtualMachine, count int) error {
	spec := types.VirtualMachineConfigSpec{DeviceChange: furtherDisks(vm, count)}
	task := vm.ReconfigVMTask(internal(), &types.ReconfigVM_Task{This: vm.Self, Spec: spec})
	reference := task.(*methods.ReconfigVM_TaskBody).Res.Returnval
	done := simulator.Map.Get(reference).(*simulator.Task)
	if done.Info.State != types.TaskInfoStateSuccess {
		return fmt.Errorf("%s: %s", vm.Name, done.Info.Error.LocalizedMessage)
	}
	simulator.Map.Remove(reference)
	return nil
}

// internal is the context of a call that no client has made.
func internal() *simulator.Context {
	return &simulator.Context{
		Context: context.Background(), Map: simulator.Map, Session: &simulator.Session{},
	}
}

// furtherDisks are changes that give a VM more disks, beside its first one.
func furtherDisks(vm *simulator.VirtualMachine, count int) []types.BaseVirtualDeviceConfigSpec {
	devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
	first := disks(&vm.VirtualMachine)[0]
	controller := devices.FindByKey(first.ControllerKey).(types.BaseVirtualController)
	var file object.DatastorePath
	file.FromString(vm.Config.Files.VmPathName)
	var changes []types.BaseVirtualDeviceConfigSpec
	for n := 0; n < count; n++ {
		file.Path = path.Join(path.Dir(file.Path), fmt.Sprintf("disk%d.vmdk", n+2))
		disk := devices.CreateDisk(controller, types.ManagedObjectReference{}, file.String())
		unit := *first.UnitNumber + int32(n) + 1
		disk.CapacityInKB, disk.UnitNumber = first.CapacityInKB, &unit
		changes = append(changes, &types.VirtualDeviceConfigSpec{
			Operation:     types.VirtualDeviceConfigSpecOperationAdd,
			FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate,
			Device:        disk,
		})
	}
	return changes
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
