// Check reads a ledger with nothing but Go's own note and tlog packages.
//
//	check log <folder> [<older checkpoint> ...]
//	check proof <vkey> <entry> <tlog-proof>
//
// It shares no code with the ledger. `log` verifies the checkpoint's signature, that every entry is
// included under its root, and that trees of many sizes are consistent with one another; each older
// checkpoint has to be signed and consistent too. `proof` verifies one entry offline.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // c2sp.org/tlog-tiles: tiles are 2^8 wide

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "log":
		return checkLog(args[1], args[2:])
	case len(args) == 4 && args[0] == "proof":
		return checkProof(args[1], args[2], args[3])
	}
	return errors.New("usage: check log <folder> [<older checkpoint> ...] | check proof <vkey> <entry> <tlog-proof>")
}

func checkLog(folder string, older []string) error {
	verifier, err := readVerifier(filepath.Join(folder, "vkey"))
	if err != nil {
		return err
	}
	tree, err := readCheckpoint(filepath.Join(folder, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	entries, err := readEntries(folder, tree.N)
	if err != nil {
		return err
	}
	hashes, err := hashEntries(entries)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, &tiles{folder: folder, read: map[tlog.Tile][]byte{}})
	if err := checkInclusions(tree, entries, reader); err != nil {
		return err
	}
	pairs, err := checkConsistencies(tree, hashes, reader)
	if err != nil {
		return err
	}
	for _, file := range older {
		if err := checkOlder(file, verifier, tree, reader); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("%d entries included, %d pairs of sizes consistent, %d older checkpoints consistent\n",
		len(entries), pairs, len(older))
	return nil
}

// checkInclusions proves each entry from the tiles, and checks the proof against the signed root.
//
// CheckRecord is what convinces: it starts at the entry's own bytes and ends at the root.
func checkInclusions(tree tlog.Tree, entries [][]byte, reader tlog.HashReader) error {
	for i, entry := range entries {
		n, leaf := int64(i), tlog.RecordHash(entry)
		inTile, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		if inTile[0] != leaf {
			return fmt.Errorf("entry %d: its tile holds another hash", n)
		}
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

// checkConsistencies proves from the tiles that pairs of trees are consistent, with roots that were
// computed from the entries alone.
func checkConsistencies(tree tlog.Tree, hashes storage, reader tlog.HashReader) (int, error) {
	pairs := 0
	sizes := sampledSizes(tree.N)
	for _, newer := range sizes {
		newRoot, err := tlog.TreeHash(newer, hashes)
		if err != nil {
			return pairs, err
		}
		for _, older := range sizes {
			if older > newer {
				break
			}
			oldRoot, err := tlog.TreeHash(older, hashes)
			if err != nil {
				return pairs, err
			}
			proof, err := tlog.ProveTree(newer, older, reader)
			if err != nil {
				return pairs, fmt.Errorf("sizes %d and %d: %w", older, newer, err)
			}
			if err := tlog.CheckTree(proof, newer, newRoot, older, oldRoot); err != nil {
				return pairs, fmt.Errorf("sizes %d and %d: %w", older, newer, err)
			}
			pairs++
		}
	}
	return pairs, nil
}

// sampledSizes is the sizes around each tile border that is a power of two, and an even spread.
func sampledSizes(size int64) []int64 {
	chosen := map[int64]bool{size - 1: true, size: true}
	for border := int64(1); border <= size; border *= 2 {
		chosen[border-1], chosen[border], chosen[border+1] = true, true, true
	}
	for i := int64(1); i < 16; i++ {
		chosen[size*i/16] = true
	}
	var sizes []int64
	for n := range chosen {
		if 1 <= n && n <= size {
			sizes = append(sizes, n)
		}
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	return sizes
}

func checkOlder(file string, verifier note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	older, err := readCheckpoint(file, verifier)
	if err != nil {
		return err
	}
	if older.N > tree.N {
		return fmt.Errorf("it has %d entries, the log only %d", older.N, tree.N)
	}
	if older.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, older.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
}

// checkProof verifies a c2sp.org/tlog-proof of an entry, from its sibling up.
func checkProof(vkeyFile, entryFile, proofFile string) error {
	verifier, err := readVerifier(vkeyFile)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("the proof names no index")
	}
	index, err := parseDecimal(strings.TrimPrefix(lines[0], "index "))
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(signed), verifier)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("entry %d is included in the tree of %d\n", index, tree.N)
	return nil
}

// readVerifier takes the first line of a vkey file, the log's Ed25519 key.
func readVerifier(file string) (note.Verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return note.NewVerifier(line)
}

func readCheckpoint(file string, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(signed, verifier)
}

// openCheckpoint verifies a note and reads the c2sp.org/tlog-checkpoint in it.
func openCheckpoint(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, errors.New("not a root hash")
	}
	tree := tlog.Tree{N: size, Hash: *(*tlog.Hash)(hash)}
	if size == 0 && tree.Hash != sha256.Sum256(nil) {
		return tlog.Tree{}, errors.New("an empty tree with another root")
	}
	return tree, nil
}

func parseDecimal(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("not a decimal number: %q", text)
	}
	return n, nil
}

// readEntries reads all entry bundles of a tree.
func readEntries(folder string, size int64) ([][]byte, error) {
	var entries [][]byte
	for int64(len(entries)) < size {
		bundle := tlog.Tile{H: height, L: -1, N: int64(len(entries)) >> height, W: 1 << height}
		if rest := size - int64(len(entries)); rest < 1<<height {
			bundle.W = int(rest)
		}
		content, file, err := readTile(folder, bundle)
		if err != nil {
			return nil, err
		}
		for i := 0; i < bundle.W; i++ {
			if len(content) < 2 || len(content)-2 < int(binary.BigEndian.Uint16(content)) {
				return nil, fmt.Errorf("%s: it ends within entry %d", file, len(entries))
			}
			end := 2 + int(binary.BigEndian.Uint16(content))
			entries = append(entries, content[2:end])
			content = content[end:]
		}
		if len(content) > 0 && strings.HasSuffix(file, c2spPath(bundle)) {
			return nil, fmt.Errorf("%s: it goes on after its last entry", file)
		}
	}
	return entries, nil
}

// storage holds the hashes of a tree that was built from entries alone.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, errors.New("no such hash")
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

func hashEntries(entries [][]byte) (storage, error) {
	var hashes storage
	for i, entry := range entries {
		more, err := tlog.StoredHashes(int64(i), entry, hashes)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, more...)
	}
	return hashes, nil
}

// tiles reads the tiles of a folder, for tlog.TileHashReader.
type tiles struct {
	folder string
	read   map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		if _, known := t.read[tile]; !known {
			content, file, err := readTile(t.folder, tile)
			if err != nil {
				return nil, err
			}
			if len(content) < tile.W*tlog.HashSize {
				return nil, fmt.Errorf("%s: it has %d bytes", file, len(content))
			}
			t.read[tile] = content[:tile.W*tlog.HashSize]
		}
		data[i] = t.read[tile]
	}
	return data, nil
}

// readTile reads a tile or bundle; a partial one may have been removed once the full one is there.
func readTile(folder string, tile tlog.Tile) ([]byte, string, error) {
	file := filepath.Join(folder, c2spPath(tile))
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && tile.W < 1<<height {
		tile.W = 1 << height
		file = filepath.Join(folder, c2spPath(tile))
		content, err = os.ReadFile(file)
	}
	return content, file, err
}

// c2spPath is Go's path of a tile without the height, and with `entries` for `data`.
func c2spPath(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}
