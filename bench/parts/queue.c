/* SPDX-License-Identifier: MIT
 *
 * queue: see queue.h.
 */
#include "bench/parts/queue.h"

#include <err.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mailbox.h"

typedef struct {
	int in, out;
} Pipe;

static gpointer
make_mailbox(void)
{
	VpnrMailbox *box = vpnr_mailbox_new(NULL, NULL);

	if (box == NULL)
		err(1, "cannot make a mailbox");
	return box;
}

static void
free_mailbox(gpointer queue)
{
	vpnr_mailbox_free(queue);
}

static void
push_mailbox(gpointer queue, gpointer item)
{
	vpnr_mailbox_push(queue, item);
}

static gpointer
try_pop_mailbox(gpointer queue)
{
	return vpnr_mailbox_try_pop(queue);
}

static gpointer
pop_mailbox(gpointer queue)
{
	return vpnr_mailbox_pop(queue, -1);
}

static gpointer
make_async(void)
{
	return g_async_queue_new();
}

static void
free_async(gpointer queue)
{
	g_async_queue_unref(queue);
}

static void
push_async(gpointer queue, gpointer item)
{
	g_async_queue_push(queue, item);
}

static gpointer
try_pop_async(gpointer queue)
{
	return g_async_queue_try_pop(queue);
}

static gpointer
pop_async(gpointer queue)
{
	return g_async_queue_pop(queue);
}

static gpointer
make_eventfd(void)
{
	Pipe *ends = g_new(Pipe, 1);

	ends->in = eventfd(0, EFD_CLOEXEC);
	ends->out = ends->in;
	if (ends->in < 0)
		err(1, "eventfd");
	return ends;
}

static void
free_eventfd(gpointer queue)
{
	const Pipe *ends = queue;

	close(ends->in);
	g_free(queue);
}

static gpointer
make_pipe(void)
{
	Pipe *ends = g_new(Pipe, 1);
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		err(1, "pipe");
	ends->out = fds[0];
	ends->in = fds[1];
	return ends;
}

static void
free_pipe(gpointer queue)
{
	const Pipe *ends = queue;

	close(ends->in);
	close(ends->out);
	g_free(queue);
}

/* Eight bytes, as an eventfd wants them. */
static void
push_fd(gpointer queue, gpointer item)
{
	const Pipe *ends = queue;
	guint64 one = 1;

	if (write(ends->in, &one, sizeof one) != sizeof one)
		err(1, "write");
}

static gpointer
pop_fd(gpointer queue)
{
	const Pipe *ends = queue;
	guint64 n;

	if (read(ends->out, &n, sizeof n) != sizeof n)
		err(1, "read");
	return queue;
}

const QueueClass queue_mailbox = {
	.name = "mailbox",
	.make = make_mailbox,
	.free = free_mailbox,
	.push = push_mailbox,
	.try_pop = try_pop_mailbox,
	.pop = pop_mailbox,
};

const QueueClass queue_async = {
	.name = "GAsyncQueue",
	.make = make_async,
	.free = free_async,
	.push = push_async,
	.try_pop = try_pop_async,
	.pop = pop_async,
};

const QueueClass queue_eventfd = {
	.name = "eventfd",
	.make = make_eventfd,
	.free = free_eventfd,
	.push = push_fd,
	.pop = pop_fd,
};

const QueueClass queue_pipe = {
	.name = "pipe",
	.make = make_pipe,
	.free = free_pipe,
	.push = push_fd,
	.pop = pop_fd,
};
