// Holds JSON against the schemas of OCI's image-spec: `validator MEDIA-TYPE FILE`, or `layout` for
// the file oci-layout.
package main

import (
	"fmt"
	"os"

	"github.com/opencontainers/image-spec/schema"
)

func main() {
	kind := schema.Validator(os.Args[1])
	if os.Args[1] == "layout" {
		kind = schema.ValidatorMediaTypeLayoutHeader
	}
	file, err := os.Open(os.Args[2])
	if err == nil {
		err = kind.Validate(file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
