/* SPDX-License-Identifier: MIT
 *
 * flows: an application with large transfers, and how fast they go.
 *
 *     flows [-x PROXY] [-n FLOWS] [-g] [-w WARMUP] [-t SECONDS] down|up|stall ADDRESS PORT
 *
 * down     receives the pattern from a target's source and checks it
 * up       sends the pattern to a target's sink, which checks and counts it
 * stall    neither sends nor receives: with a source an application that has stopped, with an echo
 *          connections that are idle
 *
 * What counts is what has arrived. When all FLOWS are open it prints "open", and "measuring" when
 * WARMUP seconds are over, or with -g at SIGUSR1; after SECONDS more (0: never), or at SIGTERM, one
 * line of JSON:
 *
 *     {"direction":"down","flows":8,"seconds":10.0,"bytes":B,"total":T,"least":L,"most":M}
 *
 * B: bytes while measuring, L and M: the slowest and the fastest flow of them, T: the warm-up
 * included. The status is 1 if a flow has ended or its bytes are wrong. One thread.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/dial.h"
#include "bench/pattern.h"

typedef struct Flow Flow;

typedef struct {
	const char *name;
	uint32_t events;
	void (*serve)(Flow *flow, uint32_t events);
} Direction;

struct Flow {
	int fd;
	uint64_t sent;
	uint64_t arrived;
	uint64_t at_start; /* arrived before measuring began */
	unsigned char count[8];
	size_t have; /* of count */
};

static char buf[PATTERN_CHUNK];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* TRUE if something has moved; a socket that is not ready is no failure. */
static bool
moved(ssize_t n, const Flow *flow)
{
	if (n > 0)
		return true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	errx(1, "a flow has ended after %llu bytes: %s", (unsigned long long)flow->arrived,
	     n == 0 ? "end of data" : strerror(errno));
}

static void
serve_down(Flow *flow, uint32_t events)
{
	(void)events;
	ssize_t n = recv(flow->fd, buf, sizeof buf, 0);
	if (!moved(n, flow))
		return;
	if (!pattern_matches(flow->arrived, buf, n))
		errx(1, "wrong bytes after %llu", (unsigned long long)flow->arrived);
	flow->arrived += n;
}

/* The sink's counts: only the last whole one matters. */
static void
read_counts(Flow *flow)
{
	uint64_t count;
	ssize_t n = recv(flow->fd, buf, sizeof buf, 0);

	if (!moved(n, flow))
		return;
	for (ssize_t i = 0; i < n; i++) {
		flow->count[flow->have++] = buf[i];
		if (flow->have < sizeof flow->count)
			continue;
		memcpy(&count, flow->count, sizeof count);
		flow->arrived = be64toh(count);
		flow->have = 0;
	}
}

static void
serve_up(Flow *flow, uint32_t events)
{
	if (events & ~EPOLLOUT)
		read_counts(flow);
	if (!(events & EPOLLOUT))
		return;
	ssize_t n = send(flow->fd, pattern_at(flow->sent), PATTERN_CHUNK, MSG_NOSIGNAL);
	if (moved(n, flow))
		flow->sent += n;
}

/* Only errors come here. */
static void
serve_stall(Flow *flow, uint32_t events)
{
	(void)flow;
	(void)events;
	errx(1, "a stalled connection has been reset");
}

static const Direction directions[] = {
	{ "down", EPOLLIN, serve_down },
	{ "up", EPOLLIN | EPOLLOUT, serve_up },
	{ "stall", 0, serve_stall },
};

static void
watch(int epoll, int fd, uint32_t events, void *data)
{
	struct epoll_event event = { events, { .ptr = data } };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(2, "epoll");
}

static int
open_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	return signalfd(-1, &wanted, SFD_CLOEXEC);
}

