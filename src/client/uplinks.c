/* SPDX-License-Identifier: MIT
 *
 * uplinks: see uplinks.h. "There is a link" is an epoll of the uplinks' gates: its descriptor is
 * readable while one of them is open, so that no thread has to count them.
 */
#include "client/uplinks.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/fd.h"

struct VpnrUplinks {
	/* const after start */
	guint n;
	VpnrUplink *uplink[VPNR_UPLINKS_MAX];
	int any; /* epoll of the gates */
	/* atomic */
	VpnrStats stats[VPNR_UPLINKS_MAX]; /* what each of them counts */
	_Atomic guint turn;
};

/* --- start and stop --------------------------------------------------------------------------- */

static gboolean
watch_gate(VpnrUplinks *uplinks, guint i, GError **error)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = vpnr_gate_fd(vpnr_uplink_gate(uplinks->uplink[i]));
	int err;

	if (epoll_ctl(uplinks->any, EPOLL_CTL_ADD, fd, &event) == 0)
		return TRUE;
	err = errno;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
		    "cannot watch the link: %s", g_strerror(err));
	return FALSE;
}

/* Which process this is; the numbers tell the links apart. */
static VpnrOrigin
make_origin(void)
{
	VpnrOrigin origin = { 0 };

	while (getrandom(origin.client, sizeof origin.client, 0) < 0)
		;
	return origin;
}

static gboolean
start_all(VpnrUplinks *uplinks, const VpnrUplinkTarget *target, VpnrBudget *budget, GError **error)
{
	VpnrUplinkParams params = {
		.target = target, .origin = make_origin(), .of = uplinks->n, .budget = budget
	};

	for (guint i = 0; i < uplinks->n; i++) {
		params.origin.number = (guint8)(i + 1);
		params.stats = &uplinks->stats[i];
		uplinks->uplink[i] = vpnr_uplink_start(&params, error);
		if (uplinks->uplink[i] == NULL || !watch_gate(uplinks, i, error))
			return FALSE;
	}
	return TRUE;
}

VpnrUplinks *
vpnr_uplinks_start(guint n, const VpnrUplinkTarget *target, VpnrBudget *budget, GError **error)
{
	VpnrUplinks *uplinks = g_new0(VpnrUplinks, 1);

	g_assert(n >= 1 && n <= VPNR_UPLINKS_MAX);
	uplinks->n = n;
	uplinks->any = epoll_create1(EPOLL_CLOEXEC);
	if (uplinks->any < 0) {
		int err = errno;

		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
			    "cannot watch the links: %s", g_strerror(err));
	} else if (start_all(uplinks, target, budget, error)) {
		return uplinks;
	}
	vpnr_uplinks_free(uplinks);
	return NULL;
}

/* Those that there are: a start may have failed halfway. */
void
vpnr_uplinks_stop(VpnrUplinks *uplinks)
{
	for (guint i = 0; i < uplinks->n && uplinks->uplink[i] != NULL; i++)
		vpnr_uplink_dismiss(uplinks->uplink[i]);
	for (guint i = 0; i < uplinks->n && uplinks->uplink[i] != NULL; i++)
		vpnr_uplink_stop(uplinks->uplink[i]);
}

void
vpnr_uplinks_free(VpnrUplinks *uplinks)
{
	if (uplinks == NULL)
		return;
	vpnr_uplinks_stop(uplinks);
	vpnr_fd_close(uplinks->any);
	for (guint i = 0; i < uplinks->n; i++)
		vpnr_uplink_free(uplinks->uplink[i]);
	g_free(uplinks);
}

/* --- streams ---------------------------------------------------------------------------------- */

int
vpnr_uplinks_fd(const VpnrUplinks *uplinks)
{
	return uplinks->any;
}

int
vpnr_uplinks_patience_ms(VpnrUplinks *uplinks)
{
	return vpnr_uplink_patience_ms(uplinks->uplink[0]);
}

static gboolean
is_lighter(const VpnrTableLoad *a, const VpnrTableLoad *b)
{
	return a->streams != b->streams ? a->streams < b->streams : a->queued < b->queued;
}

/* The least loaded of the links that are there and not in tried (a set of bits), or -1. The search
 * begins with another one each time, so that of several that are alike each has its turn, also when
 * many threads search at once.
 *
 * A stream stays on its link as long as it lives, be it idle or busy at the moment, and what the
 * server has for it cannot be seen from here. So it is the number of streams that says what a new
 * one will have of the link; what waits to be sent only decides between links that have equally
 * many. */
