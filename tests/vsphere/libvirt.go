package main

import (
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// installLibvirt adds the two calls with which libvirt's esx client migrates. They are older than
// RelocateVM_Task, and go the same way here.
func installLibvirt(on *endpoint, with settings) {
	if on.running == nil {
		installRelocation(on, with)
	}
	on.answers["ValidateMigration"] = func(call *request) reply {
		asked := call.Body.(*types.ValidateMigration)
		spec := types.VirtualMachineRelocateSpec{Host: asked.Host, Pool: asked.Pool}
		done := &types.ValidateMigrationResponse{}
		for _, reference := range asked.Vm {
			vm, fault := relocatable(reference, &spec)
			if fault != nil {
				return refused(fault)
			}
			for _, wrong := range objections(vm, &spec) {
				event := &types.MigrationErrorEvent{}
				event.Fault = localized(wrong)
				event.FullFormattedMessage = kindOf(wrong)
				event.CreatedTime = time.Now()
				event.Vm = &types.VmEventArgument{
					EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self,
				}
				done.Returnval = append(done.Returnval, event)
			}
		}
		return encoded(done)
	}
	on.answers["MigrateVM_Task"] = func(call *request) reply {
		asked := call.Body.(*types.MigrateVM_Task)
		spec := types.VirtualMachineRelocateSpec{Host: asked.Host, Pool: asked.Pool}
		vm, fault := relocatable(asked.This, &spec)
		if fault != nil {
			return refused(fault)
		}
		if asked.State != "" && asked.State != vm.Runtime.PowerState {
			return refused(&types.InvalidPowerState{
				RequestedState: asked.State, ExistingState: vm.Runtime.PowerState,
			})
		}
		started := on.running.start(vm, spec, asked.Priority)
		return encoded(&types.MigrateVM_TaskResponse{Returnval: started.task.Self})
	}
}
