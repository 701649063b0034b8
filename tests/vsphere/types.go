package main

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	array    = regexp.MustCompile(`:type="ArrayOf(\w+)"`)
	hasType  = []byte(`:type="`)
	ofSchema = map[string]bool{
		"Boolean": true, "Byte": true, "Double": true, "Float": true,
		"Int": true, "Long": true, "Short": true, "String": true,
	}
)

// installTypes has the elements of arrays tell their type, as those of a real vCenter do. The
// library's tell it only where it is not the one that the array is of; libvirt insists on it.
func installTypes(on *endpoint, _ settings) {
	on.filters = append(on.filters, typed)
}

func typed(out []byte) []byte {
	done := map[string]bool{}
	for _, match := range array.FindAllSubmatch(out, -1) {
		kind := string(match[1])
		if done[kind] {
			continue
		}
		done[kind] = true
		// An element of an array is named as its type, and nothing else is.
		element := kind
		if ofSchema[kind] {
			element = strings.ToLower(kind)
			kind = "xsd:" + element
		}
		start := regexp.MustCompile(`<` + element + `( [^>]*)?>`)
		out = start.ReplaceAllFunc(out, func(tag []byte) []byte {
			if bytes.Contains(tag, hasType) {
				return tag
			}
			return append([]byte("<"+element+` xsi:type="`+kind+`"`), tag[1+len(element):]...)
		})
	}
	return out
}
