//go:build api

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

package api

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rule is one rule of a CRD, a value that it lets through and one that it refuses.
// Both are put into an object that is otherwise complete and right.
type rule struct {
	// path of the rule; [0] and {key} say where in a list or map it is tried.
	path string
	// constraint is the keyword and its argument, as rulesAt names them.
	constraint string
	// accepted is put at the path and must pass. nil: the complete object as it is.
	accepted any
	// refused is put at the path and must be refused.
	refused any
	// before is the value in the stored object, for a rule about changes.
	before any
	// set is where the values are put, if not at path.
	set string
	// at is the field that the refusal names, if not where the value was put.
	at string
}

// values are tried one by one.
type values []any

// absent is the value of a field that is not there.
type absent struct{}

// placeholders are the items and keys that a path of a rule names.
var placeholders = regexp.MustCompile(`\[\d+\]|\{[^}]*\}`)

// name is that of the rule in rulesOf.
func (r rule) name() string {
	path := placeholders.ReplaceAllStringFunc(r.path, func(s string) string { return s[:1] + s[len(s)-1:] })
	return path + " " + r.constraint
}

func (r rule) target() string {
	if r.set != "" {
		return r.set
	}
	return r.path
}

// field is how the server names the field that it refuses.
func (r rule) field() string {
	at := r.target()
	if r.at != "" {
		at = r.at
	}
	return strings.NewReplacer("{", ".", "}", "").Replace(at)
}

// says is what the refusal must say beside the field: what would be right.
func (r rule) says() string {
	keyword, argument, _ := strings.Cut(r.constraint, " ")
	switch keyword {
	case "required":
		return "Required value"
	case "set", "map":
		return "Duplicate value"
	case "pattern":
		return "should match"
	case "enum":
		return "supported values: "
	case "maxLength":
		return "may not be more than " + argument
	case "minLength":
		return "should be at least " + argument
	case "maxItems", "maxProperties":
		return "must have at most " + argument
	case "minItems":
		return "should have at least " + argument
	case "minimum":
		return "should be greater than or equal to " + argument
	case "maximum":
		return "should be less than or equal to " + argument
	default:
		message, err := strconv.Unquote(argument)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", r.constraint, err))
		}
		return message
	}
}

func TestAppRules(t *testing.T) { testRules(t, "KubeDirectorApp", "testdata/app.yaml", appRules()) }

func TestClusterRules(t *testing.T) {
	testRules(t, "KubeDirectorCluster", "testdata/cluster.yaml", clusterRules())
}

// testRules tries every rule on the server, and demands that no rule of the CRD
// is without a case and no case without a rule.
func testRules(t *testing.T, kind, manifest string, rules []rule) {
	t.Parallel()
	d := definitionOf(t, kind)
	want := rulesOf(d.schema())
	var got []string
	for _, r := range rules {
		got = append(got, r.name())
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules of %s against cases of the table (-rule without case +case without rule):\n%s", d.file, diff)
	}

	content, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	c := newCourt(t, content)
	for _, r := range rules {
		t.Run(r.name(), func(t *testing.T) { c.try(t, r) })
	}
}

// court puts objects before the server.
type court struct {
	complete *unstructured.Unstructured
	stored   *unstructured.Unstructured
	space    string
}

// newCourt stores the complete object of the manifest, its status too, in a
// namespace of the test's.
func newCourt(t *testing.T, manifest []byte) *court {
	complete, err := parseObject(manifest)
	if err != nil {
		t.Fatal(err)
	}
	c := &court{complete: complete, space: newNamespace(t)}
	c.stored = c.store(t, complete)
	status := c.stored.DeepCopy()
	status.Object["status"] = complete.Object["status"]
	objects := resourceOf(t, complete, c.space)
	c.stored, err = objects.UpdateStatus(t.Context(), status, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatalf("storing the complete status: %v", err)
	}
	return c
}

func (c *court) store(t *testing.T, object *unstructured.Unstructured) *unstructured.Unstructured {
	stored, err := resourceOf(t, object, c.space).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatalf("storing %s: %v", object.GetName(), err)
	}
	return stored
}

func (c *court) try(t *testing.T, r rule) {
	for _, value := range each(r.accepted) {
		if err := c.submit(t, r, value); err != nil {
			t.Errorf("%s = %v must be accepted, but: %v", r.target(), value, err)
		}
	}
	for _, value := range each(r.refused) {
		requireRefusal(t, c.submit(t, r, value), r.field(), r.says())
	}
}

func each(value any) values {
	if several, ok := value.(values); ok {
		return several
	}
	return values{value}
}

// submit asks the server what it makes of value, and changes nothing there.
func (c *court) submit(t *testing.T, r rule, value any) error {
	objects := resourceOf(t, c.complete, c.space)
	update := metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	var err error
	switch {
	case strings.HasPrefix(r.path, "status"):
		_, err = objects.UpdateStatus(t.Context(), with(c.stored, r.target(), value), update)
	case r.before != nil:
		before := with(c.complete, r.target(), r.before)
		before.SetName("")
		before.SetGenerateName("before-")
		_, err = objects.Update(t.Context(), with(c.store(t, before), r.target(), value), update)
	default:
		object := with(c.complete, r.target(), value)
		if r.target() != "metadata.name" {
			object.SetName("new")
		}
		_, err = objects.Create(t.Context(), object, metav1.CreateOptions{DryRun: update.DryRun, FieldValidation: update.FieldValidation})
	}
	return err
}

// requireRefusal fails unless err refuses field for what is wrong in it, and says so.
func requireRefusal(t *testing.T, err error, field, says string) {
	t.Helper()
	var refusal apierrors.APIStatus
	if !errors.As(err, &refusal) {
		t.Errorf("must be refused with a Status that says %q, but got: %v", says, err)
		return
	}
	status := refusal.Status()
	if status.Code != 422 || status.Details == nil {
		t.Errorf("must be refused with code 422, but got %d: %v", status.Code, err)
		return
	}
	for _, cause := range status.Details.Causes {
		if cause.Field == field && strings.Contains(cause.Message, says) {
			return
		}
	}
	t.Errorf("the refusal must name %s and say %q, but is: %v", field, says, err)
}

// with is a copy of object with value at path.
func with(object *unstructured.Unstructured, path string, value any) *unstructured.Unstructured {
	changed := object.DeepCopy()
	if value != nil {
		put(changed.Object, steps.FindAllString(path, -1), value)
	}
	return changed
}

var steps = regexp.MustCompile(`[^.\[\]{}]+`)

// put is node with value at path; lists and maps on the way are made as needed.
func put(node any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if index, err := strconv.Atoi(path[0]); err == nil {
		list, _ := node.([]any)
		for len(list) <= index {
			list = append(list, nil)
		}
		list[index] = put(list[index], path[1:], value)
		return list
	}
	fields, _ := node.(map[string]any)
	if fields == nil {
		fields = map[string]any{}
	}
	fields[path[0]] = put(fields[path[0]], path[1:], value)
	if fields[path[0]] == (absent{}) {
		delete(fields, path[0])
	}
	return fields
}
