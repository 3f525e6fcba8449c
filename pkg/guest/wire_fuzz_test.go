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

package guest

import (
	"encoding/json"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// FuzzOutcome has a guest answer anything, for it runs in a container of
// somebody else. Whatever comes of it must fit into a status, and bear on the event that was asked for.
func FuzzOutcome(f *testing.F) {
	for _, answer := range []string{
		"{}", `{"podUID":"u","incarnation":"i","configured":true,"metadataGeneration":3,"packageSHA256":"0123","event":{"name":"configure","attempt":1,"state":"Succeeded","incarnation":"i"}}`,
		`{"podUID":"u","incarnation":"i","event":{"name":"configure","attempt":1,"state":"Failed","exitCode":-1,"stderrTail":"\u0000é","startedAt":"0001-01-01T00:00:00Z","finishedAt":"9999-12-31T23:59:59Z"}}`,
		`{"podUID":"u","incarnation":"i","event":{"name":"stop","attempt":1,"state":"Succeeded"}}`, `{"podUID":"u","incarnation":"i","packageSHA256":"long…long…long…"}`,
		`{"podUID":"u","incarnation":"i","fault":{"reason":"Busy\u001b","message":"\u202e"}}`, `{"podUID":"u","refusal":{"reason":"\u0000"}}`,
		`{"podUID":"other","incarnation":"i"}`, `{"podUID":"u"}`,
	} {
		f.Add(answer, "configure", int32(256))
		f.Add(answer, "", int32(-1))
	}
	f.Fuzz(func(t *testing.T, answer, event string, limit int32) {
		result := &protocol.Result{}
		if json.Unmarshal([]byte(answer), result) != nil {
			return
		}
		v := &visit{step: plan.Step{Container: plan.Container{PodUID: "u", ID: "containerd://i"}}}
		if event != "" {
			v.step.Event = &plan.Event{Name: v1alpha1.LifecycleEvent(event), MaxOutput: limit}
		}
		outcome, vouched := vouch(v, result)
		if vouched {
			outcome = outcomeOf(&v.step, &protocol.Request{}, result)
		}
		for _, text := range []string{outcome.Reason, outcome.Message, outcome.PackageVersion} {
			if len(text) > 2*maxMessage || !isClean(text) {
				t.Errorf("%.200q has the text %.200q", answer, text)
			}
		}
		switch outcome.Phase {
		case plan.PhaseDone, plan.PhaseRunning:
			if (outcome.Event == nil) != (v.step.Event == nil) {
				t.Errorf("%.200q: event %+v, asked for %q", answer, outcome.Event, event)
			}
		case plan.PhaseFaulted, plan.PhaseRefused, plan.PhaseUnreachable:
		default:
			t.Errorf("%.200q: phase %q", answer, outcome.Phase)
		}
		if got := outcome.Event; got != nil {
			judgeResult(t, got)
		}
	})
}

// judgeResult fails for what a status cannot hold.
func judgeResult(t *testing.T, got *plan.EventResult) {
	t.Helper()
	if got.Attempt < 1 || len(got.OutputTail) > maxOutputTail || !isClean(got.OutputTail) || got.ExitCode != nil && (*got.ExitCode < 0 || *got.ExitCode > 255) {
		t.Errorf("%+v", got)
	}
	if _, err := json.Marshal([]any{got.StartedAt, got.FinishedAt, got.Deadline}); err != nil {
		t.Error(err)
	}
}

func isClean(text string) bool {
	for _, r := range text {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}
