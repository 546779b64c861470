/* SPDX-License-Identifier: MIT
 *
 * flow_echo: flow echo and idle.
 */
#include <err.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/net/flow.h"

/* The most that one round sends. */
#define ROUND_MAX 1000

/* The run goes through all rounds of the connection: each makes it longer. */
typedef struct {
	int fd;
	Run out, in;
	uint64_t began_ms; /* of the round */
	bool answered;     /* the round is complete */
} Talk;

typedef struct {
	const Options *options;
	int epoll, signals, timer;
	bool by_signal;
	bool ending;
	int n_open;          /* connections */
	int n_asking;        /* of them, in a round */
	unsigned n_answered; /* connections that have completed the present round of idle */
	const char *news;    /* what idle prints after it */
	uint64_t rounds, slowest_ms;
	Talk *talks;
} Client;

static void
watch_talk(Client *client, Talk *talk)
{
	bool sends = talk->out.offset < talk->out.size;

	watch(client->epoll, talk->fd, EPOLLIN | (sends ? EPOLLOUT : 0), talk);
}

static void
begin_round(Client *client, Talk *talk)
{
	talk->out.size += 1 + random() % ROUND_MAX;
	talk->in.size = talk->out.size;
	talk->began_ms = now_ms();
	talk->answered = false;
	client->n_asking++;
	watch_talk(client, talk);
}

/* The next round, of all that have completed the last one. */
static void
begin_rounds(Client *client)
{
	for (int i = 0; i < client->options->connections; i++)
		if (client->talks[i].fd >= 0 && client->talks[i].answered)
			begin_round(client, &client->talks[i]);
}

static void
end_round(Client *client, Talk *talk)
{
	uint64_t took_ms = now_ms() - talk->began_ms;

	talk->answered = true;
	client->n_asking--;
	client->n_answered++;
	client->rounds++;
	if (took_ms > client->slowest_ms)
		client->slowest_ms = took_ms;
	if (client->ending)
		shutdown(talk->fd, SHUT_WR);
}

/* Does what the socket allows; FALSE when the connection is over, well or not. */
static bool
step(Client *client, Talk *talk, uint32_t events)
{
	if (events & EPOLLOUT && !run_send(&talk->out, talk->fd))
		return false;
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		RunResult result = run_receive(&talk->in, talk->fd);
		if (result == RUN_ENDED && !client->ending)
			complain("seed %" PRIu64 ": the end after %" PRIu64 " bytes", talk->in.seed,
				 talk->in.offset);
		if (result != RUN_GOES_ON)
			return false;
	}
	if (!talk->answered && talk->in.offset == talk->in.size)
		end_round(client, talk);
	return true;
}

static void
run_talk(Client *client, Talk *talk, uint32_t events)
{
	if (step(client, talk, events)) {
		watch_talk(client, talk);
		return;
	}
	client->n_asking -= !talk->answered;
	client->n_open--;
	close(talk->fd);
	talk->fd = -1;
}

static void
open_all(Client *client)
{
	const Options *options = client->options;

	for (int i = 0; i < options->connections; i++) {
		Talk *talk = &client->talks[i];
		talk->in.seed = talk->out.seed = options->seed + i;
		talk->fd = connect_to(options, "echo\n");
		if (talk->fd < 0)
			continue;
		client->n_open++;
		begin_round(client, talk);
	}
}

static void
start_timer(Client *client)
{
	int ms = client->options->interval_ms;
	struct timespec interval = { ms / 1000, ms % 1000 * 1000000 };

	client->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(client->timer, 0, &(struct itimerspec){ interval, interval }, NULL);
	watch(client->epoll, client->timer, EPOLLIN, &client->timer);
}

/* Rounds under way are completed first. */
static void
begin_end(Client *client)
{
	client->ending = true;
	for (int i = 0; i < client->options->connections; i++)
		if (client->talks[i].fd >= 0 && client->talks[i].answered)
			shutdown(client->talks[i].fd, SHUT_WR);
}

static void
take_signal(Client *client)
{
	if (next_signal(client->signals) != SIGUSR1)
		begin_end(client);
	else if (client->by_signal && !client->ending)
		begin_rounds(client);
}

static void
take_tick(Client *client)
{
	uint64_t ticks;

	if (read(client->timer, &ticks, sizeof ticks) > 0 && !client->ending)
		begin_rounds(client);
}

/* Says so when all have answered. */
static void
tell_news(Client *client)
{
	if (!client->by_signal || client->n_asking > 0 || client->n_answered == 0)
		return;
	printf("%s %u\n", client->news, client->n_answered);
	client->news = "alive";
	client->n_answered = 0;
}

void
echo(const Options *options, bool by_signal)
{
	Client client = { .options = options,
			  .epoll = epoll_create1(EPOLL_CLOEXEC),
			  .signals = open_signals(),
			  .by_signal = by_signal,
			  .news = "open" };
	struct epoll_event event;

	srandom(options->seed);
	client.talks = calloc(options->connections, sizeof *client.talks);
	watch(client.epoll, client.signals, EPOLLIN, &client.signals);
	open_all(&client);
	if (!by_signal)
		start_timer(&client);
	while (client.n_open > 0) {
		if (epoll_wait(client.epoll, &event, 1, -1) < 0)
			err(2, "epoll_wait");
		if (event.data.ptr == &client.signals)
			take_signal(&client);
		else if (event.data.ptr == &client.timer)
			take_tick(&client);
		else
			run_talk(&client, event.data.ptr, event.events);
		tell_news(&client);
	}
	printf("connections=%d rounds=%" PRIu64 " slowest_ms=%" PRIu64 " errors=%u\n",
	       options->connections, client.rounds, client.slowest_ms, complaints());
	free(client.talks);
}
