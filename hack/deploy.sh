#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# KubeDirector in a cluster: hack/deploy.sh up applies artifacts/deploy and waits
# until the controller is available; hack/deploy.sh down removes it, clusters
# first, then the controller, then the CRDs.
#
#   CONTEXT=name           a context of your kubeconfig; the current one is never taken by itself
#   TO=devcluster          or kind, minikube: a cluster on this machine; loads the image into it
#   REGISTRY=…, VERSION=…  the image is REGISTRY/kubedirector:VERSION
#   IMAGE=…                the image, where it is called otherwise
#   DELETE_CLUSTERS=yes    down deletes the KubeDirectorClusters instead of refusing

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
overlay=$root/.cache/deploy
namespace=kubedirector
ours=app.kubernetes.io/name=kubedirector
# Deleting a cluster may take its scripts' deadline, five minutes if it sets none, and its pods' end.
patience=600s

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
die() {
	printf 'deploy: %s\n' "$*" >&2
	exit 1
}
k() { "$kubectl" --context "$context" "$@"; }
kn() { k --namespace "$namespace" "$@"; }
exists() {
	local found
	found=$(k get "$@" --ignore-not-found -o name) || die "cannot see whether there is $*"
	[ -n "$found" ]
}

choose_cluster() {
	context=${CONTEXT:-}
	case ${TO:-} in
	devcluster)
		hack/devcluster.sh status >/dev/null 2>&1 || die "the devcluster does not run: make devcluster"
		kubectl=$root/.cache/bin/kubectl
		KUBECONFIG=$(.cache/bin/devcluster kubeconfig)
		export KUBECONFIG
		context=${context:-devcluster}
		;;
	kind) context=${context:-kind-${CLUSTER_NAME:-kind}} ;;
	minikube) context=${context:-${CLUSTER_NAME:-minikube}} ;;
	"") [ -n "$context" ] || die "name a cluster: CONTEXT=name-of-a-kubeconfig-context, or TO=devcluster, kind or minikube" ;;
	*) die "TO=$TO is no place to load images into: say devcluster, kind or minikube; for another cluster, make image-push REGISTRY=…" ;;
	esac
	kubectl=${kubectl:-$(command -v kubectl)} || die "kubectl is missing: install it, it is what you use your cluster with"
	k config get-contexts "$context" >/dev/null 2>&1 || die "no context \"$context\" in ${KUBECONFIG:-$HOME/.kube/config}; kubectl config get-contexts lists those there are"
	k get --raw /readyz >/dev/null || die "the cluster of context $context does not answer"
	say "Using $(k config view --minify -o jsonpath='{.clusters[0].cluster.server}') (context $context)"
}

# --- up ---------------------------------------------------------------------

choose_image() {
	image=${IMAGE:-${REGISTRY:-kubedirector}/kubedirector:${VERSION:?is set by make}}
	[ -z "${TO:-}" ] && return
	[ -z "${IMAGE:-}${REGISTRY:-}" ] || die "TO=$TO loads kubedirector/kubedirector:$VERSION: leave out IMAGE and REGISTRY"
	compgen -G '.cache/images/kubedirector_*.tar' >/dev/null || die "there is no image to load: make image, or hack/images/image.sh kubedirector for this one alone"
	say "Loading $image"
	hack/images/image-load.sh kubedirector
}

# refuse_second protects clusters from being served by two: this controller
# serves all namespaces, and does not know the Lease of another installation.
refuse_second() {
	local leases space renewed duration holder
	leases=$(k get leases --all-namespaces --field-selector metadata.name=kubedirector \
		-o jsonpath='{range .items[*]}{.metadata.namespace} {.spec.renewTime} {.spec.leaseDurationSeconds} {.spec.holderIdentity}{"\n"}{end}') ||
		die "cannot see whether a controller runs already"
	while read -r space renewed duration holder; do
		if [ -n "$holder" ] && [ "$space" != "$namespace" ] && [ "$(($(date +%s) - $(seconds "$renewed")))" -le $((duration + 10)) ]; then
			die "a controller runs already, $holder, with its Lease in namespace $space; two would serve the same clusters: end it first"
		fi
	done <<<"$leases"
}

# seconds TIME: since 1970, by GNU's date or BSD's.
seconds() { date -d "$1" +%s 2>/dev/null || date -j -u -f %Y-%m-%dT%H:%M:%S "${1%.*}" +%s; }

