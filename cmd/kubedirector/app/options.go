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

package app

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"

	"github.com/bluek8s/kubedirector/pkg/config"
)

// Options are what the command line says.
type Options struct {
	configFile  string
	showHelp    bool
	showVersion bool

	// sections are the flags as --help groups them, all is the set that parses them.
	sections cliflag.NamedFlagSets
	all      *pflag.FlagSet
}

// NewOptions has every flag at its default.
func NewOptions() *Options {
	o := &Options{sections: configFlags(config.Default())}

	general := o.sections.FlagSet("general")
	general.StringVar(&o.configFile, "config", "", "File of kind KubeDirectorConfiguration, "+config.APIVersion+". Flags that are given override it.")
	general.BoolVar(&o.showVersion, "version", false, "Print the version and exit.")
	general.BoolVarP(&o.showHelp, "help", "h", false, "Print this help and exit.")

	o.all = pflag.NewFlagSet("kubedirector", pflag.ContinueOnError)
	o.all.SetOutput(io.Discard) // Main prints errors, and help where it is asked for
	o.all.SortFlags = true
	for _, section := range o.sections.FlagSets {
		o.all.AddFlagSet(section)
	}
	return o
}

// Parse reads the command line.
func (o *Options) Parse(args []string) error {
	if err := o.all.Parse(args); err != nil {
		return err
	}
	if o.all.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: every setting is a flag", o.all.Arg(0))
	}
	return nil
}

// PrintHelp prints the flags by section.
func (o *Options) PrintHelp(w io.Writer) {
	fmt.Fprint(w, `KubeDirector runs complex stateful applications on Kubernetes: it makes of each
KubeDirectorCluster the pods, Services and volumes that its KubeDirectorApp asks for,
and runs the app's scripts in them.

Usage:
  kubedirector [flags]
`)
	cliflag.PrintSections(w, o.sections, 100)
}

// Configuration is the configuration file, or the defaults where there is none,
// with the flags that were given laid over it. It is valid.
func (o *Options) Configuration() (*config.KubeDirectorConfiguration, error) {
	c := config.Default()
	if o.configFile != "" {
		var err error
		if c, err = config.Load(o.configFile); err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
	}
	if err := o.overlay(c); err != nil {
		return nil, err
	}
	config.SetDerived(c)

	var errs []error
	for _, e := range config.Validate(c) {
		errs = append(errs, fmt.Errorf("--%s, %w", flagNames[e.Field], e))
	}
	return c, utilerrors.NewAggregate(errs)
}

// overlay sets on c what the command line gave, and nothing else.
func (o *Options) overlay(c *config.KubeDirectorConfiguration) error {
	bound := pflag.NewFlagSet("overlay", pflag.ContinueOnError)
	for _, section := range configFlags(c).FlagSets {
		bound.AddFlagSet(section)
	}
	var errs []error
	o.all.Visit(func(given *pflag.Flag) {
		if bound.Lookup(given.Name) != nil {
			errs = append(errs, bound.Set(given.Name, given.Value.String()))
		}
	})
	return utilerrors.NewAggregate(errs)
}
