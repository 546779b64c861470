/* SPDX-License-Identifier: MIT
 *
 * request: see request.h. The bytes are peeked at, and exactly those that the request used are
 * taken away; SO_RCVLOWAT keeps poll() asleep until there is more than what was seen already.
 */
#include "client/request.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/fd.h"

/* Bytes that are dropped at the end: more than a socket holds that nobody has read from, whose
 * buffer has not grown (tcp_rmem, tcp(7)). Who sends on and on is reset. */
#define DROP_MAX (1024 * 1024)

static void
set_low_water(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* Waits until more than seen bytes can be read, or the end of them. FALSE: no longer. */
static gboolean
wait_for_more(int fd, gsize seen, gint64 deadline, const VpnrLatch *stop)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = POLLIN | POLLRDHUP },
		{ .fd = vpnr_latch_fd(stop), .events = POLLIN },
	};
	int n;

	set_low_water(fd, (int)seen + 1);
	do {
		n = poll(pfd, G_N_ELEMENTS(pfd), vpnr_deadline_left(deadline));
	} while (n < 0 && errno == EINTR);
	set_low_water(fd, 1);
	return n > 0 && pfd[1].revents == 0;
}

/* Replies are shorter than the smallest socket buffer: one that does not fit goes to an application
 * that reads nothing. */
static gboolean
reply(int fd, const GByteArray *bytes)
{
	return bytes->len == 0 ||
	       send(fd, bytes->data, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT) == (gssize)bytes->len;
}

static gboolean
take(int fd, guint8 *scratch, gsize n)
{
	return n == 0 || recv(fd, scratch, n, MSG_DONTWAIT) == (gssize)n;
}

/* One look at what has come. *seen are the bytes that were not enough. */
static VpnrProxyreqResult
look(int fd, VpnrProxyreq *request, gsize *seen, char **why)
{
	guint8 bytes[VPNR_PROXYREQ_MAX];
	g_autoptr(GByteArray) answer = g_byte_array_new();
	gssize got = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	VpnrProxyreqResult result;
	gsize used = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		*seen = 0;
		return VPNR_PROXYREQ_MORE;
	}
	if (got <= 0 || (gsize)got == *seen) {
		*why =
		    g_strdup("the application closed the connection in the middle of its request");
		return VPNR_PROXYREQ_BAD;
	}
	result = vpnr_proxyreq_step(request, bytes, (gsize)got, &used, answer, why);
	*seen = result == VPNR_PROXYREQ_MORE ? (gsize)got : 0;
	if (!take(fd, bytes, used) || !reply(fd, answer)) {
		g_free(*why);
		*why = g_strdup("the application does not take our answer");
		return VPNR_PROXYREQ_BAD;
	}
	return result;
}

gboolean
vpnr_request_read(int fd, int timeout_ms, const VpnrLatch *stop, VpnrProxyreq *request, char **why)
{
	gint64 deadline = vpnr_deadline_after(timeout_ms);
	gsize seen = 0;

	for (;;) {
		if (!wait_for_more(fd, seen, deadline, stop)) {
			*why = g_strdup("no complete request in time");
			return FALSE;
		}
		switch (look(fd, request, &seen, why)) {
		case VPNR_PROXYREQ_REQUEST:
			return TRUE;
		case VPNR_PROXYREQ_BAD:
			return FALSE;
		default:
			break;
		}
	}
}

gboolean
vpnr_request_answer(int fd, const VpnrProxyreq *request, VpnrReason reason)
{
	g_autoptr(GByteArray) answer = g_byte_array_new();

	vpnr_proxyreq_answer(request, reason, answer);
	return reply(fd, answer);
}

gboolean
vpnr_request_answer_associate(int fd, const VpnrAddr *relay)
{
	g_autoptr(GByteArray) answer = g_byte_array_new();

	vpnr_proxyreq_answer_associate(relay, answer);
	return reply(fd, answer);
}

/* A close over bytes that nobody has read is a reset (RFC 2525, section 2.17), which may overtake
 * the answer. */
void
vpnr_request_close(int fd)
{
	guint8 bytes[VPNR_PROXYREQ_MAX];
	guint left = DROP_MAX / sizeof bytes;

	while (left > 0 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		left--;
	vpnr_fd_close(fd);
}
