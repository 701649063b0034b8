package main

import (
	"net/http"
	"net/http/httptest"
	"reflect"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

const namespace = "urn:" + vim25.Namespace

const currentTime = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>` +
	`<CurrentTime xmlns="` + namespace + `"><_this type="ServiceInstance">ServiceInstance</_this>` +
	`</CurrentTime></Body></Envelope>`

type envelope struct {
	XMLName  xml.Name    `xml:"soapenv:Envelope"`
	Envelope string      `xml:"xmlns:soapenv,attr"`
	Schema   string      `xml:"xmlns:xsd,attr"`
	Instance string      `xml:"xmlns:xsi,attr"`
	Body     interface{} `xml:"soapenv:Body"`
}

// named is a value with the name of its element and, for a fault, of its type.
type named struct {
	value interface{}
	name  string
	kind  string
}

func (n named) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: n.name}}
	start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "xmlns"}, Value: namespace})
	if n.kind != "" {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "xsi:type"}, Value: n.kind})
	}
	return e.EncodeElement(n.value, start)
}

type fault struct {
	Code   string `xml:"faultcode"`
	String string `xml:"faultstring"`
	Detail struct {
		Fault named
	} `xml:"detail"`
}

// encoded is an answer as it goes over the wire. The library has the same, and keeps it to itself.
func encoded(response interface{}) reply {
	return enveloped(http.StatusOK, struct{ Response named }{
		named{response, reflect.TypeOf(response).Elem().Name(), ""},
	})
}

// refused is a fault as it goes over the wire.
func refused(raised types.BaseMethodFault) reply {
	kind := kindOf(raised)
	content := fault{Code: "ServerFaultCode"}
	content.Detail.Fault = named{raised, kind + "Fault", kind}
	return enveloped(http.StatusInternalServerError, struct {
		Fault fault `xml:"soapenv:Fault"`
	}{content})
}

func enveloped(status int, body interface{}) reply {
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(status)
	_, _ = recorder.WriteString(xml.Header)
	check(xml.NewEncoder(recorder).Encode(envelope{
		Envelope: "http://schemas.xmlsoap.org/soap/envelope/",
		Schema:   "http://www.w3.org/2001/XMLSchema",
		Instance: "http://www.w3.org/2001/XMLSchema-instance",
		Body:     body,
	}))
	return recorder
}
