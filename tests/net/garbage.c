/* SPDX-License-Identifier: MIT
 *
 * garbage: sends random and truncated bytes to a port, one connection after the other.
 *
 *     garbage [-n CONNECTIONS] [-s SEED] tls|v1|proxy|raw ADDRESS PORT
 *
 * A connection gets the first bytes of something that the port understands, some of them changed,
 * then random ones, and is cut at any place. It is ended by half-closing it and waiting for the
 * peer's end, by closing it, or by a reset. A peer that neither ends nor answers within the limit
 * is stuck: exit status 1. The same seed makes the same bytes.
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds without an end after which a half-closed connection counts as stuck: above the server's
 * limit for a handshake, with room for a slow machine. */
#define STUCK_AFTER_S 40

/* Most connections get a few bytes, as most decoders decide early; some get a megabyte's worth of
 * reads. */
#define SHORT_MAX 600
#define LONG_MAX  100000

typedef struct {
	const char *name;
	const char *bytes;
	size_t size;
} Opening;

#define BYTES(text) text, sizeof(text) - 1

static const Opening openings[] = {
	{ "raw", BYTES("") },
	/* a TLS record with the start of a ClientHello; an alert; SSL 2 */
	{ "tls", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") },
	{ "tls", BYTES("\x15\x03\x03\x00\x02\x02\x28") },
	{ "tls", BYTES("\x80\x2e\x01\x00\x02\x00\x15") },
	{ "tls", BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n") },
	/* VPNr/1: an empty frame, "hi" to 10.77.2.2:9, a LONG frame, FAIL and FIN */
	{ "v1", BYTES("\x07\x00\x01\x00\x0a\x4d\x02\x02\x00\x09") },
	{ "v1", BYTES("\x09\x00\x02\x00\x0a\x4d\x02\x02\x00\x09hi") },
	{ "v1", BYTES("\x09\x00\x03\x80\x0a\x4d\x02\x02\x00\x09") },
	{ "v1", BYTES("\x07\x00\x01\x01\x0a\x4d\x02\x02\x00\x09"
		      "\x07\x00\x02\x02\x0a\x4d\x02\x02\x00\x09") },
	/* SOCKS5 with IPv4, IPv6 and a name; HTTP CONNECT */
	{ "proxy", BYTES("\x05\x01\x00\x05\x01\x00\x01\x0a\x4d\x02\x02\x00\x09") },
	{ "proxy", BYTES("\x05\x02\x00\x02\x05\x01\x00\x04\xfd\x00\x00\x77\x00\x02\x00\x00") },
	{ "proxy", BYTES("\x05\x01\x00\x05\x01\x00\x03\x09localhost\x00\x09") },
	{ "proxy", BYTES("CONNECT 10.77.2.2:9 HTTP/1.1\r\nHost: 10.77.2.2:9\r\n\r\n") },
};

/* xorshift64*: the tests need bytes that can be had again, not good ones. */
static uint64_t random_state;

static uint32_t
random_below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 2685821657736338717ULL) >> 32) % limit;
}

static const Opening *
choose_opening(const char *name)
{
	const Opening *opening;

	do
		opening = &openings[random_below(sizeof openings / sizeof openings[0])];
	while (strcmp(opening->name, name) != 0);
	return opening;
}

/* Fills buf, which has room for LONG_MAX, and returns how many bytes to send. */
static size_t
make_bytes(const char *name, char *buf)
{
	const Opening *opening = choose_opening(name);
	size_t size = random_below(random_below(50) == 0 ? LONG_MAX : SHORT_MAX);

	for (size_t i = 0; i < size; i++)
		buf[i] = (char)random_below(256);
	memcpy(buf, opening->bytes, opening->size);
	if (opening->size > 0 && random_below(2) == 0)
		buf[random_below(opening->size)] = (char)random_below(256);
	return random_below(4) == 0 ? random_below(opening->size + 1) : size;
}

/* Reads away what the peer says until it ends. */
static void
wait_for_end(int fd, unsigned long number)
{
	struct timeval limit = { .tv_sec = STUCK_AFTER_S };
	char buf[65536];
	ssize_t n;

	shutdown(fd, SHUT_WR);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	do
		n = read(fd, buf, sizeof buf);
	while (n > 0);
	if (n < 0 && errno == EAGAIN)
		errx(1, "connection %lu is stuck", number);
}

static void
send_garbage(int fd, const char *name, unsigned long number)
{
	static char buf[LONG_MAX];
	struct linger reset = { 1, 0 };
	struct timeval limit = { .tv_sec = STUCK_AFTER_S };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	size_t size = make_bytes(name, buf);
	if (send(fd, buf, size, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		errx(1, "connection %lu is stuck", number);
	switch (random_below(4)) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		break;
	case 1:
		break;
	default:
		wait_for_end(fd, number);
	}
}

static struct addrinfo *
parse_address(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *address;

	if (getaddrinfo(host, port, &hints, &address) != 0)
		errx(2, "\"%s\" and \"%s\" are no address and port", host, port);
	return address;
}

int
main(int argc, char **argv)
{
	unsigned long n = 1000, seed = 1;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 3)
		errx(2, "usage: garbage [-n CONNECTIONS] [-s SEED] tls|v1|proxy|raw ADDRESS PORT");
	random_state = seed * 0x9e3779b97f4a7c15ULL | 1;

	struct addrinfo *address = parse_address(argv[optind + 1], argv[optind + 2]);
	for (unsigned long i = 0; i < n; i++) {
		int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen) < 0)
			err(1, "connection %lu", i);
		send_garbage(fd, argv[optind], i);
		close(fd);
	}
	freeaddrinfo(address);
	return 0;
}
