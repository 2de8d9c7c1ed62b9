// Pulls a layer as Podman does that takes files one by one, by containers/storage's own code:
// `verifier STORE BLOB ANNOTATIONS` makes it a layer of the store below the folder STORE and prints
// `DIFF-ID BYTES TREE`: what the library computed, how many bytes of the blob it asked for, and
// where the files are. It fails where the library would pull the whole blob instead.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	"go.podman.io/storage"
	graphdriver "go.podman.io/storage/drivers"
	"go.podman.io/storage/pkg/chunked"
	"go.podman.io/storage/pkg/reexec"
)

// The store has mounts as long as it is open.
var unmount = func() {}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		unmount()
		os.Exit(1)
	}
}

type blob struct {
	file *os.File
	read atomic.Int64
}

func (b *blob) GetBlobAt(chunks []chunked.ImageSourceChunk) (chan io.ReadCloser, chan error, error) {
	streams, errs := make(chan io.ReadCloser), make(chan error)
	go func() {
		for _, chunk := range chunks {
			b.read.Add(int64(chunk.Length))
			streams <- io.NopCloser(io.NewSectionReader(b.file, int64(chunk.Offset), int64(chunk.Length)))
		}
		close(streams)
		close(errs)
	}()
	return streams, errs, nil
}

func main() {
	if reexec.Init() {
		return
	}
	file, err := os.Open(os.Args[2])
	check("open", err)
	status, err := file.Stat()
	check("stat", err)
	var annotations map[string]string
	check("the annotations", json.Unmarshal([]byte(os.Args[3]), &annotations))
	whole, err := digest.FromReader(file)
	check("read", err)

	store, err := storage.GetStore(storage.StoreOptions{
		RunRoot:         filepath.Join(os.Args[1], "run"),
		GraphRoot:       filepath.Join(os.Args[1], "root"),
		GraphDriverName: "overlay",
		PullOptions:     map[string]string{"enable_partial_images": "true"},
	})
	check("the store", err)
	unmount = func() { store.Shutdown(false) }
	source := &blob{file: file}
	differ, err := chunked.NewDiffer(context.Background(), store, whole, status.Size(), annotations, source)
	check("the table of contents", err)
	defer differ.Close()
	options := &graphdriver.ApplyDiffWithDifferOpts{}
	staged, err := store.PrepareStagedLayer(options, differ)
	check("the files", err)
	id := staged.UncompressedDigest.Encoded()
	_, err = store.ApplyStagedLayer(storage.ApplyStagedLayerOptions{ID: id, DiffOutput: staged, DiffOptions: options})
	check("the layer", err)
	_, err = store.Shutdown(false)
	check("the store's end", err)
	fmt.Printf("%s %d %s\n", staged.UncompressedDigest, source.read.Load(),
		filepath.Join(os.Args[1], "root", "overlay", id, "diff"))
}
