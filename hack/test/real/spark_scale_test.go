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
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestSparkScales is not parallel, for a machine that is small for one Spark is too small for two. It has a job run on while workers join, leave, and lose their
// container. Leaving ones hand over what they have, so the job sees no task fail.
func TestSparkScales(t *testing.T) {
	f := newFixture(t, "sparkscales")
	cluster := catalogSpark(f)
	cluster.Spec.Elastic.Members = 1
	f.apply(cluster)
	f.within(sparkPatience, "spark", "Ready", isReady)
	job := startSparkJob(f)
	job.untilOn("spark-worker-0")

	scaleSpark(f, 3)
	job.untilOn("spark-worker-0", "spark-worker-1", "spark-worker-2")
	scaleSpark(f, 1)
	job.untilOn("spark-worker-0")
	if last := job.rounds()[len(job.rounds())-1]; last.failed != 0 {
		t.Errorf("%d tasks of the job failed while workers joined and left, want none", last.failed)
	}

	before := len(job.rounds())
	f.killContainer("spark-worker-0")
	f.untilReadyAgain("spark", "spark-worker-0")
	wantAliveWorkers(f, 1)
	f.eventually(sparkPatience, "the job goes on", func(context.Context) (bool, string) {
		// The round in which it lost the container, and one after it.
		return len(job.rounds()) >= before+2, job.tells()
	})
	job.wantSuccess()
}

// scaleSpark does as kubectl scale does, and waits until the cluster is ready and the master agrees.
func scaleSpark(f *fixture, workers int) {
	f.Helper()
	begun := time.Now()
	f.must(server.kubeDirector.KubedirectorV1alpha1().RESTClient().Patch(types.MergePatchType).
		Namespace(f.namespace).Resource("kubedirectorclusters").Name("spark").SubResource("scale").
		Body(fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, workers)).Do(f.Context()).Error())
	f.within(sparkPatience, "spark", fmt.Sprintf("ready with %d workers", workers), func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isReady(cluster) && cluster.Status.Elastic.Members == int32(workers)
	})
	f.Logf("from kubectl scale --replicas=%d to ready while a job runs: %s", workers, time.Since(begun).Round(time.Millisecond))
	wantAliveWorkers(f, workers)
}

// sparkJob is a job that goes on, round by round, until it is told that it is enough.
type sparkJob struct{ *fixture }

// sparkRound is what the job tells of a round: the sum, the workers that took
// part, and how many tasks and stages have failed so far.
type sparkRound struct {
	sum    int
	hosts  []string
	failed int
}

// sparkSum is what each round must come to, the sum of 0 to 9999.
const sparkSum = 9999 * 10000 / 2

// jobOfRounds sums up numbers that Spark keeps on the executors, by tasks of a
// fifth of a second whose results are shuffled.
const jobOfRounds = `
import os, socket, time
from pyspark.sql import SparkSession

# Tasks go where there is room, not where the numbers are kept.
sc = SparkSession.builder.appName("rounds").config("spark.locality.wait", "0s").getOrCreate().sparkContext
numbers = sc.parallelize(range(10000), 15).cache()

def work(part, values):
    time.sleep(0.2)
    yield part % 3, (sum(values), {socket.gethostname()})

def stages():
    tracker = sc.statusTracker()
    for job in tracker.getJobIdsForGroup(None):
        for stage in tracker.getJobInfo(job).stageIds:
            yield tracker.getStageInfo(stage)

while not os.path.exists("/tmp/enough"):
    parts = numbers.mapPartitionsWithIndex(work).reduceByKey(lambda a, b: (a[0] + b[0], a[1] | b[1])).values().collect()
    hosts = sorted(set().union(*(h for _, h in parts)))
    failed = sum(s.numFailedTasks + s.currentAttemptId for s in stages() if s)
    print(sum(s for s, _ in parts), failed, *hosts, flush=True)
`

// startSparkJob starts the job in the notebook server's container, as somebody would who logs out then.
func startSparkJob(f *fixture) sparkJob {
	f.Helper()
	f.exec("spark-jupyter-0", "sh", "-c", `printf %s "$0" >/tmp/job.py; >/tmp/job.out; setsid sh -c `+
		`'python3 /tmp/job.py >/tmp/job.out 2>/tmp/job.err; echo $? >/tmp/job.exit' </dev/null >/dev/null 2>&1 &`, jobOfRounds)
	return sparkJob{f}
}

// rounds are those that the job has finished.
func (j sparkJob) rounds() []sparkRound {
	j.Helper()
	var rounds []sparkRound
	for _, line := range lines(j.exec("spark-jupyter-0", "cat", "/tmp/job.out")) {
		words := strings.Fields(line)
		if len(words) < 3 {
			j.Fatalf("the job says %q", line)
		}
		sum, err := strconv.Atoi(words[0])
		j.must(err)
		failed, err := strconv.Atoi(words[1])
		j.must(err)
		rounds = append(rounds, sparkRound{sum: sum, failed: failed, hosts: words[2:]})
	}
	return rounds
}

// tells is what the job has written so far, and the end of its complaints.
func (j sparkJob) tells() string {
	j.Helper()
	return j.exec("spark-jupyter-0", "sh", "-c", "cat /tmp/job.out; tail -n 20 /tmp/job.err")
}

// untilOn waits until the rounds from now on have run on all of these workers,
// and the last one on no others.
func (j sparkJob) untilOn(workers ...string) {
	j.Helper()
	begun := len(j.rounds())
	j.eventually(sparkPatience, fmt.Sprintf("rounds of the job run on %v", workers), func(context.Context) (bool, string) {
		rounds := j.rounds()[begun:]
		used := map[string]bool{}
		for _, round := range rounds {
			for _, host := range round.hosts {
				used[host] = true
			}
		}
		idle := slices.ContainsFunc(workers, func(worker string) bool { return !used[worker] })
		others := len(rounds) > 0 && slices.ContainsFunc(rounds[len(rounds)-1].hosts, func(host string) bool { return !slices.Contains(workers, host) })
		return len(rounds) > 0 && !idle && !others, j.tells()
	})
}

// wantSuccess ends the job. All its sums must be right.
func (j sparkJob) wantSuccess() {
	j.Helper()
	j.exec("spark-jupyter-0", "touch", "/tmp/enough")
	j.eventually(sparkPatience, "the job ends with 0", func(ctx context.Context) (bool, string) {
		code, err := j.tryExec(ctx, "spark-jupyter-0", "cat", "/tmp/job.exit")
		return err == nil && code == "0\n", j.tells()
	})
	for i, round := range j.rounds() {
		if round.sum != sparkSum {
			j.Errorf("round %d of the job came to %d, want %d", i+1, round.sum, sparkSum)
		}
	}
}
