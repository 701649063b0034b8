package main

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// controls are what a test asks of the relocations of one VM. It asks through the API itself, with
// ReconfigVM_Task and these keys of extraConfig; an empty value is none.
type controls struct {
	pace   time.Duration         // sim.relocate.seconds: how long it takes
	fault  types.BaseMethodFault // sim.relocate.fault: the name of the fault that it ends with
	text   string                // sim.relocate.message: what the fault says
	failAt int                   // sim.relocate.failat: at this per cent; at 100 the VM has moved
	delay  time.Duration         // sim.relocate.delay: seconds until the call is answered
	drop   bool                  // sim.relocate.drop: the connection is closed, not answered
	cancel string                // sim.relocate.cancel: "ignored" or "refused"
}

// controlled reads them.
func controlled(vm *simulator.VirtualMachine, pace time.Duration) (*controls, types.BaseMethodFault) {
	set := options(vm)
	asked := &controls{
		pace:   pace,
		text:   set["sim.relocate.message"],
		drop:   set["sim.relocate.drop"] != "",
		cancel: set["sim.relocate.cancel"],
	}
	for key, duration := range map[string]*time.Duration{
		"sim.relocate.seconds": &asked.pace, "sim.relocate.delay": &asked.delay,
	} {
		if text := set[key]; text != "" {
			seconds, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, &types.InvalidArgument{InvalidProperty: key}
			}
			*duration = time.Duration(seconds * float64(time.Second))
		}
	}
	if text := set["sim.relocate.failat"]; text != "" {
		percent, err := strconv.Atoi(text)
		if err != nil {
			return nil, &types.InvalidArgument{InvalidProperty: "sim.relocate.failat"}
		}
		asked.failAt = percent
	}
	if name := set["sim.relocate.fault"]; name != "" {
		asked.fault = faultNamed(name, vm)
		if asked.fault == nil {
			return nil, &types.InvalidArgument{InvalidProperty: "sim.relocate.fault"}
		}
	}
	return asked, nil
}

// options are a VM's extraConfig. The library appends to it, so the last value of a key counts.
func options(vm *simulator.VirtualMachine) map[string]string {
	set := map[string]string{}
	for _, option := range vm.Config.ExtraConfig {
		value := option.GetOptionValue()
		set[value.Key] = fmt.Sprint(value.Value)
	}
	return set
}

// faultNamed is a fault of that type; nil where the API has none. All objects that it must name are
// the VM's host.
func faultNamed(name string, vm *simulator.VirtualMachine) types.BaseMethodFault {
	kind, is := types.TypeFunc()(name)
	if !is {
		return nil
	}
	fault, _ := reflect.New(kind).Interface().(types.BaseMethodFault)
	if fault != nil {
		fill(reflect.ValueOf(fault).Elem(), *vm.Runtime.Host)
	}
	return fault
}

func fill(value reflect.Value, reference types.ManagedObjectReference) {
	for i := 0; i < value.NumField(); i++ {
		field := value.Field(i)
		if field.Type() == reflect.TypeOf(reference) {
			field.Set(reflect.ValueOf(reference))
		} else if value.Type().Field(i).Anonymous {
			fill(field, reference)
		}
	}
}

func kindOf(fault types.BaseMethodFault) string {
	return reflect.TypeOf(fault).Elem().Name()
}
