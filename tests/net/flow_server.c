/* SPDX-License-Identifier: MIT
 *
 * flow_server: the far end of flow's connections; flow.c has its protocol.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/flow.h"

typedef struct Connection Connection;

/* Does what the epoll events allow; FALSE when the connection is over and fd closed. */
typedef bool (*StepFunc)(Connection *connection, uint32_t events);

struct Connection {
	int fd;
	StepFunc step;
	Run in, out;
	bool ended;    /* everything has been received, and the end */
	bool waiting;  /* for SIGUSR1, before it receives */
	uint8_t *held; /* of an echo: received and not yet sent */
	size_t n_held;
	Connection *next; /* in `waiters` */
};

typedef struct {
	int epoll, listener, signals;
	unsigned served;
	Connection *waiters;
} Server;

static bool
end_connection(Connection *connection, bool in_order)
{
	if (in_order)
		close(connection->fd);
	else
		abort_connection(connection->fd);
	return false;
}

static uint32_t
wanted_events(const Connection *connection)
{
	bool sends = connection->out.offset < connection->out.size || connection->n_held > 0;
	bool receives = !connection->ended && !connection->waiting && connection->n_held == 0;

	return (sends ? EPOLLOUT : 0) | (receives ? EPOLLIN : 0);
}

static bool
step_run(Connection *connection, uint32_t events)
{
	Run *in = &connection->in, *out = &connection->out;

	if (connection->waiting && events & (EPOLLERR | EPOLLHUP)) {
		complain("seed %" PRIu64 ": the connection ended unread", in->seed);
		return end_connection(connection, false);
	}
	if (events & EPOLLOUT && !run_send(out, connection->fd))
		return end_connection(connection, false);
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && !connection->ended) {
		RunResult result = run_receive(in, connection->fd);
		if (result == RUN_FAILED)
			return end_connection(connection, false);
		connection->ended = result == RUN_ENDED;
	}
	if (connection->ended && out->offset == out->size)
		return end_connection(connection, true);
	return true;
}

/* Sends what is held; keeps what the socket does not take. */
static bool
send_held(Connection *connection)
{
	ssize_t sent = send(connection->fd, connection->held, connection->n_held, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN) {
		complain("an echo, sending: %s", strerror(errno));
		return false;
	}
	if (sent > 0) {
		connection->n_held -= sent;
		memmove(connection->held, connection->held + sent, connection->n_held);
	}
	if (connection->n_held == 0) {
		free(connection->held);
		connection->held = NULL;
	}
	return true;
}

static bool
step_echo(Connection *connection, uint32_t events)
{
	static uint8_t buf[65536];
	ssize_t n;

	(void)events;
	if (connection->n_held > 0)
		return send_held(connection) || end_connection(connection, false);
	n = recv(connection->fd, buf, sizeof buf, 0);
	if (n == 0)
		return end_connection(connection, true);
	if (n < 0 && errno == EAGAIN)
		return true;
	if (n < 0) {
		complain("an echo, receiving: %s", strerror(errno));
		return end_connection(connection, false);
	}
	connection->held = malloc(n);
	connection->n_held = n;
	memcpy(connection->held, buf, n);
	return send_held(connection) || end_connection(connection, false);
}

/* Decides by the line what the connection is for. */
static bool
read_line(Connection *connection, uint32_t events)
{
	char line[128] = "", wait[8] = "";
	ssize_t n = recv(connection->fd, line, sizeof line - 1, MSG_PEEK);
	char *end = n > 0 ? memchr(line, '\n', n) : NULL;
	Run *in = &connection->in, *out = &connection->out;

	(void)events;
	if (n > 0 && !end && n < (ssize_t)sizeof line - 1)
		return true;
	if (!end) {
		complain("a connection without a request: %s", n < 0 ? strerror(errno) : "the end");
		return end_connection(connection, false);
	}
	recv(connection->fd, line, end + 1 - line, 0);
	*end = '\0';
	if (strcmp(line, "echo") == 0) {
		connection->step = step_echo;
	} else if (sscanf(line, "run %" SCNu64 " %" SCNu64 " %" SCNu64 " %7s", &in->seed, &in->size,
			  &out->size, wait) >= 3) {
		out->seed = run_seed_back(in->seed);
		connection->waiting = strcmp(wait, "wait") == 0;
		connection->step = step_run;
	} else {
		complain("\"%s\" is no request", line);
		return end_connection(connection, false);
	}
	return true;
}

static void
run_step(Server *server, Connection *connection, uint32_t events)
{
	bool waited = connection->waiting;

	if (!connection->step(connection, events)) {
		free(connection->held);
		/* One that waits is freed by wake_all(), which finds it in the list. */
		connection->step = NULL;
		if (!waited)
			free(connection);
		return;
	}
	if (connection->waiting && !waited) {
		connection->next = server->waiters;
		server->waiters = connection;
		keep_small(connection->fd);
		printf("waiting %" PRIu64 "\n", connection->in.seed);
	}
	watch(server->epoll, connection->fd, wanted_events(connection), connection);
}

/* SIGUSR1: those that have received nothing begin to. */
static void
wake_all(Server *server)
{
	while (server->waiters) {
		Connection *connection = server->waiters;
		server->waiters = connection->next;
		connection->waiting = false;
		if (connection->step)
			watch(server->epoll, connection->fd, wanted_events(connection), connection);
		else
			free(connection);
	}
}

static void
accept_one(Server *server)
{
	Connection *connection = calloc(1, sizeof *connection);

	connection->fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (connection->fd < 0)
		err(2, "accept");
	connection->step = read_line;
	server->served++;
	watch(server->epoll, connection->fd, EPOLLIN, connection);
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

void
serve(const Options *options)
{
	Server server = { .epoll = epoll_create1(EPOLL_CLOEXEC), .signals = open_signals() };
	struct epoll_event event;

	server.listener = listen_on(atoi(options->port));
	watch(server.epoll, server.listener, EPOLLIN, &server.listener);
	watch(server.epoll, server.signals, EPOLLIN, &server.signals);
	for (;;) {
		if (epoll_wait(server.epoll, &event, 1, -1) < 0)
			err(2, "epoll_wait");
		if (event.data.ptr == &server.listener)
			accept_one(&server);
		else if (event.data.ptr != &server.signals)
			run_step(&server, event.data.ptr, event.events);
		else if (next_signal(server.signals) == SIGUSR1)
			wake_all(&server);
		else
			break;
	}
	printf("served=%u errors=%u\n", server.served, complaints());
}
