/* SPDX-License-Identifier: MIT
 *
 * accept: see accept.h. Everything from accept_run() up happens on the accept thread.
 */
#include "base/accept.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/thread.h"

/* Milliseconds until the next try after accept() failed for want of descriptors or memory: what is
 * missing comes back when a stream ends, and nothing tells us when that is. */
#define RETRY_MS 100

struct VpnrAccept {
	/* const after start */
	int fd;
	const char *name;
	VpnrAcceptFunc func;
	gpointer data;
	VpnrLatch *stop;
	VpnrThread *thread;
	/* accept thread */
	gboolean starved; /* accept() found no descriptor, and has not yet accepted all */
};

/* The errors of the connection itself (accept(2)) concern nobody else; the others last, however
 * many connections get a descriptor meanwhile that was free for a moment, and are told of once. */
static void
on_accept_error(VpnrAccept *acceptor, int err)
{
	if (err == EAGAIN)
		acceptor->starved = FALSE;
	if (err == EAGAIN || err == EINTR || err == ECONNABORTED)
		return;
	if (!acceptor->starved)
		vpnr_log(VPNR_LOG_WARN, "cannot accept connections: %s", g_strerror(err));
	acceptor->starved = TRUE;
	vpnr_latch_wait(acceptor->stop, RETRY_MS);
}

/* FALSE: no connection was there, or none could be had. */
static gboolean
accept_one(VpnrAccept *acceptor)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	int fd = accept4(acceptor->fd, (struct sockaddr *)&ss, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	VpnrAddr peer;

	if (fd < 0) {
		on_accept_error(acceptor, errno);
		return FALSE;
	}
	peer = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	acceptor->func(fd, &peer, acceptor->data);
	return TRUE;
}

/* Where connections come quickly, several wait: one poll() is enough for all of them. */
static void
accept_all(VpnrAccept *acceptor)
{
	while (!vpnr_latch_is_tripped(acceptor->stop))
		if (!accept_one(acceptor))
			return;
}

static void
accept_run(gpointer data)
{
	VpnrAccept *acceptor = data;

	while (!vpnr_latch_is_tripped(acceptor->stop)) {
		struct pollfd pfd[2] = {
			{ .fd = acceptor->fd, .events = POLLIN },
			{ .fd = vpnr_latch_fd(acceptor->stop), .events = POLLIN },
		};

		if (poll(pfd, G_N_ELEMENTS(pfd), -1) > 0 && pfd[0].revents != 0)
			accept_all(acceptor);
	}
}

VpnrAccept *
vpnr_accept_new(int fd, const char *name, VpnrAcceptFunc func, gpointer data)
{
	VpnrAccept *acceptor = g_new0(VpnrAccept, 1);

	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	acceptor->fd = fd;
	acceptor->name = name;
	acceptor->func = func;
	acceptor->data = data;
	return acceptor;
}

gboolean
vpnr_accept_start(VpnrAccept *acceptor, GError **error)
{
	acceptor->stop = vpnr_latch_new(error);
	if (acceptor->stop == NULL)
		return FALSE;
	acceptor->thread = vpnr_thread_start(acceptor->name, accept_run, acceptor, error);
	return acceptor->thread != NULL;
}

void
vpnr_accept_stop(VpnrAccept *acceptor)
{
	if (acceptor == NULL)
		return;
	if (acceptor->stop != NULL)
		vpnr_latch_trip(acceptor->stop);
	vpnr_thread_join(acceptor->thread);
	vpnr_latch_free(acceptor->stop);
	vpnr_fd_close(acceptor->fd);
	g_free(acceptor);
}
