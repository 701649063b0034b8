package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// relocations are those that run. The library's relocation is over when the call returns, moves
// whatever it is asked to, and leaves the lists of VMs of hosts, pools and datastores stale.
type relocations struct {
	mutex sync.Mutex
	pace  time.Duration
	user  string // whom tasks are said to be of
	byVM  map[types.ManagedObjectReference]*relocation
}

// relocation is one task.
type relocation struct {
	task   *simulator.Task
	vm     *simulator.VirtualMachine
	spec   types.VirtualMachineRelocateSpec
	asked  *controls
	cancel chan struct{}
}

func installRelocation(on *endpoint, with settings) {
	running := &relocations{byVM: map[types.ManagedObjectReference]*relocation{}}
	running.pace, running.user = with.pace, with.user
	on.running = running
	on.answers["RelocateVM_Task"] = running.relocate
	on.answers["CancelTask"] = running.cancel
}

func (r *relocations) relocate(call *request) reply {
	asked := call.Body.(*types.RelocateVM_Task)
	vm, fault := relocatable(asked.This, &asked.Spec)
	if fault != nil {
		return refused(fault)
	}
	started := r.start(vm, asked.Spec, asked.Priority)
	if started.asked != nil {
		time.Sleep(started.asked.delay)
		if started.asked.drop {
			panic(http.ErrAbortHandler) // the connection closes
		}
	}
	return encoded(&types.RelocateVM_TaskResponse{Returnval: started.task.Self})
}

// relocatable is the VM, or the fault for a reference that names nothing. A host without a vCenter
// moves none.
func relocatable(
	reference types.ManagedObjectReference, spec *types.VirtualMachineRelocateSpec,
) (*simulator.VirtualMachine, types.BaseMethodFault) {
	if simulator.Map.IsESX() {
		return nil, &types.NotSupported{}
	}
	if fault := missing(&reference); fault != nil {
		return nil, fault
	}
	if spec.Service == nil { // else they are references of the other vCenter
		if fault := missing(namedIn(spec)...); fault != nil {
			return nil, fault
		}
	}
	return simulator.Map.Get(reference).(*simulator.VirtualMachine), nil
}

// start begins a relocation, or ends its task at once with what is wrong.
func (r *relocations) start(
	vm *simulator.VirtualMachine, spec types.VirtualMachineRelocateSpec,
	priority types.VirtualMachineMovePriority,
) *relocation {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	task := simulator.CreateTask(vm, "relocateVm", nil)
	started := &relocation{task: task, vm: vm, spec: spec, cancel: make(chan struct{}, 1)}
	now := time.Now()
	started.update(
		types.PropertyChange{Name: "info.entityName", Val: vm.Name},
		types.PropertyChange{Name: "info.reason", Val: &types.TaskReasonUser{UserName: r.user}},
		types.PropertyChange{Name: "info.cancelable", Val: true},
		types.PropertyChange{Name: "info.startTime", Val: &now},
		types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateRunning},
	)
	if other, is := r.byVM[vm.Self]; is {
		started.end(&types.TaskInProgress{Task: other.task.Self}, "another task is in progress")
		return started
	}
	asked, fault := controlled(vm, r.pace)
	if fault != nil {
		started.end(fault, "")
		return started
	}
	if wrong := objections(vm, &spec); len(wrong) > 0 {
		started.end(wrong[0], "")
		return started
	}
	started.asked = asked
	record(vm, priority)
	update(vm, types.PropertyChange{
		Name: "recentTask", Val: append(append([]types.ManagedObjectReference{}, vm.RecentTask...), task.Self),
	})
	r.byVM[vm.Self] = started
	go r.run(started)
	return started
}

// record keeps the priority where a client can read it: nothing in the API tells it.
func record(vm *simulator.VirtualMachine, priority types.VirtualMachineMovePriority) {
	option := &types.OptionValue{Key: "sim.relocate.priority", Value: string(priority)}
	simulator.Map.WithLock(vm, func() {
		vm.Config.ExtraConfig = append(vm.Config.ExtraConfig, option)
	})
}

// objections are what is wrong with a specification.
func objections(
	vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec,
) []types.BaseMethodFault {
	to := resolve(vm, spec)
	defer to.leave()
	return to.wrong()
}

// run is the task from 0 to 100 per cent in steps of five.
func (r *relocations) run(one *relocation) {
	fault, text := one.walk()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if fault == nil {
		fault, text = one.arrive()
	}
	delete(r.byVM, one.vm.Self)
	one.end(fault, text)
}

// arrive puts the VM in its place, if nothing has come in between.
func (one *relocation) arrive() (types.BaseMethodFault, string) {
	if _, fault := relocatable(one.vm.Self, &one.spec); fault != nil {
		return fault, ""
	}
	to := resolve(one.vm, &one.spec)
	defer to.leave()
	if wrong := to.wrong(); len(wrong) > 0 {
		return wrong[0], ""
	}
	if fault := to.place(); fault != nil {
		return fault, ""
	}
	one.update(types.PropertyChange{Name: "info.progress", Val: int32(100)})
	if one.asked.failAt >= 100 {
		return one.asked.fault, one.asked.text
	}
	return nil, ""
}

// walk is the way until the VM is to change its place.
func (one *relocation) walk() (types.BaseMethodFault, string) {
	for percent := 0; percent < 100; percent += 5 {
		one.update(types.PropertyChange{Name: "info.progress", Val: int32(percent)})
		if one.asked.fault != nil && percent >= one.asked.failAt {
			return one.asked.fault, one.asked.text
		}
		select {
		case <-one.cancel:
			one.update(types.PropertyChange{Name: "info.cancelled", Val: true})
			return &types.RequestCanceled{}, "the task was cancelled by a user"
		case <-time.After(one.asked.pace / 20):
		}
	}
	return nil, ""
}

func (one *relocation) update(changes ...types.PropertyChange) {
	update(one.task, changes...)
}

func (one *relocation) end(fault types.BaseMethodFault, text string) {
	now := time.Now()
	changes := []types.PropertyChange{
		{Name: "info.completeTime", Val: &now},
		{Name: "info.cancelable", Val: false},
	}
	if fault == nil {
		changes = append(changes,
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateSuccess})
	} else {
		raised := &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: text}
		changes = append(changes,
			types.PropertyChange{Name: "info.error", Val: raised},
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateError})
	}
	one.update(changes...)
}

func (r *relocations) cancel(call *request) reply {
	asked := call.Body.(*types.CancelTask)
	if fault := missing(&asked.This); fault != nil {
		return refused(fault)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, one := range r.byVM {
		if one.task.Self != asked.This {
			continue
		}
		switch one.asked.cancel {
		case "refused":
			return refused(&types.NotSupported{})
		case "ignored":
		default:
			select {
			case one.cancel <- struct{}{}:
			default: // asked for already
			}
		}
		return encoded(&types.CancelTaskResponse{})
	}
	return refused(&types.InvalidState{})
}
