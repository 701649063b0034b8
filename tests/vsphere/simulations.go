package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// simulations are the names of those that were asked for. Without any, the library is served as it
// is.
type simulations map[string]bool

// simulation is something of a real vCenter that the library does not do, and that we play.
type simulation struct {
	name, help string
	install    func(*endpoint, settings)
}

// settings are what some of them can be told.
type settings struct {
	user string        // who may log in
	pace time.Duration // how long a relocation takes
	page int           // the most objects of one answer; 0 is no limit
}

func known() []simulation {
	return []simulation{
		{"relocation", "RelocateVM_Task validates, takes its time, can be cancelled, can fail",
			installRelocation},
		{"check", "CheckRelocate_Task, with the verdict that the relocation will come to",
			installCheck},
		{"hosts", "vMotion of hosts that can be turned off, hosts that can be disconnected",
			installHosts},
		{"drives", "the CD drives of VMs are not connected, as a VM has to have them to move",
			installDrives},
		{"encryption", "config.migrateEncryption is kept when it is reconfigured",
			installEncryption},
		{"paging", "RetrievePropertiesEx answers in pages of options.maxObjects",
			installPaging},
		{"filters", "who waits for updates hears of new filters and views at once",
			installFilters},
		{"losses", "calls that a test orders get no answer",
			installLosses},
		{"types", "elements of arrays tell their type, as libvirt wants it",
			installTypes},
		{"libvirt", "MigrateVM_Task and ValidateMigration, which virsh migrate calls",
			installLibvirt},
	}
}

func (s simulations) String() string { return "" } // none are the default

func (s simulations) Set(given string) error {
	names := []string{"all"}
	for _, simulation := range known() {
		names = append(names, simulation.name)
	}
	for _, name := range strings.Split(given, ",") {
		if !strings.Contains(","+strings.Join(names, ",")+",", ","+name+",") {
			return fmt.Errorf("%q is none of: %s", name, strings.Join(names, ", "))
		}
		s[name] = true
	}
	return nil
}

func (simulations) usage() string {
	text := "`names` of simulations of ours, with commas between, or all:"
	for _, simulation := range known() {
		text += fmt.Sprintf("\n%-12s %s", simulation.name, simulation.help)
	}
	return text
}

// around puts the simulations in front of the library.
func (s simulations) around(library http.Handler, with settings) http.Handler {
	if len(s) == 0 {
		return library
	}
	served := &endpoint{library: library, answers: map[string]answer{}}
	for _, simulation := range known() {
		if s["all"] || s[simulation.name] {
			simulation.install(served, with)
		}
	}
	return served
}
