package engine_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// need skips the test aloud when the machine lacks something, or fails it when
// PKTSH_REQUIRE says that it must be there.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("PKTSH_REQUIRE"), ","), what) {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

// needProgram is need for a program on the path.
func needProgram(t *testing.T, name string) {
	t.Helper()
	_, err := exec.LookPath(name)
	need(t, name, err)
}
