/* SPDX-License-Identifier: MIT
 *
 * target: the far end of a benchmark's connections.
 *
 *     target echo|source|sink|hold PORT [MBIT]
 *
 * echo     sends back what it receives
 * source   sends the pattern (pattern.h) as fast as it is taken, or at most MBIT (10^6 bits per
 *          second) on each connection
 * sink     checks that it receives the pattern, and reports how much of it: cumulative counts of 8
 *          bytes, big-endian; closes with a reset at the first wrong byte
 * hold     accepts and never reads: a destination that has stopped
 *
 * IPv4, one thread for all connections: 10,000 idle ones are part of a benchmark and must not cost
 * the machine more here than in what is measured.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/pattern.h"

/* Bytes between two reports of a sink: fine enough for a phase of a second at 10 Mbit/s. */
#define REPORT_EVERY 65536

typedef struct {
	int fd;
	uint64_t bytes;    /* sent by source, received by sink */
	uint64_t reported; /* of them, by sink */
} Connection;

/* Serves what poll has said; FALSE when the connection is over. */
typedef bool (*ServeFunc)(Connection *connection);

static char buf[PATTERN_CHUNK];
static uint32_t pace; /* bytes per second, 0 for no limit */

/* A socket that takes nothing now is no failure. */
static bool
again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static bool
serve_echo(Connection *connection)
{
	ssize_t n = recv(connection->fd, buf, sizeof buf, 0);
	if (n <= 0)
		return n < 0 && again();
	/* Whoever asks waits for the answer, so there is room for it. */
	return send(connection->fd, buf, n, MSG_NOSIGNAL) == n;
}

static bool
serve_source(Connection *connection)
{
	ssize_t n =
	    send(connection->fd, pattern_at(connection->bytes), PATTERN_CHUNK, MSG_NOSIGNAL);
	if (n < 0)
		return again();
	connection->bytes += n;
	return true;
}

static bool
report(Connection *connection)
{
	uint64_t count = htobe64(connection->bytes);

	if (connection->bytes - connection->reported < REPORT_EVERY)
		return true;
	ssize_t n = send(connection->fd, &count, sizeof count, MSG_NOSIGNAL);
	if (n < 0)
		return again(); /* a later count says it, too */
	connection->reported = connection->bytes;
	return n == sizeof count;
}

static bool
serve_sink(Connection *connection)
{
	ssize_t n = recv(connection->fd, buf, sizeof buf, 0);
	if (n <= 0)
		return n < 0 && again();
	if (!pattern_matches(connection->bytes, buf, n)) {
		struct linger reset = { 1, 0 };
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		warnx("wrong bytes after %llu", (unsigned long long)connection->bytes);
		return false;
	}
	connection->bytes += n;
	return report(connection);
}

static const struct {
	const char *name;
	ServeFunc serve;
	uint32_t events;
} modes[] = {
	{ "echo", serve_echo, EPOLLIN },
	{ "source", serve_source, EPOLLOUT },
	{ "sink", serve_sink, EPOLLIN },
	{ "hold", NULL, 0 }, /* errors are always told, and end it */
};

static int
listen_on(int port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 4096) < 0)
		err(2, "port %d", port);
	return fd;
}

static void
watch(int epoll, Connection *connection, uint32_t events)
{
	struct epoll_event event = { events, { .ptr = connection } };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		err(2, "epoll");
}

static void
accept_one(int epoll, int listener, uint32_t events)
{
	int one = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (!again() && errno != ECONNABORTED)
			err(2, "accept");
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (pace)
		setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &pace, sizeof pace);
	Connection *connection = calloc(1, sizeof *connection);
	connection->fd = fd;
	watch(epoll, connection, events);
}

static void
serve_all(int port, ServeFunc serve, uint32_t events)
{
	Connection listener = { .fd = listen_on(port) };
	struct epoll_event ready[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll, &listener, EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, ready, sizeof ready / sizeof ready[0], -1);
		for (int i = 0; i < n; i++) {
			Connection *connection = ready[i].data.ptr;
			if (connection == &listener) {
				accept_one(epoll, listener.fd, events);
			} else if (!serve || !serve(connection)) {
				close(connection->fd);
				free(connection);
			}
		}
	}
}

int
main(int argc, char **argv)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	pattern_init();
	if (argc == 4)
		pace = strtoul(argv[3], NULL, 10) * 125000;
	for (size_t i = 0; (argc == 3 || argc == 4) && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			serve_all(atoi(argv[2]), modes[i].serve, modes[i].events);
	errx(2, "usage: target echo|source|sink|hold PORT [MBIT]");
}
