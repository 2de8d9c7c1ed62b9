// What CDI's own library says of specification files, and does to an OCI configuration.
//
//	inject check FOLDER                    {"FILE": "why it is refused, or nothing", …}
//	inject edit CONFIG FOLDERS NAME...     the configuration with the devices in it; FOLDERS with `:`
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	oci "github.com/opencontainers/runtime-spec/specs-go"
	"tags.cncf.io/container-device-interface/pkg/cdi"
)

func read(path string) (reason string) {
	defer func() {
		if trouble := recover(); trouble != nil {
			reason = fmt.Sprint("it panics: ", trouble)
		}
	}()
	spec, err := cdi.ReadSpec(path, 0)
	if err != nil {
		return err.Error()
	}
	if spec == nil {
		return "no specification"
	}
	return ""
}

func check(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		fail(err)
	}
	said := map[string]string{}
	for _, entry := range entries {
		said[entry.Name()] = read(filepath.Join(folder, entry.Name()))
	}
	print(said)
}

func edit(config, folders string, names []string) {
	data, err := os.ReadFile(config)
	if err != nil {
		fail(err)
	}
	spec := &oci.Spec{}
	if err := json.Unmarshal(data, spec); err != nil {
		fail(err)
	}
	cache, err := cdi.NewCache(cdi.WithSpecDirs(strings.Split(folders, ":")...), cdi.WithAutoRefresh(false))
	if err != nil {
		fail(err)
	}
	if _, err := cache.InjectDevices(spec, names...); err != nil {
		fail(err)
	}
	print(spec)
}

func print(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(data))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	if os.Args[1] == "check" {
		check(os.Args[2])
	} else {
		edit(os.Args[2], os.Args[3], os.Args[4:])
	}
}
