package main

import (
	"net/http"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// installEncryption keeps a setting that the library drops. Nothing is encrypted.
func installEncryption(on *endpoint, _ settings) {
	kept := types.VirtualMachineConfigSpecEncryptedVMotionModesOpportunistic
	for _, vm := range all("VirtualMachine") {
		vm.(*simulator.VirtualMachine).Config.MigrateEncryption = string(kept)
	}
	on.answers["ReconfigVM_Task"] = func(call *request) reply {
		asked := call.Body.(*types.ReconfigVM_Task)
		mode := asked.Spec.MigrateEncryption
		switch types.VirtualMachineConfigSpecEncryptedVMotionModes(mode) {
		case "",
			types.VirtualMachineConfigSpecEncryptedVMotionModesDisabled,
			types.VirtualMachineConfigSpecEncryptedVMotionModesOpportunistic,
			types.VirtualMachineConfigSpecEncryptedVMotionModesRequired:
		default:
			return refused(&types.InvalidArgument{InvalidProperty: "configSpec.migrateEncryption"})
		}
		done := call.library()
		if vm, is := simulator.Map.Get(asked.This).(*simulator.VirtualMachine); is &&
			mode != "" && done.Code == http.StatusOK {
			update(vm, types.PropertyChange{Name: "config.migrateEncryption", Val: mode})
		}
		return done
	}
}
