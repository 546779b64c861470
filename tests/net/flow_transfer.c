/* SPDX-License-Identifier: MIT
 *
 * flow_transfer: flow get, put and both.
 */
#include <err.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/flow.h"

typedef struct {
	int fd;
	Run up, down;
	bool ended; /* our direction */
} Transfer;

typedef struct {
	const Options *options;
	int epoll, signals;
	int n_open, n_begun;
	uint64_t bytes; /* of transfers that are over */
	bool stalled, ending;
	Transfer *transfers;
} Client;

static void
watch_transfer(Client *client, Transfer *transfer)
{
	bool sends = transfer->up.offset < transfer->up.size;

	watch(client->epoll, transfer->fd, (sends ? EPOLLOUT : 0) | (client->stalled ? 0 : EPOLLIN),
	      transfer);
}

/* Our direction ends when nothing more is wanted of the other one, so that a download is not
 * half-closed from the beginning. */
static void
end_up(Transfer *transfer)
{
	if (transfer->ended || transfer->up.offset < transfer->up.size ||
	    transfer->down.offset < transfer->down.size)
		return;
	transfer->ended = true;
	shutdown(transfer->fd, SHUT_WR);
}

static void
start_transfer(Client *client, Transfer *transfer, uint64_t seed, uint64_t up, uint64_t down)
{
	char line[128];

	client->n_begun++;
	transfer->ended = false;
	transfer->up = (Run){ .seed = seed, .size = up };
	transfer->down = (Run){ .seed = run_seed_back(seed), .size = down };
	snprintf(line, sizeof line, "run %" PRIu64 " %" PRIu64 " %" PRIu64 "%s\n", seed, up, down,
		 client->stalled && up > 0 ? " wait" : "");
	transfer->fd = connect_to(client->options, line);
	if (transfer->fd < 0)
		return;
	client->n_open++;
	end_up(transfer);
	watch_transfer(client, transfer);
}

/* Does what the socket allows; FALSE when the transfer is over, well or not. */
static bool
step(Client *client, Transfer *transfer, uint32_t events)
{
	if (client->stalled && events & (EPOLLERR | EPOLLHUP)) {
		complain("seed %" PRIu64 ": the connection ended unread", transfer->up.seed);
		return false;
	}
	if (events & EPOLLOUT && !run_send(&transfer->up, transfer->fd))
		return false;
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		RunResult result = run_receive(&transfer->down, transfer->fd);
		if (result == RUN_ENDED && !transfer->ended)
			complain("seed %" PRIu64 ": the end after %" PRIu64 " of %" PRIu64
				 " bytes were sent",
				 transfer->up.seed, transfer->up.offset, transfer->up.size);
		if (result != RUN_GOES_ON)
			return false;
	}
	end_up(transfer);
	return true;
}

static void
run_transfer(Client *client, Transfer *transfer, uint32_t events)
{
	unsigned before = complaints();
	Run up = transfer->up, down = transfer->down;

	if (step(client, transfer, events)) {
		watch_transfer(client, transfer);
		return;
	}
	client->bytes += transfer->up.offset + transfer->down.offset;
	close(transfer->fd);
	transfer->fd = -1;
	client->n_open--;
	if (client->options->repeat && !client->ending && complaints() == before)
		start_transfer(client, transfer, up.seed, up.size, down.size);
}

static void
take_signal(Client *client)
{
	if (next_signal(client->signals) != SIGUSR1) {
		client->ending = true;
		return;
	}
	client->stalled = false;
	for (int i = 0; i < client->options->connections; i++)
		if (client->transfers[i].fd >= 0)
			watch_transfer(client, &client->transfers[i]);
}

void
transfer(const Options *options, uint64_t up, uint64_t down)
{
	Client client = { .options = options,
			  .epoll = epoll_create1(EPOLL_CLOEXEC),
			  .signals = open_signals(),
			  .stalled = options->stalled };
	uint64_t began = now_ms();
	struct epoll_event event;

	client.transfers = calloc(options->connections, sizeof *client.transfers);
	watch(client.epoll, client.signals, EPOLLIN, NULL);
	for (int i = 0; i < options->connections; i++)
		start_transfer(&client, &client.transfers[i], options->seed + i, up, down);
	if (client.stalled)
		puts("waiting");
	while (client.n_open > 0) {
		if (epoll_wait(client.epoll, &event, 1, -1) < 0)
			err(2, "epoll_wait");
		if (event.data.ptr)
			run_transfer(&client, event.data.ptr, event.events);
		else
			take_signal(&client);
	}
	printf("connections=%d bytes=%" PRIu64 " ms=%" PRIu64 " errors=%u\n", client.n_begun,
	       client.bytes, now_ms() - began, complaints());
	free(client.transfers);
}
