/* SPDX-License-Identifier: MIT
 *
 * connect: an application of short connections, or of many that stay open.
 *
 *     connect [-c AT_ONCE] [-w WARMUP] [-t SECONDS] [-k KEEP] ADDRESS PORT
 *
 * AT_ONCE slots (1) each connect to a target's echo, send 64 bytes, wait until the same have come
 * back, close, and begin again. What counts is the whole of it, from connect() to the last byte.
 * Connections end as most do, by close() of the application, which leaves its port waiting
 * (TIME_WAIT): the namespaces are set up for that. After WARMUP seconds that do not count and
 * SECONDS that do, it prints one line of JSON:
 *
 *     {"connections":N,"failed":F,"per_second":R,"total":T,"p50_us":A,"p99_us":B}
 *
 * F: connections that were refused, reset, answered wrongly, or not answered for 10 s; T: all that
 * were answered, the warm-up included.
 *
 * With KEEP no connection is closed, until so many are open and have had their answer:
 *
 *     {"kept":N,"failed":F,"seconds":S}
 *
 * where S is what it took. At SIGTERM it asks once more on each, tells how many have answered
 * within 10 s, {"alive":A}, and closes them. One thread.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/dial.h"
#include "bench/samples.h"

enum {
	SIZE = 64,
	PATIENCE_US = 10000000,
	/* How often a slot that waits is looked at. */
	LOOK_US = 100000,
	/* With KEEP: a peer that refuses this many does not take so many at all. */
	FAILED_MAX = 1000,
};

typedef struct {
	int at_once;
	int keep;
	int64_t warmup_us, length_us;
	Address target;
} Plan;

typedef struct {
	int fd; /* -1: none */
	bool sent;
	size_t received;
	int64_t began_us;
} Slot;

typedef struct {
	int epoll;
	Slot *slots;
	int64_t counts_from_us;
	Samples samples;
	int total, failed;
} Run;

static const char request[SIZE] = "what the target is asked, and answers";

static void
begin(Run *run, Slot *slot, const Plan *plan)
{
	struct epoll_event event = { EPOLLIN | EPOLLOUT, { .ptr = slot } };
	int one = 1;

	*slot = (Slot){ .began_us = now_us() };
	slot->fd = socket(plan->target.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0)
		err(2, "socket");
	setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(slot->fd, (const struct sockaddr *)&plan->target.sa, plan->target.size) < 0 &&
	    errno != EINPROGRESS)
		err(2, "connect"); /* no port is left, or no way: nothing a peer could help */
	if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0)
		err(2, "epoll");
}

static void
end(Slot *slot)
{
	close(slot->fd);
	slot->fd = -1;
}

/* What is there is to be read only, from now on. */
static bool
ask(const Run *run, Slot *slot)
{
	struct epoll_event event = { EPOLLIN, { .ptr = slot } };

	slot->sent = true;
	slot->received = 0;
	epoll_ctl(run->epoll, EPOLL_CTL_MOD, slot->fd, &event);
	return send(slot->fd, request, SIZE, MSG_NOSIGNAL) == SIZE;
}

/* Reads what is there; FALSE if the connection has failed. */
static bool
hear(Slot *slot)
{
	char answer[SIZE];
	ssize_t n = recv(slot->fd, answer, SIZE - slot->received, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0 || memcmp(request + slot->received, answer, n) != 0)
		return false;
	slot->received += n;
	return true;
}

static bool
answered(const Slot *slot)
{
	return slot->received == SIZE;
}

/* FALSE if the connection has failed. */
static bool
serve(const Run *run, Slot *slot)
{
	return slot->sent ? hear(slot) : ask(run, slot);
}

static void
count_answer(Run *run, const Slot *slot)
{
	int64_t now = now_us();

	run->total++;
	if (slot->began_us >= run->counts_from_us)
		samples_add(&run->samples, now - slot->began_us);
}

static void
count_failure(Run *run, const Slot *slot)
{
	run->failed += slot->began_us >= run->counts_from_us;
}

/* Gives up what has waited too long; the slot begins again. */
static void
look(Run *run, const Plan *plan)
{
	int64_t now = now_us();

	for (int i = 0; i < plan->at_once; i++) {
		Slot *slot = &run->slots[i];
		if (now - slot->began_us < PATIENCE_US)
			continue;
		count_failure(run, slot);
		end(slot);
		begin(run, slot, plan);
	}
}

static void
run_short(Run *run, const Plan *plan, int64_t until)
{
	struct epoll_event ready[64];
	int64_t next_look = 0;

	for (int64_t now = now_us(); now < until; now = now_us()) {
		int n = epoll_wait(run->epoll, ready, 64, LOOK_US / 1000);
		for (int i = 0; i < n; i++) {
			Slot *slot = ready[i].data.ptr;
			bool well = serve(run, slot);
			if (well && !answered(slot))
				continue;
			if (well)
				count_answer(run, slot);
			else
				count_failure(run, slot);
			end(slot);
			begin(run, slot, plan);
		}
		if (now >= next_look) {
			look(run, plan);
			next_look = now + LOOK_US;
		}
	}
}

