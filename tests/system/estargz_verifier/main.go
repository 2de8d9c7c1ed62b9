// Reads a layer as lazy pullers do, by stargz-snapshotter's own library: `verifier BLOB TOC-DIGEST`
// prints `SHA256  PATH` of each file that has contents, and fails where the library finds a fault.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"sort"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/opencontainers/go-digest"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func collect(folder *estargz.TOCEntry, at string, found map[string]*estargz.TOCEntry) {
	folder.ForeachChild(func(name string, entry *estargz.TOCEntry) bool {
		if entry.Type == "dir" {
			collect(entry, path.Join(at, name), found)
		} else if entry.Type == "reg" {
			found[path.Join(at, name)] = entry
		}
		return true
	})
}

func main() {
	file, err := os.Open(os.Args[1])
	check("open", err)
	status, err := file.Stat()
	check("stat", err)
	blob := io.NewSectionReader(file, 0, status.Size())
	reader, err := estargz.Open(blob)
	check("the table of contents", err)
	verifier, err := reader.VerifyTOC(digest.Digest(os.Args[2]))
	check("the table's digest", err)

	root, ok := reader.Lookup("")
	if !ok {
		check("the root", fmt.Errorf("not there"))
	}
	found := map[string]*estargz.TOCEntry{}
	collect(root, "", found)
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		entry := found[name]
		if entry.Size == 0 {
			continue
		}
		contents, err := reader.OpenFile(entry.Name)
		check(name, err)
		chunk, ok := reader.ChunkEntryForOffset(entry.Name, 0)
		if !ok || chunk.ChunkSize != entry.Size {
			check(name, fmt.Errorf("not one chunk"))
		}
		chunkVerifier, err := verifier.Verifier(chunk)
		check(name, err)
		hash := sha256.New()
		_, err = io.Copy(io.MultiWriter(hash, chunkVerifier), contents)
		check(name, err)
		if !chunkVerifier.Verified() {
			check(name, fmt.Errorf("its digest is another"))
		}
		fmt.Printf("%x  %s\n", hash.Sum(nil), name)
	}
}
