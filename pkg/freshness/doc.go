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

// Package freshness answers one question: are the controller's own writes in
// the caches it reads from?
//
// A controller that writes, and then decides anew from a cache that does not
// show the write yet, repeats itself: it creates twice, counts an attempt
// twice, or takes back what it has just recorded. So every write is noted with
// the resourceVersion in its answer, and Ensure fails for that owner until the
// store of that resource has come at least as far. Resource versions compare
// within one resource only, which is why they are kept by resource. The answer
// to a deletion has none, so a deletion is seen when the store no longer holds
// an object of that UID, or holds it as terminating.
//
// The informer behind a store must not filter what is written: a write outside
// its filter is seen only with the next bookmark.
package freshness
