package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

const patience = 20 * time.Second

// abroad is a destination in another vCenter: another process that serves the API. We log in there
// as the specification says, create the VM there, and forget it here.
type abroad struct {
	vm     *simulator.VirtualMachine
	spec   *types.VirtualMachineRelocateSpec
	client *govmomi.Client
	host   types.ManagedObjectReference
	pool   types.ManagedObjectReference
	folder types.ManagedObjectReference
	errors []types.BaseMethodFault
}

func resolveAbroad(vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) *abroad {
	to := &abroad{vm: vm, spec: spec}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	fault := to.logIn(ctx)
	if fault == nil {
		fault = to.find(ctx)
	}
	if fault != nil {
		to.errors = append(to.errors, fault)
		return to
	}
	to.check(ctx)
	return to
}

func (to *abroad) wrong() []types.BaseMethodFault            { return to.errors }
func (to *abroad) destination() types.ManagedObjectReference { return to.host }

func (to *abroad) leave() {
	if to.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = to.client.Logout(ctx)
	}
}

// logIn trusts the certificate that the specification pins, and no other.
func (to *abroad) logIn(ctx context.Context) types.BaseMethodFault {
	locator := to.spec.Service
	invalid := func(property string) types.BaseMethodFault {
		return &types.InvalidArgument{InvalidProperty: "spec.service." + property}
	}
	where, err := soap.ParseURL(locator.Url)
	if err != nil || where.Scheme != "https" {
		return invalid("url")
	}
	credential, is := locator.Credential.(*types.ServiceLocatorNamePassword)
	if !is {
		return invalid("credential")
	}
	if fault := pinned(where, locator.SslThumbprint); fault != nil {
		return fault
	}
	transport := soap.NewClient(where, false)
	transport.SetThumbprint(where.Host, locator.SslThumbprint)
	client, err := vim25.NewClient(ctx, transport)
	if err != nil {
		return &types.NoHost{Name: where.Host}
	}
	if client.ServiceContent.About.InstanceUuid != locator.InstanceUuid {
		return invalid("instanceUuid")
	}
	manager := session.NewManager(client)
	if err := manager.Login(ctx, url.UserPassword(credential.Username, credential.Password)); err != nil {
		return &types.InvalidLogin{}
	}
	to.client = &govmomi.Client{Client: client, SessionManager: manager}
	return nil
}

func pinned(where *url.URL, thumbprint string) types.BaseMethodFault {
	connection, err := tls.Dial("tcp", where.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return &types.NoHost{Name: where.Host}
	}
	defer connection.Close()
	shown := soap.ThumbprintSHA1(connection.ConnectionState().PeerCertificates[0])
	if shown != strings.ToUpper(thumbprint) {
		return &types.SSLVerifyFault{Thumbprint: shown}
	}
	return nil
}

// read is a property of an object there; nil when there is no such thing.
func (to *abroad) read(
	ctx context.Context, reference types.ManagedObjectReference, path string,
) types.AnyType {
	var found []types.ObjectContent
	collector := property.DefaultCollector(to.client.Client)
	err := collector.Retrieve(ctx, []types.ManagedObjectReference{reference}, []string{path}, &found)
	if err != nil || len(found) == 0 || len(found[0].PropSet) == 0 {
		return nil
	}
	return found[0].PropSet[0].Val
}

// follow is the object that a property names; none when it cannot be read.
func (to *abroad) follow(
	ctx context.Context, from types.ManagedObjectReference, path string,
) types.ManagedObjectReference {
	found, _ := to.read(ctx, from, path).(types.ManagedObjectReference)
	return found
}

// find fills what the specification leaves open, and refuses what it may not.
func (to *abroad) find(ctx context.Context) types.BaseMethodFault {
	for _, reference := range namedIn(to.spec) {
		if reference != nil && to.read(ctx, *reference, "name") == nil {
			return &types.ManagedObjectNotFound{Obj: *reference}
		}
	}
	if to.spec.Datastore == nil {
		return &types.InvalidArgument{InvalidProperty: "spec.datastore"}
	}
	switch {
	case to.spec.Host != nil:
		to.host = *to.spec.Host
	case to.spec.Pool != nil:
		owner := to.follow(ctx, *to.spec.Pool, "owner")
		for _, host := range references(to.read(ctx, owner, "host")) {
			to.host = host
		}
	default:
		return &types.InvalidArgument{InvalidProperty: "spec.host"}
	}
	compute := to.follow(ctx, to.host, "parent")
	to.pool = to.follow(ctx, compute, "resourcePool")
	if to.spec.Pool != nil {
		to.pool = *to.spec.Pool
	}
	if to.follow(ctx, to.pool, "owner") != compute {
		return &types.InvalidArgument{InvalidProperty: "spec.pool"}
	}
	if to.spec.Folder != nil {
		to.folder = *to.spec.Folder
		return nil
	}
	above := compute
	for above.Type == compute.Type || above.Type == "Folder" {
		above = to.follow(ctx, above, "parent")
	}
	to.folder = to.follow(ctx, above, "vmFolder")
	if to.folder.Value == "" { // it was there before, so it has ended
		return &types.NoHost{Name: to.spec.Service.Url}
	}
	return nil
}

func references(value types.AnyType) []types.ManagedObjectReference {
	if found, is := value.(types.ArrayOfManagedObjectReference); is {
		return found.ManagedObjectReference
	}
	return nil
}

