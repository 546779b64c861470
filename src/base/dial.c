/* SPDX-License-Identifier: MIT
 *
 * dial: several connect() at once, in one poll() on the thread that asked. Nothing is shared.
 */
#include "base/dial.h"

#include <errno.h>
#include <poll.h>

#include "base/deadline.h"
#include "base/fd.h"

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_dial_error_quark(void)
{
	return g_quark_from_static_string("vpnr-dial-error");
}

typedef struct {
	const VpnrAddr *addrs;
	gsize n;
	const VpnrDialOptions *options;
	gint64 deadline;
	struct pollfd *pollfds; /* one for each address, fd -1 unless it is pending; then cancel */
	gsize n_pending;
	gsize next;     /* the address that is tried next */
	gint64 next_at; /* not before this, unless nothing is pending */
	GError *first_error;
} Dial;

static VpnrDialError
error_code(int error_number)
{
	switch (error_number) {
	case ECONNREFUSED:
		return VPNR_DIAL_ERROR_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL: /* no address of ours in that family; TCP: or no port of ours is left */
	case EAFNOSUPPORT:
	case ENOPROTOOPT: /* ICMP "protocol unreachable" */
	case EACCES:
	case EPERM: /* the firewall of this machine */
		return VPNR_DIAL_ERROR_UNREACHABLE;
	case ETIMEDOUT:
		return VPNR_DIAL_ERROR_TIMED_OUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN: /* UDP: no port of ours is left */
		return VPNR_DIAL_ERROR_LIMIT;
	default:
		return VPNR_DIAL_ERROR_FAILED;
	}
}

/* Of a socket that could not be made: EPERM is about the mark here, not about the address. */
static VpnrDialError
socket_error_code(int error_number)
{
	VpnrDialError code = error_code(error_number);

	return code == VPNR_DIAL_ERROR_LIMIT || error_number == EAFNOSUPPORT
		   ? code
		   : VPNR_DIAL_ERROR_FAILED;
}

static void
set_error(GError **error, const VpnrAddr *addr, VpnrDialError code, const char *reason)
{
	char text[VPNR_ADDR_STRLEN];

	g_set_error(error, VPNR_DIAL_ERROR, (int)code, "cannot connect to %s: %s",
		    vpnr_addr_format(addr, text), reason);
}

/* Only the first failure is reported. The next address need not wait any longer. */
static void
note_failure(Dial *dial, gsize i, VpnrDialError code, int error_number)
{
	if (dial->first_error == NULL)
		set_error(&dial->first_error, &dial->addrs[i], code, g_strerror(error_number));
	dial->next_at = 0;
}

/* A mark that cannot be set is an error of its own: without it the connection could be captured
 * and come back to us. */
static int
open_socket(const Dial *dial, const struct sockaddr_storage *ss)
{
	int type = dial->options->udp ? SOCK_DGRAM : SOCK_STREAM;
	g_auto(VpnrFd) fd = socket(ss->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !vpnr_fd_set_mark(fd, dial->options->mark))
		return -1;
	vpnr_fd_set_nodelay(fd);
	return vpnr_fd_steal(&fd);
}

/* Begins with dial->next. TRUE if it is connected at once. */
static gboolean
start_next(Dial *dial)
{
	gsize i = dial->next++;
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(&dial->addrs[i], &ss);
	g_auto(VpnrFd) fd = open_socket(dial, &ss);
	gboolean connected;

	dial->next_at = vpnr_deadline_after(VPNR_DIAL_STAGGER_MS);
	if (fd < 0) {
		note_failure(dial, i, socket_error_code(errno), errno);
		return FALSE;
	}
	connected = connect(fd, (struct sockaddr *)&ss, length) == 0;
	if (!connected && errno != EINPROGRESS) {
		note_failure(dial, i, error_code(errno), errno);
		return FALSE;
	}
	dial->pollfds[i] = (struct pollfd){ .fd = vpnr_fd_steal(&fd), .events = POLLOUT };
	dial->n_pending++;
	return connected;
}

/* Whether the connection whose socket became ready is there; if not, it is closed. */
static gboolean
finish(Dial *dial, gsize i)
{
	int error_number = 0;
	socklen_t length = sizeof(error_number);

	getsockopt(dial->pollfds[i].fd, SOL_SOCKET, SO_ERROR, &error_number, &length);
	if (error_number == 0)
		return TRUE;
	note_failure(dial, i, error_code(error_number), error_number);
	vpnr_fd_close(vpnr_fd_steal(&dial->pollfds[i].fd));
	dial->n_pending--;
	return FALSE;
}

/* Starts every address whose time has come. TRUE if one is connected at once; *winner is it. */
static gboolean
start_due(Dial *dial, gsize *winner)
{
	while (dial->next < dial->n &&
	       (dial->n_pending == 0 || vpnr_deadline_left(dial->next_at) == 0)) {
		*winner = dial->next;
		if (start_next(dial))
			return TRUE;
	}
	return FALSE;
}

/* Sleeps until something can have changed. TRUE if the dialling is cancelled. */
static gboolean
wait_for_change(Dial *dial)
{
	struct pollfd *cancel = &dial->pollfds[dial->n];
	gint64 until = dial->next < dial->n ? MIN(dial->deadline, dial->next_at) : dial->deadline;
	int n_ready;

	do
		n_ready = poll(dial->pollfds, dial->n + 1, vpnr_deadline_left(until));
	while (n_ready < 0); /* EINTR */
	return vpnr_cancel_is_due(&dial->options->cancel, cancel->revents);
}

/* The index of the address that is connected, or -1 with an error. */
static gssize
race(Dial *dial, GError **error)
{
	gsize winner;

	for (;;) {
		if (start_due(dial, &winner))
			return (gssize)winner;
		if (dial->n_pending == 0) {
			g_propagate_error(error, g_steal_pointer(&dial->first_error));
			return -1;
		}
		if (wait_for_change(dial)) {
			set_error(error, &dial->addrs[0], VPNR_DIAL_ERROR_CANCELLED, "cancelled");
			return -1;
		}
		for (gsize i = 0; i < dial->next; i++)
			if (dial->pollfds[i].revents != 0 && finish(dial, i))
				return (gssize)i;
		if (vpnr_deadline_left(dial->deadline) == 0) {
			note_failure(dial, 0, VPNR_DIAL_ERROR_TIMED_OUT, ETIMEDOUT);
			g_propagate_error(error, g_steal_pointer(&dial->first_error));
			return -1;
		}
	}
}

int
vpnr_dial(const VpnrAddr *addrs, gsize n, const VpnrDialOptions *options, VpnrAddr *which,
	  GError **error)
{
	g_autofree struct pollfd *pollfds = g_new(struct pollfd, n + 1);
	Dial dial = {
		.addrs = addrs,
		.n = n,
		.options = options,
		.deadline = vpnr_deadline_after(options->timeout_ms),
		.pollfds = pollfds,
	};
	gssize winner;
	int fd;

	for (gsize i = 0; i < n; i++)
		pollfds[i] = (struct pollfd){ .fd = -1 };
	pollfds[n] = (struct pollfd){ .fd = options->cancel.fd, .events = POLLIN };

	winner = race(&dial, error);
	fd = winner >= 0 ? vpnr_fd_steal(&pollfds[winner].fd) : -1;
	if (winner >= 0 && which != NULL)
		*which = addrs[winner];

	for (gsize i = 0; i < n; i++)
		vpnr_fd_close(pollfds[i].fd);
	g_clear_error(&dial.first_error);
	return fd;
}
