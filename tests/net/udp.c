/* SPDX-License-Identifier: MIT
 *
 * udp: applications and a server that speak UDP, for tests.
 *
 *     udp echo PORT                                sends back whatever comes, IPv4 and IPv6
 *     udp ask ADDRESS PORT SIZE...                 datagrams of these sizes must come back
 *     udp socks PROXY PORT NAME PORT SIZE...       the same through a SOCKS5 proxy (RFC 1928)
 *     udp flows ADDRESS PORT COUNT                 so many sockets ask; every one gets its answer
 *     udp flood ADDRESS COUNT                      datagrams to so many ports; no answer is awaited
 *
 * Datagrams may be lost, so what is not answered within a second is asked again, for PATIENCE
 * seconds. One thread.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PATIENCE = 100,
	AGAIN_MS = 1000,
	SIZE_MAX_UDP = 65535,
	HEADER_MAX = 4 + 256 + 2,
};

static uint8_t sent[HEADER_MAX + SIZE_MAX_UDP];
static uint8_t got[HEADER_MAX + SIZE_MAX_UDP];

typedef struct {
	struct sockaddr_storage ss;
	socklen_t size;
} Address;

static unsigned
number(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end != '\0' || value > max)
		errx(2, "\"%s\" is no number up to %u", text, max);
	return (unsigned)value;
}

/* With "%INTERFACE" behind an address of a link. */
static Address
parse(const char *text, unsigned port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *info;
	Address address = { .size = 0 };
	char service[12];

	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(text, service, &hints, &info) != 0)
		errx(2, "\"%s\" is not an address", text);
	memcpy(&address.ss, info->ai_addr, info->ai_addrlen);
	address.size = info->ai_addrlen;
	freeaddrinfo(info);
	return address;
}

static int
open_socket(const Address *address, int type)
{
	int fd = socket(address->ss.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address->ss, address->size) < 0)
		err(1, "connect");
	return fd;
}

/* --- echo ------------------------------------------------------------------------------------- */

static int
echo(unsigned port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int off = 0, room = 16 * 1024 * 1024;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
		err(2, "port %u", port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	for (;;) {
		Address from = { .size = sizeof from.ss };
		ssize_t n =
		    recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from.ss, &from.size);

		if (n >= 0)
			sendto(fd, got, (size_t)n, 0, (struct sockaddr *)&from.ss, from.size);
	}
}

/* --- ask -------------------------------------------------------------------------------------- */

static bool
readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, AGAIN_MS) == 1;
}

/* Sends a header (which may be empty) and size bytes, until they come back. */
static void
ask(int fd, size_t header, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sent[header + i] = (uint8_t)(i * 7 + i / 251 + size);
	for (int tries = 0; tries < PATIENCE; tries++) {
		if (send(fd, sent, header + size, 0) < 0)
			err(1, "send %zu bytes", size);
		while (readable(fd)) {
			ssize_t n = recv(fd, got, sizeof got, 0);

			if (n < 0)
				err(1, "receive %zu bytes", size);
			if ((size_t)n == header + size && memcmp(sent, got, (size_t)n) == 0)
				return;
		}
	}
	errx(1, "no answer to %zu bytes", size);
}

static void
ask_all(int fd, size_t header, char **sizes)
{
	for (; *sizes != NULL; sizes++)
		ask(fd, header, number(*sizes, SIZE_MAX_UDP));
}

/* --- socks ------------------------------------------------------------------------------------ */

static void
expect(int fd, const void *bytes, size_t n)
{
	uint8_t received[16];

	if (recv(fd, received, n, MSG_WAITALL) != (ssize_t)n || memcmp(received, bytes, n) != 0)
		errx(1, "the proxy's answer is another");
}

/* Returns the relay's port, which is on the proxy's own address. */
static unsigned
associate(int fd, const Address *proxy)
{
	static const uint8_t greeting[] = { 5, 1, 0 };
	static const uint8_t request[] = { 5, 3, 0, 1, 0, 0, 0, 0, 0, 0 };
	bool four = proxy->ss.ss_family == AF_INET;
	ssize_t size = (four ? 4 : 16) + 2;
	uint8_t address[16 + 2];

	if (send(fd, greeting, sizeof greeting, 0) < 0 || send(fd, request, sizeof request, 0) < 0)
		err(1, "send");
	expect(fd, four ? "\5\0\5\0\0\1" : "\5\0\5\0\0\4", 6);
	if (recv(fd, address, (size_t)size, MSG_WAITALL) != size)
		errx(1, "the proxy's answer is too short");
	return (unsigned)(address[size - 2] << 8 | address[size - 1]);
}