/* Serves all flows until the time, or a signal; FALSE after SIGTERM. until: 0 for never. */
static bool
run_until(double until, int epoll, int signals, const Direction *direction)
{
	struct epoll_event ready[64];
	struct signalfd_siginfo signal;

	for (;;) {
		double left = until - now();
		if (until > 0 && left <= 0)
			return true;
		int n = epoll_wait(epoll, ready, sizeof ready / sizeof ready[0],
				   until > 0 ? (int)(left * 1000) + 1 : -1);
		for (int i = 0; i < n; i++) {
			if (!ready[i].data.ptr)
				return read(signals, &signal, sizeof signal) == sizeof signal &&
				       signal.ssi_signo != SIGTERM;
			direction->serve(ready[i].data.ptr, ready[i].events);
		}
	}
}

/* With a reset: what is under way is not wanted, and nobody is to wait for it. */
static void
close_all(Flow *flows, int n)
{
	const struct linger reset = { 1, 0 };

	for (int i = 0; i < n; i++) {
		setsockopt(flows[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(flows[i].fd);
	}
}

static void
print_result(const Direction *direction, const Flow *flows, int n, double seconds)
{
	uint64_t bytes = 0, total = 0, least = UINT64_MAX, most = 0;

	for (int i = 0; i < n; i++) {
		uint64_t measured = flows[i].arrived - flows[i].at_start;
		total += flows[i].arrived;
		bytes += measured;
		least = measured < least ? measured : least;
		most = measured > most ? measured : most;
	}
	printf("{\"direction\":\"%s\",\"flows\":%d,\"seconds\":%.3f,\"bytes\":%llu,\"total\":%llu,"
	       "\"least\":%llu,\"most\":%llu}\n",
	       direction->name, n, seconds, (unsigned long long)bytes, (unsigned long long)total,
	       (unsigned long long)least, (unsigned long long)most);
}

/* warmup: below 0 until SIGUSR1 */
static void
measure(const Direction *direction, Flow *flows, int n, double warmup, double seconds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), signals = open_signals();

	watch(epoll, signals, EPOLLIN, NULL);
	for (int i = 0; i < n; i++)
		watch(epoll, flows[i].fd, direction->events, &flows[i]);

	puts("open");
	bool go_on =
	    warmup == 0 || run_until(warmup > 0 ? now() + warmup : 0, epoll, signals, direction);
	double began = now();
	for (int i = 0; i < n; i++)
		flows[i].at_start = flows[i].arrived;
	puts("measuring");
	if (go_on)
		run_until(seconds > 0 ? began + seconds : 0, epoll, signals, direction);
	print_result(direction, flows, n, now() - began);
}

static const Direction *
find_direction(const char *name)
{
	for (size_t i = 0; i < sizeof directions / sizeof directions[0]; i++)
		if (strcmp(name, directions[i].name) == 0)
			return &directions[i];
	errx(2, "\"%s\" is none of down, up, stall", name);
}

int
main(int argc, char **argv)
{
	Address proxy = { 0 };
	int n = 1, option;
	double warmup = 0, seconds = 0;
	struct rlimit limit;

	while ((option = getopt(argc, argv, "x:n:gw:t:")) != -1) {
		if (option == 'x')
			proxy = address_parse_pair(optarg);
		else if (option == 'n')
			n = atoi(optarg);
		else if (option == 'g')
			warmup = -1;
		else if (option == 'w')
			warmup = atof(optarg);
		else if (option == 't')
			seconds = atof(optarg);
		else
			return 2;
	}
	if (argc - optind != 3 || n < 1)
		errx(2, "usage: flows [-x PROXY] [-n FLOWS] [-g] [-w WARMUP] [-t SECONDS] "
			"down|up|stall ADDRESS PORT");
	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	pattern_init();

	const Direction *direction = find_direction(argv[optind]);
	const Address target = address_parse(argv[optind + 1], argv[optind + 2]);
	Flow *flows = calloc(n, sizeof *flows);
	for (int i = 0; i < n; i++)
		flows[i].fd = dial(&target, proxy.size > 0 ? &proxy : NULL);
	measure(direction, flows, n, warmup, seconds);
	close_all(flows, n);
	free(flows);
	return 0;
}
