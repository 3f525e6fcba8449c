module github.com/bluek8s/kubedirector/hack/devcluster/pause

go 1.26.0
