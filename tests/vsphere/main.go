// A vSphere endpoint on loopback, for tests and benchmarks.
//
// It serves govmomi's simulator library as Debian packages it. What that library does not do, and
// what --simulate adds, is a simulation of ours: README.md tells which is which.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
)

// started is printed as one line of JSON once calls are answered.
type started struct {
	Host     string `json:"host"`
	Port     string `json:"port"`
	Instance string `json:"instance"`
}

func main() {
	var shape inventory
	names := simulations{}
	shape.flags()
	flag.Var(names, "simulate", names.usage())
	listen := flag.String("listen", "127.0.0.1:0", "`address`:port; port 0 is a free one")
	cert := flag.String("cert", "", "`file` with the server's certificate; none is plain HTTP")
	key := flag.String("key", "", "`file` with the key of the certificate")
	idle := flag.Duration("session-timeout", 0, "end sessions that are idle this `long`; 0 is never")
	seconds := flag.Float64("seconds", 0.2, "a relocation takes this long; needs --simulate relocation")
	page := flag.Int("page-size", 0, "an answer has at most so many objects; needs --simulate paging")
	delay := flag.String("method-delay", "",
		"the library answers a `method:milliseconds` so late; not those that --simulate answers")
	verbose := flag.Bool("verbose", false, "log what the library logs")
	flag.Parse()

	if !*verbose {
		log.SetOutput(io.Discard)
	}
	simulator.SessionIdleTimeout = *idle

	model := shape.model()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	go endWithOpener(ended)

	check(delayed(model, *delay))
	err := model.Create()
	defer model.Remove()
	check(err)
	check(shape.complete())

	service := model.Service
	service.Listen = &url.URL{Host: *listen, User: credentials()}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	server := service.NewServer()
	defer server.Close()
	server.Config.Handler = names.around(server.Config.Handler, settings{
		user: service.Listen.User.Username(),
		pace: time.Duration(*seconds * float64(time.Second)),
		page: *page,
	})

	check(json.NewEncoder(os.Stdout).Encode(started{
		Host:     server.URL.Hostname(),
		Port:     server.URL.Port(),
		Instance: content().About.InstanceUuid,
	}))
	<-ended
}

// delayed has the library's own delay of a call set.
func delayed(model *simulator.Model, asked string) error {
	if asked == "" {
		return nil
	}
	method, text, _ := strings.Cut(asked, ":")
	milliseconds, err := strconv.Atoi(text)
	model.DelayConfig.MethodDelay = map[string]int{method: milliseconds}
	return err
}

// credentials are the only ones that are let in. The command line is no place for them: everybody
// can read it. Without any, the library lets in whoever names a user and a password.
func credentials() *url.Userinfo {
	user, password := os.Getenv("VSPHERE_USER"), os.Getenv("VSPHERE_PASSWORD")
	if user == "" {
		return nil
	}
	return url.UserPassword(user, password)
}

// endWithOpener ends us when whoever started us is gone: that closes our standard input.
func endWithOpener(ended chan<- os.Signal) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	ended <- syscall.SIGTERM
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
