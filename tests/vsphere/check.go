package main

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// installCheck adds what the library knows nothing of: to ask beforehand.
func installCheck(on *endpoint, _ settings) {
	on.answers["CheckRelocate_Task"] = func(call *request) reply {
		asked := call.Body.(*types.CheckRelocate_Task)
		vm, fault := relocatable(asked.Vm, &asked.Spec)
		if fault != nil {
			return refused(fault)
		}
		task := checked(vm, &asked.Spec)
		return encoded(&types.CheckRelocate_TaskResponse{Returnval: task.Self})
	}
}

// checked is a task with the verdict for its result: all that is wrong, in order.
func checked(vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) *simulator.Task {
	to := resolve(vm, spec)
	defer to.leave()
	host := to.destination()
	verdict := types.CheckResult{Vm: &vm.Self, Host: &host}
	for _, fault := range to.wrong() {
		verdict.Error = append(verdict.Error, localized(fault))
	}
	options := options(vm)
	if fault := faultNamed(options["sim.check.error"], vm); fault != nil {
		verdict.Error = append(verdict.Error, localized(fault))
	}
	if fault := faultNamed(options["sim.check.warning"], vm); fault != nil {
		verdict.Warning = append(verdict.Warning, localized(fault))
	}
	task := simulator.CreateTask(vm, "checkRelocate", nil)
	now := time.Now()
	update(task,
		types.PropertyChange{Name: "info.descriptionId", Val: "VirtualMachineProvisioningChecker.checkRelocate"},
		types.PropertyChange{Name: "info.startTime", Val: &now},
		types.PropertyChange{Name: "info.completeTime", Val: &now},
		types.PropertyChange{Name: "info.result", Val: []types.CheckResult{verdict}},
		types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateSuccess},
	)
	return task
}

func localized(fault types.BaseMethodFault) types.LocalizedMethodFault {
	return types.LocalizedMethodFault{Fault: fault}
}
