// Makes layers as lazy pullers' own tools do, by stargz-snapshotter's library: `verifier TAR BLOB CHUNK`
// writes the tar as an eStargz with files cut into chunks of so many bytes, and prints
// `DIFF-ID TOC-DIGEST`.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/containerd/stargz-snapshotter/estargz"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func main() {
	file, err := os.Open(os.Args[1])
	check("open", err)
	status, err := file.Stat()
	check("stat", err)
	chunk, err := strconv.Atoi(os.Args[3])
	check("the chunks", err)
	blob, err := estargz.Build(io.NewSectionReader(file, 0, status.Size()), estargz.WithChunkSize(chunk))
	check("the layer", err)
	out, err := os.Create(os.Args[2])
	check("create", err)
	_, err = io.Copy(out, blob)
	check("write", err)
	check("close", out.Close())
	check("close", blob.Close())
	fmt.Println(blob.DiffID(), blob.TOCDigest())
}
