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

package catalog

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Package is the source of a config package: exactly one of its fields is set.
type Package struct {
	// ConfigMap holds the package; the controller reads it and hands it to the guest.
	ConfigMap *ConfigMapKey
	// URL is fetched by the guest; its scheme is http, https or file.
	URL string
}

// ConfigMapKey is an entry of a ConfigMap.
type ConfigMapKey struct {
	Namespace string
	Name      string
	Key       string
}

// String is the entry as a person would look for it.
func (k ConfigMapKey) String() string {
	return fmt.Sprintf("key %s of ConfigMap %s/%s", k.Key, k.Namespace, k.Name)
}

// ParsePackage reads a packageURL. A ConfigMap is in the namespace of the app.
// An error says what to write instead; showing the URL is the caller's.
func ParsePackage(packageURL, appNamespace string) (Package, error) {
	if rest, ok := strings.CutPrefix(packageURL, "configmap://"); ok {
		key, err := parseConfigMapKey(rest, appNamespace)
		if err != nil {
			return Package{}, err
		}
		return Package{ConfigMap: &key}, nil
	}
	if err := checkURL(packageURL); err != nil {
		return Package{}, err
	}
	return Package{URL: packageURL}, nil
}

func parseConfigMapKey(text, namespace string) (ConfigMapKey, error) {
	name, key, ok := strings.Cut(text, "/")
	if !ok {
		return ConfigMapKey{}, fmt.Errorf("the key is missing: use configmap://name/key")
	}
	if faults := validation.IsDNS1123Subdomain(name); len(faults) > 0 {
		return ConfigMapKey{}, fmt.Errorf("%q is no name of a ConfigMap: %s", name, faults[0])
	}
	if faults := validation.IsConfigMapKey(key); len(faults) > 0 {
		return ConfigMapKey{}, fmt.Errorf("%q is no key of a ConfigMap: %s", key, faults[0])
	}
	return ConfigMapKey{Namespace: namespace, Name: name, Key: key}, nil
}

func checkURL(text string) error {
	location, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("not a URL: use http(s)://host/path, file:///path or configmap://name/key")
	}
	switch location.Scheme {
	case "http", "https":
		if location.Hostname() == "" {
			return fmt.Errorf("the host is missing: use %s://host/path", location.Scheme)
		}
	case "file":
		if location.Host != "" {
			return fmt.Errorf("a file is in the member's own image: use file:///path, with three slashes, and no host %q", location.Host)
		}
		if location.RawQuery != "" || location.Fragment != "" || location.Path == "/" || path.Clean(location.Path) != location.Path {
			return fmt.Errorf("not the clean absolute path of a file: use file:///path, without ., .., ? and #")
		}
	default:
		return fmt.Errorf("scheme %q is not known: use http(s)://host/path, file:///path or configmap://name/key", location.Scheme)
	}
	return nil
}
