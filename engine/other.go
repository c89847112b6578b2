//go:build !linux

package engine

import "errors"

// Only Linux has these; capture files and memory LANs work everywhere.

func unsupported(conn string) error {
	return &OpError{Op: "open", Conn: conn, Err: errors.ErrUnsupported, hint: "this connector works on Linux only"}
}

// OpenMcast joins a LAN in multicast datagrams, on Linux.
func OpenMcast(_ *Env, cfg McastConfig) (Conn, error) {
	_, name, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	return nil, unsupported(name)
}

// OpenTap opens a TAP or TUN device, on Linux.
func OpenTap(_ *Env, cfg TapConfig) (Conn, error) {
	if _, err := cfg.resolve(); err != nil {
		return nil, err
	}
	return nil, unsupported(cfg.name())
}

// OpenLink opens an interface, on Linux.
func OpenLink(_ *Env, cfg LinkConfig) (Conn, error) {
	if err := cfg.resolve(); err != nil {
		return nil, err
	}
	return nil, unsupported(cfg.name())
}

// OpenDatagrams opens a link in datagrams, on Linux.
func OpenDatagrams(_ *Env, cfg DatagramConfig) (Conn, error) { return nil, unsupported(cfg.name()) }

// SocketOf asks the kernel about the socket of c, on Linux.
func SocketOf(c Conn) (Socket, error) {
	return Socket{}, &OpError{Op: "socket", Conn: c.Name(), Err: errors.ErrUnsupported}
}

// CarriesDatagrams tells what kind of socket a descriptor is, on Linux.
func CarriesDatagrams(int) (bool, error) { return false, unsupported("fd") }

// OpenRawIP opens a raw socket, on Linux.
func OpenRawIP(_ *Env, cfg RawIPConfig) (Conn, error) {
	if _, _, err := cfg.resolve(); err != nil {
		return nil, err
	}
	return nil, unsupported(cfg.name())
}
