package engine

import (
	"bufio"
	"compress/gzip"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A packing is a way to compress a capture file.
type packing struct {
	name    string
	endings []string // of file names
	magic   string
	open    func(r *bufio.Reader) (src io.Reader, free func(), err error)
	create  func(w io.Writer) (packer, error)
}

// packer is a writer that compresses. Flush makes what was written readable.
type packer interface {
	io.WriteCloser
	Flush() error
}

// maxWindow bounds what a packed file can make us allocate.
const maxWindow = 64 << 20

var packings = []packing{
	{"gzip", []string{".gz"}, "\x1f\x8b", func(r *bufio.Reader) (io.Reader, func(), error) {
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	}, func(w io.Writer) (packer, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }},
	// Alone, without helpers: most files are small, and the loop does not wait.
	{"zstd", []string{".zst", ".zstd"}, "\x28\xb5\x2f\xfd", func(r *bufio.Reader) (io.Reader, func(), error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}, func(w io.Writer) (packer, error) {
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	}},
}

// packingOf is the packing that a file's name asks for, nil for none, and the
// name without its ending.
func packingOf(file string) (*packing, string) {
	for i := range packings {
		for _, e := range packings[i].endings {
			if plain, ok := strings.CutSuffix(file, e); ok {
				return &packings[i], plain
			}
		}
	}
	return nil, file
}
