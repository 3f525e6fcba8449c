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
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// patch is PATCH of an object, or of its status.
func (s *Server) patch(t target, r *http.Request, body []byte) (Object, error) {
	st := t.store
	return s.write(st, "patch", t.subresource, r.UserAgent(), t.namespace, t.name, metav1.DeleteOptions{}, func() (Object, Object, error) {
		before := st.get(t.namespace, t.name)
		if before == nil {
			return nil, nil, apierrors.NewNotFound(st.groupResource(), t.name)
		}
		o, err := st.patched(before, r.Header.Get("Content-Type"), body)
		if err == nil {
			err = t.matches(o)
		}
		if err != nil {
			return before, nil, err
		}
		after, err := s.update(st, before, o, change{subresource: t.subresource, patch: true})
		return before, after, err
	})
}

// patched is another object than before, with which it shares what isn't patched.
func (st *store) patched(before Object, contentType string, body []byte) (Object, error) {
	contentType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	switch types.PatchType(contentType) {
	case types.MergePatchType:
		o := st.clone(before)
		return o, st.misfit(merge(reflect.ValueOf(o).Elem(), body))
	case types.JSONPatchType:
		return st.rewritten(before, func(text []byte) ([]byte, error) {
			operations, err := jsonpatch.DecodePatch(body)
			if err != nil {
				return nil, apierrors.NewBadRequest(err.Error())
			}
			text, err = operations.Apply(text)
			if err != nil {
				return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", st.groupResource(), "", err.Error(), 0, false)
			}
			return text, nil
		})
	case types.StrategicMergePatchType:
		if !st.custom {
			return st.rewritten(before, func(text []byte) ([]byte, error) { return strategicpatch.StrategicMergePatch(text, body, st.make()) })
		}
	}
	return nil, apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, "patch", st.groupResource(), "",
		"the body of the request was in an unknown format: "+contentType, 0, false)
}

// misfit refuses what is JSON, but not an object of the kind, otherwise than what is no JSON.
func (k *kind) misfit(err error) error {
	var mistyped *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mistyped):
		return apierrors.NewInvalid(k.GroupKind(), "", field.ErrorList{field.Invalid(field.NewPath("patch"), mistyped.Value, err.Error())})
	}
	return apierrors.NewBadRequest(err.Error())
}

// rewritten is an object whose JSON was changed.
func (st *store) rewritten(before Object, rewrite func([]byte) ([]byte, error)) (Object, error) {
	text, err := st.encode(before)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if text, err = rewrite(text); err != nil {
		return nil, err
	}
	o := st.make()
	return o, st.misfit(json.Unmarshal(text, o))
}
