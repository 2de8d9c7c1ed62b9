// Reads a layer as lazy pullers do, by stargz-snapshotter's own library: `verifier BLOB TOC-DIGEST`
// prints `SHA256  PATH` of each file that has contents, and fails where the library finds a fault.
// BLOB is an eStargz, or zstd:chunked, whose annotation has the digest of the packed table.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path"
	"sort"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/opencontainers/go-digest"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// The library's own knows the footer from before tar-split, which was shorter and had another magic.
type footerOfToday struct{ zstdchunked.Decompressor }

const footerSize = 64

func (*footerOfToday) FooterSize() int64 { return footerSize }

func (f *footerOfToday) ParseFooter(footer []byte) (int64, int64, int64, error) {
	if !bytes.Equal(footer[56:], []byte("GNUlInUx")) {
		return 0, 0, 0, fmt.Errorf("not zstd:chunked")
	}
	older := append(append([]byte{}, footer[:32]...), "GnUlInUx"...)
	return f.Decompressor.ParseFooter(older)
}

// The digest of the packed table, as the annotation has it.
func packedDigest(blob *io.SectionReader) digest.Digest {
	footer := make([]byte, footerSize)
	_, err := blob.ReadAt(footer, blob.Size()-footerSize)
	check("the footer", err)
	if !bytes.Equal(footer[56:], []byte("GNUlInUx")) {
		return ""
	}
	offset, size := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	found, err := digest.FromReader(io.NewSectionReader(blob, int64(offset), int64(size)))
	check("the packed table", err)
	return found
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

// Each chunk is read by itself and held against its digest; at once, since the library unpacks a chunk
// from its beginning for every read of a part of it.
func readFile(reader *estargz.Reader, verifier estargz.TOCEntryVerifier, name string, entry *estargz.TOCEntry) []byte {
	contents, err := reader.OpenFile(entry.Name)
	check(name, err)
	hash := sha256.New()
	for at := int64(0); at < entry.Size; {
		chunk, ok := reader.ChunkEntryForOffset(entry.Name, at)
		if !ok || chunk.ChunkOffset != at || chunk.ChunkSize <= 0 {
			check(name, fmt.Errorf("no chunk at %d", at))
		}
		chunkVerifier, err := verifier.Verifier(chunk)
		check(name, err)
		plain := make([]byte, chunk.ChunkSize)
		if got, err := contents.ReadAt(plain, at); int64(got) != chunk.ChunkSize {
			check(name, fmt.Errorf("%d bytes at %d: %v", got, at, err))
		}
		hash.Write(plain)
		chunkVerifier.Write(plain)
		if !chunkVerifier.Verified() {
			check(name, fmt.Errorf("its digest is another at %d", at))
		}
		at += chunk.ChunkSize
	}
	return hash.Sum(nil)
}

func main() {
	file, err := os.Open(os.Args[1])
	check("open", err)
	status, err := file.Stat()
	check("stat", err)
	blob := io.NewSectionReader(file, 0, status.Size())
	reader, err := estargz.Open(blob, estargz.WithDecompressors(&footerOfToday{}))
	check("the table of contents", err)
	expected := digest.Digest(os.Args[2])
	if packed := packedDigest(blob); packed != "" {
		if packed != expected {
			check("the table's digest", fmt.Errorf("%s is not %s", packed, expected))
		}
		expected = reader.TOCDigest()
	}
	verifier, err := reader.VerifyTOC(expected)
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
		if entry := found[name]; entry.Size > 0 {
			fmt.Printf("%x  %s\n", readFile(reader, verifier, name, entry), name)
		}
	}
}
