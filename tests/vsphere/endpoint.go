package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// request is a call that one of our simulations answers.
type request struct {
	*simulator.Method
	// library gives what the library answers to the same call.
	library func() reply
}

// reply goes back to the client.
type reply = *httptest.ResponseRecorder

// answer is what a simulation answers to a call.
type answer func(*request) reply

// endpoint puts our simulations in front of the library. No object of the library is replaced:
// parts of it (snapshots, views, its own clean-up) insist on its own types.
type endpoint struct {
	library http.Handler
	answers map[string]answer
	filters []func([]byte) []byte
	running *relocations
	losses  *losses
}

var called = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == lossPath && e.losses != nil {
		e.losses.order(w, r)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != vim25.Path {
		e.library.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		log.Print(err)
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	var method string
	if found := called.FindSubmatch(body); found != nil {
		method = string(found[1])
	}
	lost := e.losses.next(method)
	if lost != nil && !lost.done {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	done := e.answered(method, r, body)
	if done == nil {
		done = e.forwarded(r, body)
	}
	if lost != nil {
		panic(http.ErrAbortHandler)
	}
	out := done.Body.Bytes()
	for _, filter := range e.filters {
		out = filter(out)
	}
	for name, values := range done.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(done.Code)
	_, _ = w.Write(out)
}

// answered is the answer of a simulation, or nil where none of them has one.
func (e *endpoint) answered(name string, r *http.Request, body []byte) reply {
	simulation, is := e.answers[name]
	if !is {
		return nil
	}
	method, err := simulator.UnmarshalBody(types.TypeFunc(), body)
	if err != nil {
		return nil
	}
	// The library knows the sessions and keeps them to itself, so it is asked for something small.
	if probe := e.forwarded(r, []byte(currentTime)); probe.Code != http.StatusOK {
		return probe
	}
	return simulation(&request{
		Method:  method,
		library: func() reply { return e.forwarded(r, body) },
	})
}

func (e *endpoint) forwarded(r *http.Request, body []byte) reply {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	e.library.ServeHTTP(recorder, again)
	return recorder
}
