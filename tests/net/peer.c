/* SPDX-License-Identifier: MIT
 *
 * peer: the far end of a test's connections.
 *
 *     peer echo|late|flood|hold PORT
 *
 * echo sends back what it receives. late does so too, but only after the end of data. flood sends
 * zeros as fast as they are taken. hold sends one line and waits. Each ends a connection after the
 * application has, and prints "open" and then "end" (ordinary end) or "reset" for it.
 *
 * One thread per connection, on IPv4 and IPv6.
 */
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Serves one connection; TRUE after an ordinary end. */
typedef bool (*ServeFunc)(int fd);

static bool
write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = write(fd, bytes, n);
		if (sent < 0)
			return false;
		bytes += sent;
		n -= sent;
	}
	return true;
}

static bool
serve_echo(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0)
		if (!write_all(fd, buf, n))
			return false;
	return n == 0;
}

static bool
serve_late(int fd)
{
	size_t size = 0, room = 65536;
	char *bytes = malloc(room);
	ssize_t n;

	while ((n = read(fd, bytes + size, room - size)) > 0) {
		size += n;
		if (size == room)
			bytes = realloc(bytes, room *= 2);
	}
	bool ended = n == 0 && write_all(fd, bytes, size);
	free(bytes);
	return ended;
}

static bool
serve_flood(int fd)
{
	static const char zeros[65536];

	while (write_all(fd, zeros, sizeof zeros))
		continue;
	return false;
}

static bool
serve_hold(int fd)
{
	char c;
	ssize_t n = 1;

	if (!write_all(fd, "here\n", 5))
		return false;
	while (n > 0)
		n = read(fd, &c, 1);
	return n == 0;
}

static const struct {
	const char *name;
	ServeFunc serve;
} modes[] = {
	{ "echo", serve_echo },
	{ "late", serve_late },
	{ "flood", serve_flood },
	{ "hold", serve_hold },
};

typedef struct {
	ServeFunc serve;
	int fd;
} Connection;

static void *
run_connection(void *data)
{
	Connection *connection = data;

	puts("open");
	puts(connection->serve(connection->fd) ? "end" : "reset");
	close(connection->fd);
	free(connection);
	return NULL;
}

static int
listen_on(int port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int one = 1, zero = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 4096) < 0)
		err(2, "port %d", port);
	return fd;
}

static void
accept_all(int listener, ServeFunc serve)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	for (;;) {
		Connection *connection = malloc(sizeof *connection);
		pthread_t thread;

		*connection = (Connection){ serve, accept(listener, NULL, NULL) };
		if (connection->fd < 0)
			err(2, "accept");
		if (pthread_create(&thread, &attr, run_connection, connection) != 0)
			errx(2, "no thread left");
	}
}

int
main(int argc, char **argv)
{
	ServeFunc serve = NULL;

	for (size_t i = 0; argc == 3 && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			serve = modes[i].serve;
	if (!serve)
		errx(2, "usage: peer echo|late|flood|hold PORT");
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	accept_all(listen_on(atoi(argv[2])), serve);
}
