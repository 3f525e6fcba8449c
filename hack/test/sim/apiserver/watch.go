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

package apiserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher is a watch's body. It has no goroutine of its own: whoever reads it
// waits, until an object of its kind changes.
type watcher struct {
	server *Server
	target
	filter
	request   *http.Request
	position  int64
	bookmarks bool // one is yet to be sent
	initial   bool // which ends what there was at first

	lines  bytes.Buffer
	ends   bool // after what lines have
	woken  chan struct{}
	closed chan struct{}
	close  sync.Once
	limit  *time.Timer // nil: none
}

func isWatch(r *http.Request) bool {
	asked, err := strconv.ParseBool(r.URL.Query().Get("watch"))
	return err == nil && asked
}

// watch answers with what has happened since a version, or with what there is
// for none, or when that is asked for, and goes on with what happens.
func (s *Server) watch(t target, r *http.Request) (*http.Response, error) {
	f, err := filterOf(t.kind, r)
	if err != nil {
		return refusal(r, err), nil
	}
	query := r.URL.Query()
	w := &watcher{server: s, target: t, filter: f, request: r, woken: make(chan struct{}, 1), closed: make(chan struct{})}
	w.bookmarks, _ = strconv.ParseBool(query.Get("allowWatchBookmarks"))
	if seconds, err := strconv.ParseInt(query.Get("timeoutSeconds"), 10, 64); err == nil && seconds > 0 {
		w.limit = time.NewTimer(time.Duration(seconds) * time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.initial, _ = strconv.ParseBool(query.Get("sendInitialEvents"))
	switch version := query.Get("resourceVersion"); {
	case w.initial || version == "" || version == "0":
		w.present()
	default:
		if w.position, err = strconv.ParseInt(version, 10, 64); err != nil {
			return refusal(r, apierrors.NewBadRequest("invalid resource version: "+version)), nil
		}
	}
	t.log.watchers = append(t.log.watchers, w)
	return respond(r, http.StatusOK, w), nil
}

// present tells of what there is.
func (w *watcher) present() {
	w.position = w.server.version
	for _, r := range w.in(w.namespace) {
		if w.selects(r.object) {
			w.line(watch.Added, r.object)
		}
	}
}

func (w *watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Read implements io.Reader.
func (w *watcher) Read(p []byte) (int, error) {
	for {
		w.follow()
		switch {
		case w.lines.Len() > 0:
			return w.lines.Read(p)
		case w.ends:
			return 0, io.EOF
		}
		var limit <-chan time.Time
		if w.limit != nil {
			limit = w.limit.C
		}
		select {
		case <-w.woken:
		case <-limit:
			w.ends = true
		case <-w.closed:
			return 0, errors.New("http: read on closed response body")
		case <-w.request.Context().Done():
			return 0, w.request.Context().Err()
		}
	}
}

// follow takes up what has happened.
func (w *watcher) follow() {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	if w.ends {
		return
	}
	log := &w.target.log
	from, err := log.after(w.position)
	if err != nil {
		w.fail(err)
		return
	}
	for i := from; i < len(log.events); i++ {
		w.position = log.events[i].Version
		w.tell(log.events[i], log.before[i])
	}
	if w.bookmarks {
		w.bookmarks = false
		w.position = max(w.position, w.server.version)
		bookmark := w.make()
		bookmark.SetResourceVersion(strconv.FormatInt(w.position, 10))
		if w.initial {
			bookmark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
		}
		w.line(watch.Bookmark, bookmark)
	}
}

// tell tells of an event as it looks to who sees only what is selected.
func (w *watcher) tell(e Event, before Object) {
	if w.namespace != "" && e.Object.GetNamespace() != w.namespace {
		return
	}
	selected, was := e.Type != watch.Deleted && w.selects(e.Object), before != nil && w.selects(before)
	switch {
	case selected && was:
		w.line(watch.Modified, e.Object)
	case selected:
		w.line(watch.Added, e.Object)
	case was:
		last := w.clone(before)
		last.SetResourceVersion(e.Object.GetResourceVersion())
		w.line(watch.Deleted, last)
	}
}

func (w *watcher) line(t watch.EventType, o Object) {
	text, err := w.encode(o)
	if err != nil {
		w.fail(apierrors.NewInternalError(err))
		return
	}
	w.write(t, text)
}

func (w *watcher) write(t watch.EventType, text []byte) {
	w.lines.WriteString(`{"type":"` + string(t) + `","object":`)
	w.lines.Write(text)
	w.lines.WriteString("}\n")
}

// fail ends a watch with an error, as one that asks for versions that are forgotten.
func (w *watcher) fail(err error) {
	status := err.(apierrors.APIStatus).Status()
	status.TypeMeta = statusKind
	text, err := json.Marshal(status)
	if err != nil {
		panic(err) // a Status is JSON
	}
	w.write(watch.Error, text)
	w.ends = true
}

// Close implements io.Closer.
func (w *watcher) Close() error {
	w.close.Do(func() {
		close(w.closed)
		if w.limit != nil {
			w.limit.Stop()
		}
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		log := &w.target.log
		log.watchers = slices.DeleteFunc(log.watchers, func(other *watcher) bool { return other == w })
	})
	return nil
}
