/*
 * The limits that bench compares send_many with: loops around the same system
 * calls, and nothing else.
 *
 *	io mcast|udp|dgram|link|tap SIZE COUNT
 *
 * mcast: sendmmsg of 64 to 239.192.168.1:1102 on lo, as a member that does not read
 * udp:   sendmmsg of 64 on a socket connected to 127.0.0.1:1102
 * dgram: the same on one that is not
 * link:  sendmmsg of 64 on a packet socket bound to va
 * tap:   write to a new tap device
 *
 * Prints frames and seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned char frame[65536] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int member(struct sockaddr_in *to)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1, room = 16 << 20;
	struct ip_mreqn m = {0};

	to->sin_family = AF_INET;
	to->sin_port = htons(1102);
	inet_aton("239.192.168.1", &to->sin_addr);
	m.imr_multiaddr = to->sin_addr;
	inet_aton("127.0.0.1", &m.imr_address);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (bind(s, (void *)to, sizeof *to) || setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) ||
	    setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m))
		die("multicast");
	return s;
}

static int peer(struct sockaddr_in *to, int connected)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	to->sin_family = AF_INET;
	to->sin_port = htons(1102);
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connected) {
		if (connect(s, (void *)to, sizeof *to))
			die("connect");
		to->sin_port = 0;
	}
	return s;
}

static int bound(void)
{
	int s = socket(AF_PACKET, SOCK_RAW, 0), room = 4 << 20;
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("va")};

	setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	if (s < 0 || bind(s, (void *)&at, sizeof at))
		die("packet socket");
	return s;
}

static int tap(void)
{
	int f = open("/dev/net/tun", O_RDWR | O_NONBLOCK), s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	if (f < 0 || ioctl(f, TUNSETIFF, &r))
		die("/dev/net/tun");
	if (ioctl(s, SIOCGIFFLAGS, &r))
		die("flags");
	r.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		die("up");
	close(s);
	return f;
}

int main(int argc, char **argv)
{
	enum { batch = 64 };
	static struct mmsghdr m[batch];
	static struct iovec iov[batch];
	struct sockaddr_in to = {0};

	if (argc != 4)
		return 2;
	int size = atoi(argv[2]), fd = -1;
	long count = atol(argv[3]), n = 0;
	int is_tap = !strcmp(argv[1], "tap");
	if (is_tap)
		fd = tap();
	else if (!strcmp(argv[1], "link"))
		fd = bound();
	else if (!strcmp(argv[1], "udp") || !strcmp(argv[1], "dgram"))
		fd = peer(&to, argv[1][0] == 'u');
	else
		fd = member(&to);
	for (int i = 0; i < batch; i++) {
		iov[i] = (struct iovec){frame, size};
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		if (to.sin_port) {
			m[i].msg_hdr.msg_name = &to;
			m[i].msg_hdr.msg_namelen = sizeof to;
		}
	}
	double start = now();
	while (n < count) {
		int k = is_tap ? (write(fd, frame, size) == size ? 1 : -1)
			       : sendmmsg(fd, m, count - n < batch ? count - n : batch, MSG_DONTWAIT);
		if (k > 0) {
			n += k;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			struct pollfd p = {fd, POLLOUT, 0};
			poll(&p, 1, 100);
		} else if (errno != ECONNREFUSED) {
			die("send");
		}
	}
	printf("%ld %.9f\n", n, now() - start);
	return 0;
}
