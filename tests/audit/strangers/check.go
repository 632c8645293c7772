// Checks a log with the libraries of Go's own checksum database, which know nothing of ours.
//
// Reads one JSON document and says the first thing that does not hold.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type log struct {
	Key         string
	Checkpoints []string     // signed notes, smallest first
	Leaves      [][]byte     // all of the newest checkpoint
	Inclusion   [][][]byte   // of each leaf in the newest checkpoint
	Consistency [][][][]byte // [old][new]
}

func main() {
	var given log
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fail("the document", err)
	}
	verifier, err := note.NewVerifier(given.Key)
	if err != nil {
		fail("the key", err)
	}
	var sizes []int64
	var roots []tlog.Hash
	for _, signed := range given.Checkpoints {
		size, root := open(signed, verifier)
		sizes, roots = append(sizes, size), append(roots, root)
	}
	newest := len(sizes) - 1
	for index, leaf := range given.Leaves {
		proof := hashes(given.Inclusion[index])
		if err := tlog.CheckRecord(proof, sizes[newest], roots[newest], int64(index), tlog.RecordHash(leaf)); err != nil {
			fail(fmt.Sprintf("entry %d", index), err)
		}
	}
	for old := range sizes {
		for new := old; new < len(sizes); new++ {
			proof := hashes(given.Consistency[old][new])
			if err := tlog.CheckTree(proof, sizes[new], roots[new], sizes[old], roots[old]); err != nil {
				fail(fmt.Sprintf("checkpoints %d and %d", sizes[old], sizes[new]), err)
			}
		}
	}
	checkRoots(given.Leaves, sizes, roots)
	fmt.Printf("%d entries and %d checkpoints hold\n", len(given.Leaves), len(sizes))
}

func open(signed string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		fail("a checkpoint", err)
	}
	var size int64
	lines := strings.Split(opened.Text, "\n")
	if _, err := fmt.Sscan(lines[1], &size); err != nil {
		fail("a size", err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail("a root", err)
	}
	return size, root
}

// checkRoots grows the tree anew from the leaves.
func checkRoots(leaves [][]byte, sizes []int64, roots []tlog.Hash) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for index, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(index), leaf, reader)
		if err != nil {
			fail("the tree", err)
		}
		stored = append(stored, more...)
	}
	for place, size := range sizes {
		root, err := tlog.TreeHash(size, reader)
		if err != nil || root != roots[place] {
			fail(fmt.Sprintf("the root of %d entries", size), err)
		}
	}
}

func hashes(data [][]byte) (found []tlog.Hash) {
	for _, each := range data {
		var hash tlog.Hash
		copy(hash[:], each)
		found = append(found, hash)
	}
	return found
}

func fail(what string, err error) {
	fmt.Printf("%s: %v\n", what, err)
	os.Exit(1)
}