/* An address of either family, or a name; returns the header's size. */
static size_t
put_header(const char *name, unsigned port)
{
	size_t n = strlen(name);
	size_t at = 4;

	if (n > 255)
		errx(2, "\"%s\" is too long", name);
	memcpy(sent, "\0\0\0\3", 4);
	if (inet_pton(AF_INET, name, sent + at) == 1) {
		sent[3] = 1;
		at += 4;
	} else if (inet_pton(AF_INET6, name, sent + at) == 1) {
		sent[3] = 4;
		at += 16;
	} else {
		sent[at++] = (uint8_t)n;
		memcpy(sent + at, name, n);
		at += n;
	}
	sent[at++] = (uint8_t)(port >> 8);
	sent[at++] = (uint8_t)port;
	return at;
}

static int
socks(char **args)
{
	Address proxy = parse(args[0], number(args[1], 65535));
	int connection = open_socket(&proxy, SOCK_STREAM);
	Address relay = parse(args[0], associate(connection, &proxy));
	int fd = open_socket(&relay, SOCK_DGRAM);

	ask_all(fd, put_header(args[2], number(args[3], 65535)), args + 4);
	return 0;
}

/* --- flows ------------------------------------------------------------------------------------ */

static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Takes an answer of socket i, which must be its own number, whatever has come before; returns 1 if
 * it is the first. */
static unsigned
take_answer(const struct pollfd *pfd, bool *answered, unsigned i)
{
	unsigned answer;
	bool first = !answered[i];

	if ((pfd[i].revents & POLLIN) == 0 ||
	    recv(pfd[i].fd, &answer, sizeof answer, MSG_DONTWAIT) != sizeof answer)
		return 0;
	if (answer != i)
		errx(1, "socket %u got the answer of %u", i, answer);
	answered[i] = true;
	return first;
}

/* The sockets stay open until standard input ends, so that the flows can be looked at. */
static int
flows(const Address *address, unsigned count)
{
	struct pollfd *pfd = calloc(count, sizeof *pfd);
	bool *answered = calloc(count, sizeof *answered);
	unsigned n = 0;
	char byte;

	raise_limit();
	for (unsigned i = 0; i < count; i++)
		pfd[i] = (struct pollfd){ open_socket(address, SOCK_DGRAM), POLLIN, 0 };
	for (int tries = 0; tries < PATIENCE && n < count; tries++) {
		for (unsigned i = 0; i < count; i++) {
			if (!answered[i] && send(pfd[i].fd, &i, sizeof i, 0) < 0)
				err(1, "send");
		}
		while (n < count && poll(pfd, count, AGAIN_MS) > 0) {
			for (unsigned i = 0; i < count; i++)
				n += take_answer(pfd, answered, i);
		}
	}
	printf("answered=%u\n", n);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return n == count ? 0 : 1;
}

/* --- flood ------------------------------------------------------------------------------------ */

/* 40507 and 65535 have no factor in common, so no port comes twice in 65,535 datagrams. */
static int
flood(const char *text, unsigned count)
{
	int fd = -1;

	for (unsigned i = 0; i < count; i++) {
		Address address = parse(text, i * 40507U % 65535 + 1);

		if (fd < 0)
			fd = socket(address.ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		sendto(fd, &i, sizeof i, 0, (struct sockaddr *)&address.ss, address.size);
	}
	printf("sent=%u\n", count);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "echo") == 0 && argc == 3)
		return echo(number(argv[2], 65535));
	if (strcmp(command, "socks") == 0 && argc > 6)
		return socks(argv + 2);
	if (strcmp(command, "flood") == 0 && argc == 4)
		return flood(argv[2], number(argv[3], 65535));
	if (argc < 5)
		errx(2, "see the top of tests/net/udp.c");
	Address address = parse(argv[2], number(argv[3], 65535));
	if (strcmp(command, "flows") == 0)
		return flows(&address, number(argv[4], 60000));
	if (strcmp(command, "ask") != 0)
		errx(2, "no command \"%s\"", command);
	ask_all(open_socket(&address, SOCK_DGRAM), 0, argv + 4);
	return 0;
}
