// Makes zstd:chunked layers as Podman does, by containers/storage's library: `verifier TAR BLOB` writes
// the tar as such a layer, and prints `DIFF-ID ANNOTATIONS`, the latter as JSON.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"go.podman.io/storage/pkg/chunked/compressor"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func main() {
	tar, err := os.Open(os.Args[1])
	check("open", err)
	blob, err := os.Create(os.Args[2])
	check("create", err)
	annotations := map[string]string{}
	out, err := compressor.ZstdCompressor(blob, annotations, nil)
	check("the layer", err)
	sum := sha256.New()
	_, err = io.Copy(out, io.TeeReader(tar, sum))
	check("write", err)
	check("the table", out.Close())
	check("close", blob.Close())
	text, err := json.Marshal(annotations)
	check("the annotations", err)
	fmt.Printf("sha256:%x %s\n", sum.Sum(nil), text)
}
