package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// installDrives disconnects the CD drives that the library's VMs are made with: each is a drive of
// its host, and a real vCenter moves no VM that uses one.
func installDrives(*endpoint, settings) {
	for _, entity := range all("VirtualMachine") {
		vm := entity.(*simulator.VirtualMachine)
		for _, device := range vm.Config.Hardware.Device {
			if drive, is := device.(*types.VirtualCdrom); is {
				drive.Connectable = &types.VirtualDeviceConnectInfo{AllowGuestControl: true}
			}
		}
	}
}
