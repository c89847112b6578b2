//go:build !linux

package engine

import (
	"context"
	"errors"
	"net"
)

func listenSCTP(string) (net.Listener, error) { return nil, errors.ErrUnsupported }

func dialSCTP(context.Context, string) (net.Conn, error) { return nil, errors.ErrUnsupported }
