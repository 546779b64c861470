/* SPDX-License-Identifier: MIT
 *
 * resolve: one look-up with c-ares, driven by poll() on the thread that asked.
 *
 * Nothing is shared: the channel and the result live on the caller's stack and heap, so any number
 * of threads resolve at once.
 */
#include "base/resolve.h"

/* Newer versions mark ares_getsock() as deprecated, since it names 16 sockets at most. One look-up
 * asks one name server after the other and never has more than a few. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/deadline.h"

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_resolve_error_quark(void)
{
	return g_quark_from_static_string("vpnr-resolve-error");
}

/* Milliseconds until a name server is asked again; c-ares doubles it from try to try. Three tries
 * at 2, 4 and 8 s fill VPNR_RESOLVE_TIMEOUT_MS. */
#define TRY_MS 2000
#define TRIES  3

/* The result of one look-up, filled by on_answer(). */
typedef struct {
	guint32 mark; /* of the question */
	gboolean done;
	int status; /* of c-ares */
	GArray *addrs;
	guint16 port;
} Answer;

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(ares_channel, ares_destroy, NULL)

static void
on_answer(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
	Answer *answer = data;

	answer->done = TRUE;
	answer->status = status;
	if (info == NULL)
		return;
	for (struct ares_addrinfo_node *node = info->nodes; node != NULL; node = node->ai_next) {
		VpnrAddr addr = vpnr_addr_from_sockaddr(node->ai_addr);

		addr.port = answer->port;
		if (addr.type != VPNR_ADDR_NONE)
			g_array_append_val(answer->addrs, addr);
	}
	ares_freeaddrinfo(info);
}

/* The sockets that c-ares waits for, with what it waits for: a bit for reading of each, then a bit
 * for writing of each. (The library's own macros shift a one into the sign.) Returns how many. */
static guint
fill_pollfds(ares_channel channel, struct pollfd *pollfds)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	guint readable = (guint)ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	guint writable = readable >> ARES_GETSOCK_MAXNUM;
	guint n = 0;

	for (guint i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		guint in = readable >> i & 1 ? POLLIN : 0;
		guint out = writable >> i & 1 ? POLLOUT : 0;

		if (in | out)
			pollfds[n++] =
			    (struct pollfd){ .fd = sockets[i], .events = (short)(in | out) };
	}
	return n;
}

/* The time until c-ares wants to try again, or until the deadline. */
static int
poll_timeout(ares_channel channel, gint64 deadline)
{
	struct timeval tv;
	int left = vpnr_deadline_left(deadline);
	gint64 next;

	if (ares_timeout(channel, NULL, &tv) == NULL)
		return left;
	next = (gint64)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	return (int)MIN(next, left);
}

static void
process(ares_channel channel, const struct pollfd *pollfds, guint n)
{
	/* Without a socket it still sees to what has timed out. */
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (guint i = 0; i < n; i++) {
		gboolean failed = (pollfds[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
		gboolean readable = failed || (pollfds[i].revents & POLLIN) != 0;
		gboolean writable = failed || (pollfds[i].revents & POLLOUT) != 0;

		if (readable || writable)
			ares_process_fd(channel, readable ? pollfds[i].fd : ARES_SOCKET_BAD,
					writable ? pollfds[i].fd : ARES_SOCKET_BAD);
	}
}

/* Drives the look-up until it is done. FALSE with an error if it was cancelled or took too long. */
static gboolean
wait_for_answer(ares_channel channel, const Answer *answer, gint64 deadline,
		const VpnrCancel *cancel, const char *name, GError **error)
{
	struct pollfd pollfds[ARES_GETSOCK_MAXNUM + 1];

	while (!answer->done) {
		guint n = fill_pollfds(channel, pollfds);

		pollfds[n] = (struct pollfd){ .fd = cancel->fd, .events = POLLIN };
		if (poll(pollfds, n + 1, poll_timeout(channel, deadline)) < 0)
			continue; /* EINTR */
		if (vpnr_cancel_is_due(cancel, pollfds[n].revents)) {
			g_set_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_CANCELLED,
				    "looking up \"%s\" was cancelled", name);
			return FALSE;
		}
		process(channel, pollfds, n);
		if (!answer->done && vpnr_deadline_left(deadline) == 0) {
			g_set_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_TIMED_OUT,
				    "no name server answered for \"%s\"", name);
			return FALSE;
		}
	}
	return TRUE;
}

static VpnrResolveError
error_code(int status)
{
	switch (status) {
	case ARES_SUCCESS: /* without an address */
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return VPNR_RESOLVE_ERROR_NOT_FOUND;
	case ARES_ETIMEOUT:
		return VPNR_RESOLVE_ERROR_TIMED_OUT;
	default:
		return VPNR_RESOLVE_ERROR_FAILED;
	}
}

static gboolean
check_answer(const Answer *answer, const char *name, GError **error)
{
	if (answer->status == ARES_SUCCESS && answer->addrs->len > 0)
		return TRUE;
	g_set_error(error, VPNR_RESOLVE_ERROR, (int)error_code(answer->status),
		    "cannot look up \"%s\": %s", name,
		    ares_strerror(answer->status == ARES_SUCCESS ? ARES_ENODATA : answer->status));
	return FALSE;
}

/* A socket that cannot be marked is not used: its packets could be taken for somebody else's. */
static int
on_socket(ares_socket_t fd, int type, void *data)
{
	const Answer *answer = data;

	return setsockopt(fd, SOL_SOCKET, SO_MARK, &answer->mark, sizeof answer->mark);
}

static gboolean
look_up(const char *name, Answer *answer, gint64 deadline, const VpnrCancel *cancel, GError **error)
{
	struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct ares_options options = { .timeout = TRY_MS, .tries = TRIES };
	g_auto(ares_channel) channel = NULL;
	gboolean answered;
	int status;

	status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (status != ARES_SUCCESS) {
		g_set_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_FAILED,
			    "cannot look up \"%s\": %s", name, ares_strerror(status));
		return FALSE;
	}
	if (answer->mark != 0)
		ares_set_socket_configure_callback(channel, on_socket, answer);
	ares_getaddrinfo(channel, name, NULL, &hints, on_answer, answer);
	answered = wait_for_answer(channel, answer, deadline, cancel, name, error);
	return answered && check_answer(answer, name, error);
}

GArray *
vpnr_resolve_marked(const VpnrAddr *addr, guint32 mark, int timeout_ms, const VpnrCancel *cancel,
		    GError **error)
{
	gint64 deadline = vpnr_deadline_after(timeout_ms);
	g_autoptr(GArray) addrs = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	Answer answer = { .mark = mark, .addrs = addrs, .port = addr->port };

	if (addr->type != VPNR_ADDR_NAME)
		g_array_append_vals(addrs, addr, 1);
	else if (!look_up(addr->name, &answer, deadline, cancel, error))
		return NULL;
	return g_steal_pointer(&addrs);
}

GArray *
vpnr_resolve(const VpnrAddr *addr, int timeout_ms, const VpnrCancel *cancel, GError **error)
{
	return vpnr_resolve_marked(addr, 0, timeout_ms, cancel, error);
}
