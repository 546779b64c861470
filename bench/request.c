/* SPDX-License-Identifier: MIT
 *
 * request: an application that asks and waits, and how long it waits.
 *
 *     request [-x PROXY] [-c CONNECTIONS] [-i INTERVAL_MS] [-s SIZE] [-w WARMUP] [-t SECONDS]
 *             ADDRESS PORT
 *
 * Opens CONNECTIONS to a target's echo. On each of them a request of SIZE bytes goes out every
 * INTERVAL_MS, or as soon as the answer to the one before is there if that takes longer; the answer
 * is the same bytes, and is checked. What counts is the time from send() to the last byte of the
 * answer. After WARMUP seconds that do not count and SECONDS that do, it prints one line of JSON:
 *
 *     {"samples":N,"per_second":R,"p50_us":A,"p99_us":B,"max_us":C}
 *
 * Every sample is kept, so the percentiles are exact (nearest rank). A request that is not answered
 * when the time is over counts with its age if that is above the median: leaving out the slowest
 * would flatter whoever never answers. Without an interval (-i 0) each connection asks as soon as
 * it has its answer, and R, the answers per second, is what the way can do. One thread.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/dial.h"
#include "bench/samples.h"

typedef struct {
	int connections;
	int64_t interval_us;
	size_t size;
	int64_t warmup_us, length_us;
} Plan;

typedef struct {
	bool waiting;    /* for an answer */
	int64_t sent_us; /* when the request went out */
	int64_t due_us;  /* when the next one may */
	uint64_t number; /* of the request, and its first 8 bytes */
	size_t received; /* of the answer */
} Asker;

static char *request, *answer;

static void
ask(int fd, Asker *asker, const Plan *plan, int64_t now)
{
	asker->number++;
	memcpy(request, &asker->number, sizeof asker->number);
	if (send(fd, request, plan->size, MSG_NOSIGNAL) != (ssize_t)plan->size)
		err(1, "send");
	asker->waiting = true;
	asker->received = 0;
	asker->sent_us = now;
	asker->due_us = now + plan->interval_us;
}

/* Reads what is there; TRUE when the answer is complete. */
static bool
hear(int fd, Asker *asker, const Plan *plan)
{
	ssize_t n = recv(fd, answer, plan->size - asker->received, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		errx(1, "a connection has ended: %s", n == 0 ? "end of data" : strerror(errno));
	memcpy(request, &asker->number, sizeof asker->number);
	if (memcmp(request + asker->received, answer, n) != 0)
		errx(1, "the answer is not the request");
	asker->received += n;
	asker->waiting = asker->received < plan->size;
	return !asker->waiting;
}

/* Sends what is due; returns how long until the next is. */
static int64_t
ask_all(const struct pollfd *fds, Asker *askers, const Plan *plan)
{
	int64_t now = now_us(), wait = 1000000;

	for (int i = 0; i < plan->connections; i++) {
		if (!askers[i].waiting && askers[i].due_us <= now)
			ask(fds[i].fd, &askers[i], plan, now);
		if (!askers[i].waiting && askers[i].due_us - now < wait)
			wait = askers[i].due_us - now;
	}
	return wait;
}

static void
run(struct pollfd *fds, Asker *askers, const Plan *plan, Samples *samples)
{
	int64_t counts_from = now_us() + plan->warmup_us;
	int64_t until = counts_from + plan->length_us;

	while (now_us() < until) {
		int64_t wait = ask_all(fds, askers, plan);
		struct timespec timeout = { wait / 1000000, wait % 1000000 * 1000 };
		if (ppoll(fds, plan->connections, &timeout, NULL) <= 0)
			continue;
		int64_t now = now_us();
		for (int i = 0; i < plan->connections; i++)
			if (fds[i].revents && hear(fds[i].fd, &askers[i], plan) &&
			    askers[i].sent_us >= counts_from)
				samples_add(samples, now - askers[i].sent_us);
	}
}

/* The samples must be sorted, and are again afterwards. */
static void
add_unanswered(Samples *samples, const Asker *askers, const Plan *plan)
{
	int64_t now = now_us(), median = samples->n ? samples_percentile(samples, 50) : 0;

	for (int i = 0; i < plan->connections; i++)
		if (askers[i].waiting && now - askers[i].sent_us > median)
			samples_add(samples, now - askers[i].sent_us);
	samples_sort(samples);
}

static void
measure(const Plan *plan, const Address *target, const Address *proxy)
{
	struct pollfd *fds = calloc(plan->connections, sizeof *fds);
	Asker *askers = calloc(plan->connections, sizeof *askers);
	Samples samples = { 0 };

	for (int i = 0; i < plan->connections; i++) {
		fds[i] = (struct pollfd){ dial(target, proxy), POLLIN, 0 };
		/* Their requests spread over the interval, so that none waits for another. */
		askers[i].due_us = now_us() + plan->interval_us * i / plan->connections;
	}
	run(fds, askers, plan, &samples);
	size_t answered = samples.n;
	samples_sort(&samples);
	add_unanswered(&samples, askers, plan);
	if (samples.n == 0)
		errx(1, "no request was sent in time");
	printf("{\"samples\":%zu,\"per_second\":%.0f,\"p50_us\":%lld,\"p99_us\":%lld,"
	       "\"max_us\":%lld}\n",
	       samples.n, answered * 1e6 / plan->length_us,
	       (long long)samples_percentile(&samples, 50),
	       (long long)samples_percentile(&samples, 99), (long long)samples.us[samples.n - 1]);
	free(samples.us);
	free(askers);
	free(fds);
}

int
main(int argc, char **argv)
{
	Plan plan = { 1, 10000, 1024, 0, 10000000 };
	Address proxy = { 0 };
	int option;

	while ((option = getopt(argc, argv, "x:c:i:s:w:t:")) != -1) {
		if (option == 'x')
			proxy = address_parse_pair(optarg);
		else if (option == 'c')
			plan.connections = atoi(optarg);
		else if (option == 'i')
			plan.interval_us = atof(optarg) * 1000;
		else if (option == 's')
			plan.size = atoi(optarg);
		else if (option == 'w')
			plan.warmup_us = atof(optarg) * 1000000;
		else if (option == 't')
			plan.length_us = atof(optarg) * 1000000;
		else
			return 2;
	}
	if (argc - optind != 2 || plan.connections < 1 || plan.size < sizeof(uint64_t))
		errx(2, "usage: request [-x PROXY] [-c CONNECTIONS] [-i INTERVAL_MS] [-s SIZE] "
			"[-w WARMUP] [-t SECONDS] ADDRESS PORT");
	request = calloc(1, plan.size);
	answer = calloc(1, plan.size);

	const Address target = address_parse(argv[optind], argv[optind + 1]);
	measure(&plan, &target, proxy.size > 0 ? &proxy : NULL);
	free(request);
	free(answer);
	return 0;
}
