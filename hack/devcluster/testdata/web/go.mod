module github.com/bluek8s/kubedirector/hack/devcluster/testdata/web

go 1.26.0
