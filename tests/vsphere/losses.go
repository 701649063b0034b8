package main

import (
	"net/http"
	"strconv"
	"sync"
)

const lossPath = "/sim/lose"

// losses are calls of which the client is to get no answer: the connection closes.
type losses struct {
	mutex sync.Mutex
	left  map[string]*loss
}

type loss struct {
	times int
	done  bool // what was asked for is done nevertheless
}

func installLosses(on *endpoint, _ settings) {
	on.losses = &losses{left: map[string]*loss{}}
}

// order is how a test asks for them: a POST with method, times and done (true or false).
func (l *losses) order(w http.ResponseWriter, r *http.Request) {
	times, err := strconv.Atoi(r.FormValue("times"))
	done, wrong := strconv.ParseBool(r.FormValue("done"))
	if err != nil || wrong != nil || r.FormValue("method") == "" {
		http.Error(w, "method, times and done are needed", http.StatusBadRequest)
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.left[r.FormValue("method")] = &loss{times: times, done: done}
}

// next tells what becomes of a call of this method; nil when it is answered.
func (l *losses) next(method string) *loss {
	if l == nil {
		return nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	ordered := l.left[method]
	if ordered == nil || ordered.times == 0 {
		return nil
	}
	ordered.times--
	return ordered
}