func (to *abroad) check(ctx context.Context) {
	host := to.host
	if to.read(ctx, host, "runtime.connectionState") != types.HostSystemConnectionStateConnected {
		to.errors = append(to.errors, &types.HostNotConnected{})
	}
	if to.read(ctx, host, "runtime.inMaintenanceMode") == true {
		to.errors = append(to.errors, &types.InvalidHostState{Host: &host})
	}
	for _, child := range references(to.read(ctx, to.folder, "childEntity")) {
		if to.read(ctx, child, "name") == to.vm.Name {
			to.errors = append(to.errors, &types.DuplicateName{Name: to.vm.Name, Object: child})
		}
	}
	mounted := references(to.read(ctx, host, "datastore"))
	for _, store := range to.stores() {
		store := store
		if simulator.FindReference(mounted, store) == nil {
			to.errors = append(to.errors, &types.InaccessibleDatastore{
				InvalidDatastore: types.InvalidDatastore{Datastore: &store},
			})
		}
	}
	to.checkNetworks(ctx)
}

// checkNetworks lets a card keep a network that has the same name there. A portgroup of this vCenter
// is none of the other, even where it has the same key: a card must be told which one it gets.
func (to *abroad) checkNetworks(ctx context.Context) {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, network := range references(to.read(ctx, to.host, "network")) {
		names[fmt.Sprint(to.read(ctx, network, "name"))] = true
		keys[network.Value] = true
	}
	edited := map[int32]bool{}
	for _, change := range to.spec.DeviceChange {
		edited[change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice().Key] = true
	}
	for _, change := range to.config(ctx).DeviceChange {
		device := change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice()
		var there bool
		switch backing := device.Backing.(type) {
		case *types.VirtualEthernetCardNetworkBackingInfo:
			there = names[backing.DeviceName]
		case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
			there = edited[device.Key] && keys[backing.Port.PortgroupKey]
		default:
			continue // no card
		}
		if !there {
			fault := &types.CannotAccessNetwork{}
			fault.Device = label(device)
			to.errors = append(to.errors, fault)
		}
	}
}

func (to *abroad) stores() []types.ManagedObjectReference {
	stores := []types.ManagedObjectReference{*to.spec.Datastore}
	for _, locator := range to.spec.Disk {
		stores = append(stores, locator.Datastore)
	}
	return stores
}

// place creates the VM there and starts it if it runs here; only then it is forgotten here.
func (to *abroad) place() types.BaseMethodFault {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	folder := object.NewFolder(to.client.Client, to.folder)
	pool := object.NewResourcePool(to.client.Client, to.pool)
	config := to.config(ctx)
	host := object.NewHostSystem(to.client.Client, to.host)
	task, err := folder.CreateVM(ctx, config, pool, host)
	if err == nil {
		err = to.complete(ctx, task)
	}
	if err != nil {
		return &types.MigrationFault{VimFault: types.VimFault{MethodFault: types.MethodFault{
			FaultMessage: []types.LocalizableMessage{{Key: "sim.abroad", Message: err.Error()}},
		}}}
	}
	update(to.vm, types.PropertyChange{
		Name: "runtime.powerState", Val: types.VirtualMachinePowerStatePoweredOff,
	})
	to.vm.UnregisterVM(internal(), &types.UnregisterVM{This: to.vm.Self})
	return nil
}

// complete starts the new VM, or takes it away again.
func (to *abroad) complete(ctx context.Context, creation *object.Task) error {
	created, err := creation.WaitForResult(ctx, nil)
	if err != nil || to.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return err
	}
	there := object.NewVirtualMachine(to.client.Client, created.Result.(types.ManagedObjectReference))
	start, err := there.PowerOn(ctx)
	if err == nil {
		err = start.Wait(ctx)
	}
	if err != nil {
		if removal, failed := there.Destroy(ctx); failed == nil {
			_ = removal.Wait(ctx)
		}
	}
	return err
}

// config is the VM as it is to be created there. It chooses the names of the files itself.
func (to *abroad) config(ctx context.Context) types.VirtualMachineConfigSpec {
	path := func(store types.ManagedObjectReference) string {
		return fmt.Sprintf("[%s]", to.read(ctx, store, "name"))
	}
	vm := to.vm.Config
	config := types.VirtualMachineConfigSpec{
		Name: vm.Name, Uuid: vm.Uuid, InstanceUuid: vm.InstanceUuid, GuestId: vm.GuestId,
		NumCPUs: vm.Hardware.NumCPU, MemoryMB: int64(vm.Hardware.MemoryMB),
		NumCoresPerSocket: vm.Hardware.NumCoresPerSocket,
		Files:             &types.VirtualMachineFileInfo{VmPathName: path(*to.spec.Datastore)},
	}
	given := object.VirtualDeviceList(esx.VirtualDevice)
	for _, device := range vm.Hardware.Device {
		if given.FindByKey(device.GetVirtualDevice().Key) != nil {
			continue // each new VM has it
		}
		config.DeviceChange = append(config.DeviceChange, &types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: device,
		})
	}
	config = copied(config)
	for _, change := range config.DeviceChange {
		asked := change.GetVirtualDeviceConfigSpec()
		device := asked.Device.GetVirtualDevice()
		if _, is := asked.Device.(*types.VirtualDisk); is {
			file := device.Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo()
			file.FileName, file.Datastore = config.Files.VmPathName, nil
			for _, locator := range to.spec.Disk {
				if locator.DiskId == device.Key {
					file.FileName = path(locator.Datastore)
				}
			}
			asked.FileOperation = types.VirtualDeviceConfigSpecFileOperationCreate
		}
		for _, wanted := range to.spec.DeviceChange {
			edit := wanted.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice()
			if edit.Key == device.Key {
				device.Backing = edit.Backing
			}
		}
	}
	return config
}

// copied shares nothing with the original.
func copied(config types.VirtualMachineConfigSpec) types.VirtualMachineConfigSpec {
	text, err := xml.Marshal(config)
	check(err)
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.TypeFunc = types.TypeFunc()
	var copy types.VirtualMachineConfigSpec
	check(decoder.Decode(&copy))
	return copy
}
