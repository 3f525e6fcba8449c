//go:build real

/*
Copyright The KubeDirector Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package real

import (
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// passage is a way to the API server whose connections can be cut one by one.
type passage struct {
	net.Listener
	kubeconfig string
	target     string

	mu   sync.Mutex
	open []*crossing
}

// crossing is one connection that goes through a passage.
type crossing struct {
	began        time.Time
	near, beyond net.Conn
}

// newPassage opens one, with a kubeconfig that leads through it.
func newPassage(t *testing.T) *passage {
	t.Helper()
	config, err := clientcmd.LoadFromFile(server.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	target, err := url.Parse(cluster.Server)
	if err != nil {
		t.Fatal(err)
	}
	p := &passage{target: target.Host, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if p.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	// The server is known by the name that it is called by otherwise.
	cluster.Server, cluster.TLSServerName = "https://"+p.Addr().String(), target.Hostname()
	if err := clientcmd.WriteToFile(*config, p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	go p.serve(t)
	t.Cleanup(func() {
		p.Close()
		p.cut(time.Time{})
	})
	return p
}

func (p *passage) serve(t *testing.T) {
	for {
		near, err := p.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		beyond, err := net.Dial("tcp", p.target)
		if err != nil {
			t.Error(err)
			near.Close()
			continue
		}
		c := &crossing{began: time.Now(), near: near, beyond: beyond}
		p.mu.Lock()
		p.open = append(p.open, c)
		p.mu.Unlock()
		go c.carry(near, beyond)
		go c.carry(beyond, near)
	}
}

// carry takes one direction's bytes; its end is that of the connection.
func (c *crossing) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // how a connection ends is of no interest
	c.close()
}

func (c *crossing) close() {
	c.near.Close()
	c.beyond.Close()
}

// cut ends the connections that were made since then, and tells how many they
// are. Those for plain requests and watches are made once and kept; each exec
// makes one of its own.
func (p *passage) cut(since time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.open)
	p.open = slices.DeleteFunc(p.open, func(c *crossing) bool {
		if c.began.Before(since) {
			return false
		}
		c.close()
		return true
	})
	return before - len(p.open)
}

// pass has the controller work through a passage, for as long as the test lasts.
func (c *controller) pass(t *testing.T, p *passage) {
	t.Helper()
	args := c.args
	again := func(with []string) {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		c.args = with
		if err := c.start(); err != nil {
			t.Fatal(err)
		}
	}
	through := slices.Clone(args)
	through[slices.Index(through, server.kubeconfig)] = p.kubeconfig
	again(through)
	t.Cleanup(func() { again(args) })
}
