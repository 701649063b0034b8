package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// pages are answers of which a client has had a part. The library gives everything at once,
// whatever it is asked for.
type pages struct {
	mutex  sync.Mutex
	limit  int // our own; a server may give less than it was asked for
	count  int
	unread map[string]*answered
}

// answered is an answer of the library, taken apart.
type answered struct {
	head, tail []byte
	objects    [][]byte
	page       int
}

var first, last = []byte("<objects>"), []byte("</objects>")

func installPaging(on *endpoint, with settings) {
	kept := &pages{limit: with.page, unread: map[string]*answered{}}
	on.answers["RetrievePropertiesEx"] = kept.first
	on.answers["ContinueRetrievePropertiesEx"] = kept.next
	on.answers["CancelRetrievePropertiesEx"] = kept.cancel
}

func (p *pages) first(call *request) reply {
	done := call.library()
	size := int(call.Body.(*types.RetrievePropertiesEx).Options.MaxObjects)
	if size <= 0 || p.limit > 0 && size > p.limit {
		size = p.limit
	}
	if size <= 0 || done.Code != http.StatusOK {
		return done
	}
	all := takenApart(done.Body.Bytes())
	if len(all.objects) <= size {
		return done
	}
	all.page = size
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.give(all)
}

// give is the next page; one that is not the last has a token to ask for the next one with.
func (p *pages) give(from *answered) reply {
	given, token := from.objects, ""
	if len(given) > from.page {
		given = given[:from.page]
		p.count++
		token = fmt.Sprintf("page-%d", p.count)
		rest := *from
		rest.objects = from.objects[from.page:]
		p.unread[token] = &rest
	}
	page := httptest.NewRecorder()
	page.Write(from.head)
	if token != "" {
		fmt.Fprintf(page, "<token>%s</token>", token)
	}
	for _, object := range given {
		page.Write(object)
	}
	page.Write(from.tail)
	return page
}

func (p *pages) next(call *request) reply {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	token := call.Body.(*types.ContinueRetrievePropertiesEx).Token
	from, is := p.unread[token]
	if !is {
		return refused(&types.InvalidArgument{InvalidProperty: "token"})
	}
	delete(p.unread, token)
	again := *from
	for _, part := range []*[]byte{&again.head, &again.tail} {
		*part = bytes.ReplaceAll(*part, []byte("<RetrieveP"), []byte("<ContinueRetrieveP"))
		*part = bytes.ReplaceAll(*part, []byte("</RetrieveP"), []byte("</ContinueRetrieveP"))
	}
	return p.give(&again)
}

func (p *pages) cancel(call *request) reply {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	token := call.Body.(*types.CancelRetrievePropertiesEx).Token
	if _, is := p.unread[token]; !is {
		return refused(&types.InvalidArgument{InvalidProperty: "token"})
	}
	delete(p.unread, token)
	return encoded(&types.CancelRetrievePropertiesExResponse{})
}

// takenApart cuts at the objects. Nothing else in the API has an element of that name.
func takenApart(out []byte) *answered {
	start, end := bytes.Index(out, first), bytes.LastIndex(out, last)
	if start < 0 {
		return &answered{head: out}
	}
	end += len(last)
	all := &answered{head: out[:start], tail: out[end:]}
	for _, object := range bytes.SplitAfter(out[start:end], last) {
		if len(object) > 0 {
			all.objects = append(all.objects, object)
		}
	}
	return all
}