/* A connection that waits still when the time is over has failed if it has waited for a second. */
static void
count_stuck(Run *run, const Plan *plan)
{
	for (int i = 0; i < plan->at_once; i++)
		if (now_us() - run->slots[i].began_us > 1000000)
			count_failure(run, &run->slots[i]);
}

static void
measure_short(Run *run, const Plan *plan)
{
	int64_t began = now_us();

	run->counts_from_us = began + plan->warmup_us;
	for (int i = 0; i < plan->at_once; i++)
		begin(run, &run->slots[i], plan);
	run_short(run, plan, run->counts_from_us + plan->length_us);
	count_stuck(run, plan);

	Samples *samples = &run->samples;
	samples_sort(samples);
	printf("{\"connections\":%zu,\"failed\":%d,\"per_second\":%.1f,\"total\":%d,", samples->n,
	       run->failed, samples->n * 1e6 / plan->length_us, run->total);
	if (samples->n > 0)
		printf("\"p50_us\":%lld,\"p99_us\":%lld}\n",
		       (long long)samples_percentile(samples, 50),
		       (long long)samples_percentile(samples, 99));
	else
		puts("\"p50_us\":null,\"p99_us\":null}");
}

/* Slots are opened in turn, AT_ONCE of them at a time; a slot whose connection has failed is tried
 * again. Returns how many have been answered. */
static int
open_all(Run *run, const Plan *plan)
{
	struct epoll_event ready[64];
	int begun = 0, open = 0;
	int64_t news = now_us();

	while (open < plan->keep && run->failed < FAILED_MAX && now_us() - news < PATIENCE_US) {
		while (begun < plan->keep && begun - open < plan->at_once)
			begin(run, &run->slots[begun++], plan);
		int n = epoll_wait(run->epoll, ready, 64, LOOK_US / 1000);
		for (int i = 0; i < n; i++) {
			Slot *slot = ready[i].data.ptr;
			bool was_open = answered(slot);
			news = now_us();
			if (!was_open && serve(run, slot)) {
				open += answered(slot);
				continue;
			}
			run->failed++;
			open -= was_open;
			end(slot);
			begin(run, slot, plan);
		}
	}
	return open;
}

/* Returns how many answer. */
static int
ask_all(Run *run, const Plan *plan)
{
	struct epoll_event ready[64];
	int asked = 0, alive = 0, lost = 0;
	int64_t until = now_us() + PATIENCE_US;

	for (int i = 0; i < plan->keep; i++) {
		Slot *slot = &run->slots[i];
		if (!answered(slot))
			continue;
		if (ask(run, slot))
			asked++;
		else
			end(slot);
	}
	while (alive + lost < asked && now_us() < until) {
		int n = epoll_wait(run->epoll, ready, 64, LOOK_US / 1000);
		for (int i = 0; i < n; i++) {
			Slot *slot = ready[i].data.ptr;
			bool well = serve(run, slot);
			alive += well && answered(slot);
			lost += !well;
			if (!well)
				end(slot);
		}
	}
	return alive;
}

static void
measure_kept(Run *run, const Plan *plan)
{
	sigset_t ending;
	int signal;
	int64_t began = now_us();

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	int open = open_all(run, plan);
	printf("{\"kept\":%d,\"failed\":%d,\"seconds\":%.3f}\n", open, run->failed,
	       (now_us() - began) / 1e6);
	sigwait(&ending, &signal);
	printf("{\"alive\":%d}\n", ask_all(run, plan));
}

int
main(int argc, char **argv)
{
	Plan plan = { .at_once = 1, .length_us = 10000000 };
	struct rlimit limit;
	int option;

	while ((option = getopt(argc, argv, "c:w:t:k:")) != -1) {
		if (option == 'c')
			plan.at_once = atoi(optarg);
		else if (option == 'w')
			plan.warmup_us = atof(optarg) * 1000000;
		else if (option == 't')
			plan.length_us = atof(optarg) * 1000000;
		else if (option == 'k')
			plan.keep = atoi(optarg);
		else
			return 2;
	}
	if (argc - optind != 2 || plan.at_once < 1)
		errx(2, "usage: connect [-c AT_ONCE] [-w WARMUP] [-t SECONDS] [-k KEEP] "
			"ADDRESS PORT");
	plan.target = address_parse(argv[optind], argv[optind + 1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);

	int slots = plan.keep > plan.at_once ? plan.keep : plan.at_once;
	Run run = { .epoll = epoll_create1(EPOLL_CLOEXEC), .slots = calloc(slots, sizeof(Slot)) };
	if (plan.keep > 0)
		measure_kept(&run, &plan);
	else
		measure_short(&run, &plan);
	free(run.samples.us);
	free(run.slots);
	return 0;
}
