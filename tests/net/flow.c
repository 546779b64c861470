/* SPDX-License-Identifier: MIT
 *
 * flow: connections whose every byte is checked.
 *
 *     flow serve PORT
 *     flow get|put|both [-n CONNECTIONS] [-s SEED] [-r] [-w] [-x PORT] HOST PORT SIZE
 *     flow echo [-n CONNECTIONS] [-s SEED] [-i MS] [-x PORT] HOST PORT
 *     flow idle [-n CONNECTIONS] [-s SEED] [-x PORT] HOST PORT
 *
 * serve is the far end of all others, on IPv4 and IPv6. A connection begins with a line:
 *
 *     run SEED UP DOWN [wait]     It receives UP bytes and sends DOWN. With "wait" it prints
 *                                 "waiting SEED" and receives none until SIGUSR1. When it has sent
 *                                 all, and received all and the end behind it, it ends the
 *                                 connection; if a byte is wrong, it resets it.
 *     echo                        It sends back what comes, until the end.
 *
 * SIGTERM makes it print "served=N errors=E" and end.
 *
 * get, put and both transfer SIZE bytes on each connection, down, up, or both ways at once, and
 * print "connections=N bytes=B ms=T errors=E". -r: each transfer is followed by another one, until
 * SIGTERM. -w: nobody receives until SIGUSR1, neither this program, which prints "waiting", nor the
 * server (which needs a SIGUSR1 of its own); and the kernel receives little in their place.
 *
 * echo sends 1 to 1,000 bytes on each connection and waits for them to come back, again and again,
 * MS milliseconds (50) or more from one beginning to the next. SIGTERM makes it finish its rounds,
 * end the connections in order and print "connections=N rounds=R slowest_ms=T errors=E". idle does
 * the same, but each round waits for a SIGUSR1; after the first, which waits for none, it prints
 * "open N", and after each later one "alive N", with N the connections that have answered.
 *
 * -s: the seed of the first connection, 1 unless told otherwise; those after it count on. -x: by
 * way of a SOCKS5 proxy on the loopback. Each error (a refusal, a reset, an early end, a wrong
 * byte) is a line, "error: ...", on standard output, and makes the exit status 1. Nothing here has
 * a time limit.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/net/flow.h"

static unsigned n_complaints;

void
complain(const char *format, ...)
{
	va_list args;

	n_complaints++;
	va_start(args, format);
	fputs("error: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

unsigned
complaints(void)
{
	return n_complaints;
}

uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
watch(int epoll, int fd, uint32_t events, void *data)
{
	struct epoll_event event = { .events = events, .data.ptr = data };

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0 &&
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(2, "epoll_ctl");
}

int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int
next_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof info) != sizeof info)
		err(2, "signalfd");
	return info.ssi_signo;
}

void
abort_connection(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

void
keep_small(int fd)
{
	int bytes = 65536;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/* --- connecting ------------------------------------------------------------------------------- */

static socklen_t
parse_address(const char *host, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		return sizeof *in4;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof *in6;
	}
	errx(2, "\"%s\" is not an address", host);
}

/* RFC 1928: one greeting without authentication, one request by IPv4 address. */
static bool
ask_proxy(int fd, const Options *options)
{
	uint8_t request[10] = { 5, 1, 0, 1 }, answer[10];
	uint16_t port = htons(atoi(options->port));

	if (inet_pton(AF_INET, options->host, request + 4) != 1)
		errx(2, "-x needs an IPv4 address");
	memcpy(request + 8, &port, 2);
	if (send(fd, "\5\1\0", 3, MSG_NOSIGNAL) != 3 || recv(fd, answer, 2, MSG_WAITALL) != 2 ||
	    answer[1] != 0)
		return false;
	return send(fd, request, 10, MSG_NOSIGNAL) == 10 &&
	       recv(fd, answer, 10, MSG_WAITALL) == 10 && answer[1] == 0;
}

int
connect_to(const Options *options, const char *line)
{
	const char *host = options->socks ? "127.0.0.1" : options->host;
	struct sockaddr_storage ss;
	socklen_t size =
	    parse_address(host, options->socks ? options->socks : atoi(options->port), &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(2, "socket");
	if (options->stalled)
		keep_small(fd);
	if (connect(fd, (struct sockaddr *)&ss, size) < 0)
		complain("connecting: %s", strerror(errno));
	else if (options->socks && !ask_proxy(fd, options))
		complain("the proxy does not connect");
	else if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		complain("asking: %s", strerror(errno));
	else {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	close(fd);
	return -1;
}

/* --- the command line ------------------------------------------------------------------------- */

static const char usage[] =
    "usage: flow serve PORT\n"
    "       flow get|put|both [-n N] [-s SEED] [-r] [-w] [-x PORT] HOST PORT SIZE\n"
    "       flow echo|idle [-n N] [-s SEED] [-i MS] [-x PORT] HOST PORT\n";

/* A number of bytes: K, M and G count in 1,024, as for head -c. */
static uint64_t
parse_size(const char *text)
{
	char *end;
	uint64_t size = strtoull(text, &end, 10);
	const char *units = "KMG", *unit = strchr(units, *end);

	if (*end && unit)
		size <<= 10 * (unit - units + 1);
	return size;
}

static Options
parse_options(int argc, char **argv)
{
	Options options = { .connections = 1, .seed = 1, .interval_ms = 50 };
	int option;

	while ((option = getopt(argc, argv, "n:s:i:x:rw")) != -1) {
		if (option == 'n')
			options.connections = atoi(optarg);
		else if (option == 's')
			options.seed = strtoull(optarg, NULL, 10);
		else if (option == 'i')
			options.interval_ms = atoi(optarg);
		else if (option == 'x')
			options.socks = atoi(optarg);
		else if (option == 'r')
			options.repeat = true;
		else if (option == 'w')
			options.stalled = true;
		else
			exit(2);
	}
	return options;
}

/* Many connections need many descriptors. */
static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	Options options = parse_options(argc - 1, argv + 1);
	char **rest = argv + 1 + optind;
	int n = argc - 1 - optind;
	bool down = strcmp(verb, "get") == 0 || strcmp(verb, "both") == 0;
	bool up = strcmp(verb, "put") == 0 || strcmp(verb, "both") == 0;
	bool by_signal = strcmp(verb, "idle") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	raise_limit();
	if (strcmp(verb, "serve") == 0 && n == 1) {
		options.port = rest[0];
		serve(&options);
	} else if ((up || down) && n == 3) {
		uint64_t size = parse_size(rest[2]);
		options.host = rest[0];
		options.port = rest[1];
		transfer(&options, up ? size : 0, down ? size : 0);
	} else if ((by_signal || strcmp(verb, "echo") == 0) && n == 2) {
		options.host = rest[0];
		options.port = rest[1];
		echo(&options, by_signal);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return complaints() == 0 ? 0 : 1;
}
