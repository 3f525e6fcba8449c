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
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// given counts what the server gives away, no two of them the same.
type given struct{ uids, addresses, ports int }

func (g *given) uid() types.UID {
	g.uids++
	return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", g.uids))
}

func (g *given) address() string {
	g.addresses++
	return fmt.Sprintf("10.96.%d.%d", g.addresses/250, g.addresses%250)
}

func (g *given) port() int32 {
	g.ports++
	return int32(29999 + g.ports)
}

// create stores a new object, which is the server's from now on.
func (s *Server) create(st *store, o Object) (Object, error) {
	if o.GetResourceVersion() != "" {
		return nil, errVersioned
	}
	if err := s.admit(st, o); err != nil {
		return nil, err
	}
	meta := metaOf(o)
	meta.UID, meta.CreationTimestamp = s.given.uid(), now()
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = nil, nil
	meta.ManagedFields = nil
	if st.counts {
		meta.Generation = 1
	}
	o.GetObjectKind().SetGroupVersionKind(noKind)
	s.complete(st, o)
	if errs := append(checkMeta(st.kind, meta), checkSet(o)...); len(errs) > 0 {
		return nil, apierrors.NewInvalid(st.GroupKind(), o.GetName(), errs)
	}
	if st.get(o.GetNamespace(), o.GetName()) != nil {
		return nil, apierrors.NewAlreadyExists(st.groupResource(), o.GetName())
	}
	s.put(st, o)
	return o, nil
}

// now is the time as objects have it.
func now() metav1.Time { return metav1.NewTime(time.Now().Truncate(time.Second)) }
