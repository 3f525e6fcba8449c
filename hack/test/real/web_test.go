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
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// packageServer serves one package at /testsetup.tgz, where pods can reach it.
type packageServer struct {
	*httptest.Server
	// content is what is served; nothing means 404.
	content atomic.Pointer[[]byte]
	// fetched counts the answers that had the package.
	fetched atomic.Int32
}

func (s *packageServer) url() string { return s.URL + "/" + packageKey }

func (s *packageServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content := s.content.Load()
	if content == nil || r.URL.Path != "/"+packageKey {
		http.NotFound(w, r)
		return
	}
	s.fetched.Add(1)
	w.Write(*content)
}

// servePackage serves a package over http.
func (f *fixture) servePackage(content []byte) *packageServer {
	f.Helper()
	s := f.newPackageServer(content)
	s.Start()
	return s
}

// servePackageTLS serves a package over https, with a certificate of the authority.
func (f *fixture) servePackageTLS(content []byte, by *authority) *packageServer {
	f.Helper()
	s := f.newPackageServer(content)
	certificate, err := by.certificateFor(s.Listener.Addr().(*net.TCPAddr).IP)
	f.must(err)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.StartTLS()
	return s
}

// newPackageServer makes a server that listens where pods can reach it, and is to be started.
func (f *fixture) newPackageServer(content []byte) *packageServer {
	f.Helper()
	address, err := f.addressForPods()
	f.must(err)
	listener, err := net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
	f.must(err)
	s := &packageServer{}
	if content != nil {
		s.content.Store(&content)
	}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that a guest breaks off
	s.Listener.Close()
	s.Listener = listener
	f.Cleanup(s.Close)
	return s
}

// addressForPods is this machine's address in the network of the nodes.
func (f *fixture) addressForPods() (net.IP, error) {
	nodes, err := server.kube.CoreV1().Nodes().List(f.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			for _, mine := range own {
				network, ok := mine.(*net.IPNet)
				if ok && address.Type == corev1.NodeInternalIP && network.Contains(net.ParseIP(address.Address)) {
					return network.IP, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("this machine has no address in the network of the nodes, so that pods could not reach a server here")
}
