package main

import "github.com/vmware/govmomi/simulator"

// installFilters has a client that waits for updates hear of what it asks about from now on. The
// library looks at that only when something else changes: of a task that has ended before, a client
// that waits would never hear.
func installFilters(on *endpoint, _ settings) {
	for _, method := range []string{"CreateFilter", "ModifyListView", "ResetListView"} {
		on.answers[method] = func(call *request) reply {
			done := call.library()
			simulator.Map.Update(simulator.Map.Get(content().RootFolder), nil)
			return done
		}
	}
}
