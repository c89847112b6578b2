package engine

// Socket is what the kernel says about the socket of a Conn, read back from it
// and not from what was asked for.
type Socket struct {
	FD                   int
	Local, Remote        string // ADDR:PORT or a path; "" where there is none
	Datagrams            bool   // datagrams or messages; else a stream of octets
	ReuseAddr, ReusePort bool
	ReceiveBuffer        int // octets, with the kernel's own overhead
	Multicast            *MulticastSocket
}

// MulticastSocket is what the kernel says about a socket that is bound to a
// multicast group.
type MulticastSocket struct {
	Group     string
	Port, TTL int
	Loop      bool   // members on this host hear our frames
	Interface string // to send to, by address (IPv4) or name (IPv6); 0.0.0.0 or "": the routing table's choice
}
