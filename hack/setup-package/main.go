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

// Command setup-package writes a catalog entry's package.yaml: the ConfigMap
// that carries the entry's setup package to the members.
//
// An entry is a directory such as artifacts/catalog/spark. Its package is the
// one directory below package/, and becomes the key NAME.tgz of the ConfigMap
// ENTRY-setup. The same files give the same bytes on every machine: names,
// contents and the executable bit count; owners and times do not.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

func main() {
	verify := pflag.Bool("verify", false, "Write nothing; fail where a package.yaml is not what its package gives.")
	pflag.Usage = func() {
		fmt.Fprintf(os.Stderr, "Usage: setup-package [--verify] ENTRY...\n\n%s", pflag.CommandLine.FlagUsages())
	}
	pflag.Parse()
	if pflag.NArg() == 0 {
		pflag.Usage()
		os.Exit(2)
	}
	for _, entry := range pflag.Args() {
		if err := update(entry, *verify); err != nil {
			fmt.Fprintf(os.Stderr, "setup-package: %s: %v\n", entry, err)
			os.Exit(1)
		}
	}
}

// update makes package.yaml of a catalog entry current, or with verify tells
// that it is not.
func update(entry string, verify bool) error {
	dir, err := packageDir(entry)
	if err != nil {
		return err
	}
	archive, err := pack(dir)
	if err != nil {
		return err
	}
	manifest, err := configMap(filepath.Base(filepath.Clean(entry))+"-setup", filepath.Base(dir)+".tgz", archive)
	if err != nil {
		return err
	}
	file := filepath.Join(entry, "package.yaml")
	if !verify {
		return os.WriteFile(file, manifest, 0o644)
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(committed, manifest) {
		return fmt.Errorf("package.yaml is not what %s gives; run: make generate", dir)
	}
	return nil
}

// packageDir is the one directory below package/ of an entry.
func packageDir(entry string) (string, error) {
	dirs, err := os.ReadDir(filepath.Join(entry, "package"))
	if err != nil {
		return "", err
	}
	if len(dirs) != 1 || !dirs[0].IsDir() {
		return "", fmt.Errorf("package/ must hold one directory, the setup package")
	}
	return filepath.Join(entry, "package", dirs[0].Name()), nil
}
