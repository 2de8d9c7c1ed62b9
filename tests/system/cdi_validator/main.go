// Reads a CDI specification with the library of CDI itself, as engines do, and names its devices.
package main

import (
	"fmt"
	"os"
	"sort"

	"tags.cncf.io/container-device-interface/pkg/cdi"
)

func main() {
	spec, err := cdi.ReadSpec(os.Args[1], 0)
	if err == nil && spec == nil {
		err = fmt.Errorf("no specification")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	names := []string{}
	for _, device := range spec.Devices {
		names = append(names, device.Name)
	}
	sort.Strings(names)
	fmt.Println(spec.GetVendor()+"/"+spec.GetClass(), names)
}
