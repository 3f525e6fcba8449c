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

package freshness_test

import (
	"math/big"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// FuzzEnsure writes at versions of any text. Of numbers the greatest is waited
// for, and no longer; of what is none, nothing.
func FuzzEnsure(f *testing.F) {
	f.Add("10", "9", "10", "uid")
	f.Add("9", "18446744073709551616", "99999999999999999999", "uid")
	f.Add("", "x", "-1", "")
	f.Add("01", "1", "0", "other")
	f.Fuzz(func(t *testing.T, one, two, shown, uid string) {
		tracker, serviceStore, podStore := fixture()
		serviceStore.Bookmark(shown)
		tracker.WroteAt(spark, services, one)
		tracker.WroteAt(spark, services, two)
		twin, twinStore, _ := fixture()
		twinStore.Bookmark(shown)
		twin.WroteAt(spark, services, two)
		twin.WroteAt(spark, services, one)
		first, second := tracker.Ensure(spark), twin.Ensure(spark)
		a, b, s := number(one), number(two), number(shown)
		if a != nil && b != nil && s != nil {
			stale := a.Cmp(s) > 0 || b.Cmp(s) > 0
			if (first != nil) != stale || (second != nil) != stale {
				t.Errorf("written at %s and %s, shown is %s: %v, the other way round %v", one, two, shown, first, second)
			}
		}
		if s == nil && first != nil {
			t.Errorf("written at %q and %q, shown is %q: %v", one, two, shown, first)
		}
		if err := podStore.Add(object("worker-0", uid, "1", false)); err != nil {
			t.Fatal(err)
		}
		tracker.Clear(spark)
		tracker.Deleted(spark, pods, cache.NewObjectName("ml", "worker-0"), types.UID("uid"))
		if err := tracker.Ensure(spark); (err != nil) != (uid == "uid") {
			t.Errorf("deleted was uid, shown is %q: %v", uid, err)
		}
	})
}

// number is a resourceVersion; nil for what is none.
func number(text string) *big.Int {
	if text == "" || text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return nil
	}
	n, _ := new(big.Int).SetString(text, 10)
	return n
}