static int
find_lightest(VpnrUplinks *uplinks, guint32 tried)
{
	guint first = atomic_fetch_add_explicit(&uplinks->turn, 1, memory_order_relaxed);
	VpnrTableLoad least = { 0 };
	int found = -1;

	for (guint k = 0; k < uplinks->n; k++) {
		guint i = (first + k) % uplinks->n;
		VpnrTableLoad load;

		if ((tried & 1u << i) != 0 || !vpnr_uplink_load(uplinks->uplink[i], &load))
			continue;
		if (found < 0 || is_lighter(&load, &least)) {
			found = (int)i;
			least = load;
		}
	}
	return found;
}

/* A link may go between the search and the stream, or be full by what its server does not read:
 * then the next one is tried. */
VpnrTableResult
vpnr_uplinks_open(VpnrUplinks *uplinks, VpnrKind kind, const VpnrAddr *dest, const VpnrAddr *peer,
		  VpnrTable **table, VpnrStream **stream)
{
	VpnrTableResult answer = VPNR_TABLE_CLOSED;
	guint32 tried = 0;
	int i;

	if (uplinks->n == 1)
		return vpnr_uplink_open(uplinks->uplink[0], kind, dest, peer, table, stream);
	while ((i = find_lightest(uplinks, tried)) >= 0) {
		VpnrTableResult result =
		    vpnr_uplink_open(uplinks->uplink[i], kind, dest, peer, table, stream);

		if (result != VPNR_TABLE_CLOSED && result != VPNR_TABLE_FULL)
			return result;
		if (result == VPNR_TABLE_FULL)
			answer = result;
		tried |= 1u << i;
	}
	return answer;
}

/* --- targets and reports ---------------------------------------------------------------------- */

void
vpnr_uplinks_set_target(VpnrUplinks *uplinks, const VpnrUplinkTarget *target)
{
	for (guint i = 0; i < uplinks->n; i++)
		vpnr_uplink_set_target(uplinks->uplink[i], target);
}

guint
vpnr_uplinks_count(const VpnrUplinks *uplinks)
{
	return uplinks->n;
}

VpnrUplink *
vpnr_uplinks_get(const VpnrUplinks *uplinks, guint number)
{
	return uplinks->uplink[number - 1];
}

/* The states are numbered by how much of a link there is. */
static void
add_news(VpnrBulletinNews *all, const VpnrBulletinNews *one)
{
	gint64 down_since = all->down_since_us == 0 || one->down_since_us == 0
				? 0
				: MAX(all->down_since_us, one->down_since_us);

	if (one->state > all->state || (one->state == all->state && one->since_us < all->since_us))
		*all = *one;
	all->down_since_us = down_since;
}

static void
add_session(VpnrSessionStatus *all, const VpnrSessionStatus *one)
{
	all->replay_bytes += one->replay_bytes;
	if (one->rtt_us >= 0 && (all->rtt_us < 0 || one->rtt_us < all->rtt_us))
		all->rtt_us = one->rtt_us;
	if (one->attached && (!all->attached || one->link_since_us < all->link_since_us))
		all->link_since_us = one->link_since_us;
	all->attached |= one->attached;
}

VpnrUplinkStatus
vpnr_uplinks_status(VpnrUplinks *uplinks)
{
	VpnrUplinkStatus all = vpnr_uplink_status(uplinks->uplink[0]);

	for (guint i = 1; i < uplinks->n; i++) {
		VpnrUplinkStatus one = vpnr_uplink_status(uplinks->uplink[i]);

		add_news(&all.news, &one.news);
		add_session(&all.session, &one.session);
	}
	return all;
}

const VpnrStats *
vpnr_uplinks_stats(const VpnrUplinks *uplinks, guint number)
{
	return &uplinks->stats[number - 1];
}

guint
vpnr_uplinks_foreach(VpnrUplinks *uplinks, void (*func)(VpnrStream *stream, gpointer data),
		     gpointer data)
{
	guint n = 0;

	for (guint i = 0; i < uplinks->n; i++)
		n += vpnr_uplink_foreach(uplinks->uplink[i], func, data);
	return n;
}