# write_overlay puts the image's name over the manifests.
write_overlay() {
	local name=$image tag=
	case $name in
	*@*) tag="digest: ${name#*@}" name=${name%%@*} ;;
	*:*) tag="newTag: ${name##*:}" name=${name%:*} ;;
	esac
	case $tag in "" | *" "*/*) die "IMAGE=$image names neither tag nor digest" ;; esac
	mkdir -p "$overlay"
	cp artifacts/deploy/guest-image.yaml "$overlay/"
	cat >"$overlay/kustomization.yaml" <<TEXT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../artifacts/deploy
images:
- name: kubedirector/kubedirector
  newName: $name
  $tag
replacements:
- path: guest-image.yaml
TEXT
}

# wait_for_leader: pods are Ready when they could lead; one of them must.
wait_for_leader() {
	local deadline=$((SECONDS + 60)) holder=
	until holder=$(kn get lease kubedirector --ignore-not-found -o jsonpath='{.spec.holderIdentity}') && [ -n "$holder" ]; do
		[ $SECONDS -lt $deadline ] || explain
		sleep 0.5
	done
	echo "$holder leads"
}

# explain says what keeps the controller from working.
explain() {
	kn get pods -l "$ours" -o wide || true
	kn get pods -l "$ours" -o jsonpath='{range .items[*].status.containerStatuses[*]}{.state.waiting.reason} {.state.waiting.message}{"\n"}{end}' | sort -u || true
	kn get events --field-selector type=Warning || true
	kn logs -l "$ours" --tail 5 || true
	die "no controller works. If its image cannot be pulled, the nodes do not have $image: make image-push REGISTRY=…, or TO=devcluster, kind or minikube"
}

up() {
	choose_cluster
	refuse_second
	choose_image
	say "Applying artifacts/deploy with $image"
	write_overlay
	k apply --server-side --force-conflicts -k "$overlay"
	k wait --for=condition=Established --timeout=30s -f artifacts/crds >/dev/null
	say "Waiting for the controller"
	kn rollout status deployment/kubedirector --timeout=120s || explain
	wait_for_leader
	next_steps
}

next_steps() {
	local kubectl_line
	kubectl_line=$(printf '%q ' ${KUBECONFIG:+env "KUBECONFIG=$KUBECONFIG"} "$kubectl" --context "$context")
	cat <<TEXT

The controller runs and serves all namespaces. What to try next, with

  alias kd='${kubectl_line% }'

  kd -n $namespace get deploy,pods,lease                who leads
  kd -n $namespace logs -l $ours -f
  kd apply -n NAMESPACE -f artifacts/catalog/spark/package.yaml -f artifacts/catalog/spark/app.yaml
  kd apply -n NAMESPACE -f artifacts/catalog/spark/cluster.yaml     see artifacts/catalog/spark/README.md for the images
  kd get kdc --all-namespaces

  make undeploy ${TO:+TO=$TO}${CONTEXT:+ CONTEXT=$CONTEXT}     remove it; clusters first
TEXT
}

# --- down -------------------------------------------------------------------

clusters() {
	exists crd kubedirectorclusters.kubedirector.bluedata.io || return 0
	k get kubedirectorclusters --all-namespaces --no-headers -o custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name
}

# remove_clusters lets them go while somebody is there to take them apart.
remove_clusters() {
	local there
	there=$(clusters)
	[ -n "$there" ] || return 0
	if [ "${DELETE_CLUSTERS:-}" != yes ]; then
		printf '%s\n' "$there" >&2
		die "there are clusters, which nobody would take apart without the controller: delete them first, or say DELETE_CLUSTERS=yes"
	fi
	say "Deleting the clusters"
	k delete kubedirectorclusters --all --all-namespaces --timeout=$patience || {
		k get kubedirectorclusters --all-namespaces -o wide || true
		die "clusters are still there, so the controller stays; the lines above say why, and its log"
	}
}

remove_controller() {
	say "Removing the controller"
	exists namespace "$namespace" || return 0
	kn delete deployment kubedirector --ignore-not-found --cascade=foreground --timeout=60s
	kn delete poddisruptionbudgets,configmaps,serviceaccounts,roles,rolebindings -l "$ours"
	kn delete lease kubedirector --ignore-not-found
	if exists persistentvolumeclaims --namespace "$namespace"; then
		echo "keeping namespace $namespace, for it holds volumes:"
		kn get persistentvolumeclaims
	else
		k delete namespace "$namespace" --timeout=120s
	fi
}

down() {
	choose_cluster
	remove_clusters
	remove_controller
	k delete clusterrolebindings,clusterroles -l "$ours"
	[ -z "$(clusters)" ] || die "a cluster was made meanwhile: make deploy, and begin again"
	say "Removing the CRDs, and the apps with them"
	k delete -k artifacts/crds --ignore-not-found --timeout=60s
	rm -rf "$overlay"
	echo "Nothing of KubeDirector is left but volumes that clusters were to keep: kubectl get pvc --all-namespaces -l kubedirector.bluedata.io/cluster"
}

case ${1:-} in
up | down) "$1" ;;
*) die "usage: hack/deploy.sh up|down" ;;
esac
