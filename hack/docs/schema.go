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

package main

// definition is what the reference needs of a CustomResourceDefinition.
type definition struct {
	Kind string `json:"kind"`
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind       string   `json:"kind"`
			Plural     string   `json:"plural"`
			ShortNames []string `json:"shortNames"`
			Categories []string `json:"categories"`
		} `json:"names"`
		Versions []version `json:"versions"`
	} `json:"spec"`
}

type version struct {
	Name    string   `json:"name"`
	Columns []column `json:"additionalPrinterColumns"`
	Schema  struct {
		OpenAPI *schema `json:"openAPIV3Schema"`
	} `json:"schema"`
}

type column struct {
	Name     string `json:"name"`
	JSONPath string `json:"jsonPath"`
	Priority int    `json:"priority"`
}

// schema is a structural schema, as far as the reference tells of it.
type schema struct {
	Description string             `json:"description"`
	Type        string             `json:"type"`
	Format      string             `json:"format"`
	Default     any                `json:"default"`
	Properties  map[string]*schema `json:"properties"`
	Items       *schema            `json:"items"`
	Values      *schema            `json:"additionalProperties"`
	Required    []string           `json:"required"`
	IntOrString bool               `json:"x-kubernetes-int-or-string"`

	Enum          []any        `json:"enum"`
	Pattern       string       `json:"pattern"`
	Minimum       *int64       `json:"minimum"`
	Maximum       *int64       `json:"maximum"`
	MinLength     *int64       `json:"minLength"`
	MaxLength     *int64       `json:"maxLength"`
	MinItems      *int64       `json:"minItems"`
	MaxItems      *int64       `json:"maxItems"`
	MaxProperties *int64       `json:"maxProperties"`
	ListType      string       `json:"x-kubernetes-list-type"`
	ListMapKeys   []string     `json:"x-kubernetes-list-map-keys"`
	Validations   []validation `json:"x-kubernetes-validations"`
}

// validation is a CEL rule; its message says what must hold.
type validation struct {
	Message string `json:"message"`
}

// kubernetesTypes are the fields whose types are Kubernetes' own. Its reference
// tells more of them than their schemas here.
var kubernetesTypes = map[string]string{
	"spec.roles[].env":             "[]EnvVar",
	"spec.roles[].resources":       "ResourceRequirements",
	"spec.roles[].securityContext": "PodSecurityContext",
	"status.conditions":            "[]Condition",
}

// typeName is the type of the field at path, in the words of the Go API.
func typeName(path string, s *schema) string {
	if own, ok := kubernetesTypes[path]; ok {
		return own
	}
	switch {
	case s.IntOrString:
		return "Quantity"
	case s.Items != nil:
		return "[]" + typeName(path+"[]", s.Items)
	case s.Values != nil:
		return "map of " + typeName(path+"{}", s.Values)
	case s.Format == "date-time":
		return "time"
	case s.Type == "integer" && s.Format != "":
		return s.Format
	default:
		return s.Type
	}
}

// element is the object whose fields a table lists: the field's own, or that of
// the items of a list. nil: there is none, or it is one of Kubernetes' own types.
func element(path string, s *schema) (string, *schema) {
	if _, own := kubernetesTypes[path]; own {
		return "", nil
	}
	if s.Items != nil {
		return element(path+"[]", s.Items)
	}
	if len(s.Properties) == 0 {
		return "", nil
	}
	return path, s
}
