/* SPDX-License-Identifier: MIT
 *
 * uplink: see uplink.h. Everything up to "for other threads" happens on the uplink thread.
 */
#include "client/uplink.h"

#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "client/backoff.h"
#include "client/netwatch.h"
#include "client/renewal.h"
#include "client/tunnel.h"
#include "client/uplink_log.h"

/* us that a link must have lived for the next to be dialled at once when it is lost. One that did
 * not may be followed by many of its kind. */
#define SETTLED_US 1000000

struct VpnrUplink {
	/* const after start */
	VpnrOrigin origin;
	guint of; /* so many are side by side */
	VpnrStats *stats;
	VpnrLatch *stop;
	VpnrGate *gate;
	VpnrBulletin *bulletin;
	VpnrTunnel *tunnel;
	VpnrThread *thread;
	/* uplink thread */
	VpnrNetwatch *netwatch; /* NULL: there is none */
	VpnrLookup *lookup;
	VpnrBackoff backoff;
	gboolean was_up; /* some link was up since the start */
	VpnrRenewal renewal;
	gint64 give_up_at; /* base/deadline.h: when a session without a link ends */
	VpnrUplinkLog log;
};

static guint
n_streams(const VpnrUplink *uplink)
{
	return vpnr_tunnel_foreach(uplink->tunnel, NULL, NULL);
}

static VpnrSession *
session(const VpnrUplink *uplink)
{
	return vpnr_tunnel_session(uplink->tunnel);
}

/* --- a link begins ---------------------------------------------------------------------------- */

static void
on_attached(VpnrUplink *uplink, const VpnrUplinkTarget *target, const VpnrHello *hello)
{
	gboolean v2 = target->protocol == VPNR_PROTOCOL_V2;

	uplink->renewal =
	    vpnr_renewal_begin(g_get_monotonic_time(), v2 ? target->rotate_interval_s : 0);
	uplink->was_up = TRUE;
	vpnr_bulletin_set_software(uplink->bulletin, hello->software);
}

/* Who sees that there is a link sees that it has been counted. */
static gboolean
announce(VpnrUplink *uplink, VpnrStat stat, guint64 n)
{
	vpnr_stats_add(uplink->stats, stat, n);
	vpnr_gate_open(uplink->gate);
	vpnr_bulletin_set_state(uplink->bulletin, VPNR_UPLINK_CONNECTED);
	return TRUE;
}

/* The session, the one that we have or a new one, goes on with this transport (transfer full). No
 * link is attached. */
static gboolean
take_over(VpnrUplink *uplink, const VpnrUplinkTarget *target, VpnrTransport *transport,
	  gint64 deadline, GError **error)
{
	guint streams = n_streams(uplink);
	VpnrHello hello;
	VpnrTunnelTake take =
	    vpnr_tunnel_take(uplink->tunnel, target->protocol, transport,
			     vpnr_deadline_left(deadline), uplink->stop, &hello, error);

	if (take == VPNR_TUNNEL_FAILED)
		return FALSE;
	if (take == VPNR_TUNNEL_RESUMED)
		vpnr_stats_add(uplink->stats, VPNR_STAT_RESUMES, 1);
	vpnr_uplink_log_connected(&uplink->log, &hello, take == VPNR_TUNNEL_RESUMED ? streams : 0,
				  take == VPNR_TUNNEL_NEW ? streams : 0);
	on_attached(uplink, target, &hello);
	return TRUE;
}

/* Readable when something is more urgent than dialling: stop, and the end of the link that was to
 * be replaced. */
static int
cancel_for_dialling(const VpnrUplink *uplink, GError **error)
{
	struct pollfd link[VPNR_SESSION_FDS] = { { .fd = -1 } };

	if (session(uplink) != NULL)
		vpnr_session_prepare_poll(session(uplink), link);
	return vpnr_fd_either(vpnr_latch_fd(uplink->stop), link[0].fd, error);
}

static VpnrTransport *
dial(VpnrUplink *uplink, const VpnrUplinkTarget *target, gint64 deadline, GError **error)
{
	g_auto(VpnrFd) cancel = cancel_for_dialling(uplink, error);
	VpnrTransport *transport;

	if (cancel < 0)
		return NULL;
	transport =
	    vpnr_connect(target, uplink->lookup, vpnr_deadline_left(deadline), cancel, error);
	vpnr_bulletin_set_server(uplink->bulletin, vpnr_lookup_dialled(uplink->lookup));
	return transport;
}

/* The link there is gives way to the next. FALSE with an error: with it the session has ended. */
static gboolean
give_way(VpnrUplink *uplink, GError **error)
{
	vpnr_gate_close(uplink->gate);
	if (vpnr_tunnel_give_way(uplink->tunnel))
		return TRUE;
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
			    "the session has ended meanwhile");
	return FALSE;
}

/* Dials, and only then gives up the link that there may be; all until deadline (base/deadline.h).
 * *dialled: FALSE if that link is still there. */
static gboolean
change_over(VpnrUplink *uplink, gint64 deadline, gboolean *dialled, GError **error)
{
	g_autoptr(VpnrTransport) transport = NULL;
	VpnrUplinkTarget target;
	gboolean up;

	vpnr_bulletin_get_target(uplink->bulletin, &target);
	transport = dial(uplink, &target, deadline, error);
	*dialled = transport != NULL;
	up = *dialled && give_way(uplink, error) &&
	     take_over(uplink, &target, g_steal_pointer(&transport), deadline, error);
	vpnr_key_wipe(&target.private_key);
	return up;
}

/* One try. */
static gboolean
bring_up(VpnrUplink *uplink)
{
	g_autoptr(GError) error = NULL;
	gint64 deadline = session(uplink) != NULL ? uplink->give_up_at : VPNR_DEADLINE_NEVER;
	gboolean reconnect = uplink->was_up;
	gboolean dialled;

	vpnr_bulletin_set_state(uplink->bulletin, VPNR_UPLINK_CONNECTING);
	if (change_over(uplink, deadline, &dialled, &error)) {
		vpnr_renewal_stagger(&uplink->renewal, uplink->origin.number - 1, uplink->of);
		return announce(uplink, VPNR_STAT_RECONNECTS, reconnect);
	}
	if (vpnr_latch_is_tripped(uplink->stop))
		return FALSE;
	vpnr_bulletin_set_state(uplink->bulletin, VPNR_UPLINK_DISCONNECTED);
	vpnr_uplink_log_failed(&uplink->log, error->message);
	vpnr_stats_add(uplink->stats, VPNR_STAT_LINKS_FAILED, 1);
	return FALSE;
}

/* --- a link works ----------------------------------------------------------------------------- */

/* A second link takes the place of one that works. FALSE: the session is without a link now. */
static gboolean
renew(VpnrUplink *uplink)
{
	g_autoptr(GError) error = NULL;
	gboolean dialled;

	if (change_over(uplink, VPNR_DEADLINE_NEVER, &dialled, &error))
		return announce(uplink, VPNR_STAT_ROTATIONS, 1);
	vpnr_uplink_log_kept(&uplink->log, error->message);
	vpnr_renewal_failed(&uplink->renewal, g_get_monotonic_time());
	return !dialled;
}

static void
on_network_change(VpnrUplink *uplink)
{
	if (vpnr_tunnel_can_resume(uplink->tunnel))
		vpnr_renewal_network_changed(&uplink->renewal, g_get_monotonic_time(),
					     vpnr_netwatch_same_path(
						 vpnr_session_link_fd(session(uplink))));
}

static struct pollfd
netwatch_pollfd(const VpnrUplink *uplink)
{
	return (struct pollfd){ .fd = uplink->netwatch != NULL ? vpnr_netwatch_fd(uplink->netwatch)
							       : -1,
				.events = POLLIN };
}

static gboolean
is_to_be_renewed(const VpnrUplink *uplink)
{
	return vpnr_session_link_is_worn(session(uplink)) ||
	       vpnr_renewal_is_due(&uplink->renewal, g_get_monotonic_time());
}

/* Until the link has ended, or stop. */
static VpnrLinkEnd
keep_link(VpnrUplink *uplink)
{
	struct pollfd fds[VPNR_SESSION_FDS + 2];
	struct pollfd *stop = &fds[VPNR_SESSION_FDS];
	struct pollfd *change = &fds[VPNR_SESSION_FDS + 1];

	for (;;) {
		VpnrLinkEnd end;

		vpnr_session_prepare_poll(session(uplink), fds);
		*stop = (struct pollfd){ .fd = vpnr_latch_fd(uplink->stop), .events = POLLIN };
		*change = netwatch_pollfd(uplink);
		if (poll(fds, G_N_ELEMENTS(fds), vpnr_deadline_left(uplink->renewal.at)) < 0)
			continue;
		end = vpnr_session_link_end(session(uplink), fds);
		if (end != VPNR_LINK_OPEN || stop->revents != 0)
			return end;
		if (change->revents != 0 && vpnr_netwatch_read(uplink->netwatch))
			on_network_change(uplink);
		if (is_to_be_renewed(uplink) && !renew(uplink))
			return VPNR_LINK_LOST;
	}
}

/* --- a link ends ------------------------------------------------------------------------------ */

/* The streams of a lost link wait for the next one, as long as that may take. A link that could not
 * be replaced is gone already, and perhaps its session too. */
static void
on_link_end(VpnrUplink *uplink, VpnrLinkEnd end)
{
	VpnrSession *lost = session(uplink);

	vpnr_gate_close(uplink->gate);
	vpnr_bulletin_set_state(uplink->bulletin, VPNR_UPLINK_DISCONNECTED);
	uplink->give_up_at = vpnr_deadline_after(vpnr_uplink_patience_ms(uplink));
	if (end != VPNR_LINK_GOODBYE)
		vpnr_stats_add(uplink->stats, VPNR_STAT_LINKS_FAILED, 1);
	if (lost == NULL)
		return;
	if (vpnr_session_is_attached(lost))
		vpnr_uplink_log_failed(&uplink->log, vpnr_session_link_text(lost));
	if (end == VPNR_LINK_LOST && vpnr_tunnel_can_resume(uplink->tunnel))
		vpnr_session_detach(lost);
	else
		vpnr_tunnel_end(uplink->tunnel);
}

static void
end_session_in_time(VpnrUplink *uplink)
{
	if (session(uplink) == NULL || vpnr_deadline_left(uplink->give_up_at) > 0)
		return;
	vpnr_stats_add(uplink->stats, VPNR_STAT_SESSIONS_LOST, 1);
	vpnr_uplink_log_given_up(&uplink->log, n_streams(uplink));
	vpnr_tunnel_end(uplink->tunnel);
}

/* Waits until the next try, which may be earlier when the network has changed. */
static void
pause_before_next(VpnrUplink *uplink)
{
	gint64 until =
	    vpnr_deadline_after((int)vpnr_backoff_next(&uplink->backoff, g_random_int()));
	struct pollfd fds[2] = { { .fd = vpnr_latch_fd(uplink->stop), .events = POLLIN } };

	while (!vpnr_latch_is_tripped(uplink->stop) && vpnr_deadline_left(until) > 0) {
		gint64 next = session(uplink) != NULL ? MIN(until, uplink->give_up_at) : until;

		fds[1] = netwatch_pollfd(uplink);
		poll(fds, G_N_ELEMENTS(fds), vpnr_deadline_left(next));
		end_session_in_time(uplink);
		if (fds[1].revents != 0 && vpnr_netwatch_read(uplink->netwatch)) {
			vpnr_backoff_reset(&uplink->backoff);
			return;
		}
	}
}

/* --- the thread ------------------------------------------------------------------------------- */

/* FALSE: the link was a try that has failed, all the same. A server that has no thread left, for
 * example, says HELLO and nothing else. With VPNr/1 nobody answers a PING. */
static gboolean
has_worked(VpnrUplink *uplink, gint64 lived_us)
{
	return lived_us >= SETTLED_US || vpnr_tunnel_status(uplink->tunnel).rtt_us >= 0;
}

static void
uplink_run(gpointer data)
{
	VpnrUplink *uplink = data;

	while (!vpnr_latch_is_tripped(uplink->stop)) {
		gint64 lived_us = 0;

		if (bring_up(uplink)) {
			VpnrLinkEnd end = keep_link(uplink);

			if (end == VPNR_LINK_OPEN)
				break;
			lived_us = g_get_monotonic_time() - uplink->renewal.since;
			if (has_worked(uplink, lived_us))
				vpnr_backoff_reset(&uplink->backoff);
			on_link_end(uplink, end);
		}
		end_session_in_time(uplink);
		if (lived_us < SETTLED_US)
			pause_before_next(uplink);
	}
	vpnr_gate_close(uplink->gate);
	if (session(uplink) != NULL)
		vpnr_session_close(session(uplink), VPNR_REASON_NONE);
	vpnr_tunnel_end(uplink->tunnel);
	vpnr_bulletin_set_state(uplink->bulletin, VPNR_UPLINK_DISCONNECTED);
}

static void
watch_network(VpnrUplink *uplink)
{
	g_autoptr(GError) error = NULL;

	uplink->netwatch = vpnr_netwatch_new(&error);
	if (uplink->netwatch == NULL)
		vpnr_uplink_log_unwatched(&uplink->log, error->message);
}

VpnrUplink *
vpnr_uplink_start(const VpnrUplinkParams *params, GError **error)
{
	VpnrUplink *uplink = g_new0(VpnrUplink, 1);
	guint number = params->of > 1 ? params->origin.number : 0;

	uplink->origin = params->origin;
	uplink->of = params->of;
	uplink->stats = params->stats;
	uplink->bulletin = vpnr_bulletin_new(params->target);
	uplink->log = (VpnrUplinkLog){ .number = number, .bulletin = uplink->bulletin };
	uplink->tunnel = vpnr_tunnel_new(&params->origin, number, params->budget, params->stats);
	uplink->lookup = vpnr_lookup_new();
	watch_network(uplink);
	uplink->stop = vpnr_latch_new(error);
	if (uplink->stop != NULL)
		uplink->gate = vpnr_gate_new(error);
	if (uplink->gate != NULL)
		uplink->thread =
		    vpnr_thread_start_numbered("vpnr-uplink", number, uplink_run, uplink, error);
	if (uplink->thread == NULL) {
		vpnr_uplink_free(uplink);
		return NULL;
	}
	return uplink;
}

void
vpnr_uplink_dismiss(VpnrUplink *uplink)
{
	if (uplink->stop != NULL)
		vpnr_latch_trip(uplink->stop);
}

void
vpnr_uplink_stop(VpnrUplink *uplink)
{
	vpnr_uplink_dismiss(uplink);
	vpnr_thread_join(g_steal_pointer(&uplink->thread));
}

void
vpnr_uplink_free(VpnrUplink *uplink)
{
	if (uplink == NULL)
		return;
	vpnr_uplink_stop(uplink);
	vpnr_latch_free(uplink->stop);
	vpnr_gate_free(uplink->gate);
	vpnr_tunnel_free(uplink->tunnel);
	vpnr_netwatch_free(uplink->netwatch);
	vpnr_lookup_free(uplink->lookup);
	vpnr_bulletin_free(uplink->bulletin);
	vpnr_uplink_log_clear(&uplink->log);
	g_free(uplink);
}

/* --- for other threads ------------------------------------------------------------------------ */

void
vpnr_uplink_set_target(VpnrUplink *uplink, const VpnrUplinkTarget *target)
{
	vpnr_bulletin_set_target(uplink->bulletin, target);
}

const VpnrGate *
vpnr_uplink_gate(const VpnrUplink *uplink)
{
	return uplink->gate;
}

int
vpnr_uplink_patience_ms(VpnrUplink *uplink)
{
	return vpnr_bulletin_patience_ms(uplink->bulletin);
}

VpnrTableResult
vpnr_uplink_open(VpnrUplink *uplink, VpnrKind kind, const VpnrAddr *dest, const VpnrAddr *peer,
		 VpnrTable **table, VpnrStream **stream)
{
	if (!vpnr_gate_is_open(uplink->gate))
		return VPNR_TABLE_CLOSED;
	return vpnr_tunnel_open(uplink->tunnel, kind, dest, peer, table, stream);
}

gboolean
vpnr_uplink_load(VpnrUplink *uplink, VpnrTableLoad *load)
{
	return vpnr_gate_is_open(uplink->gate) && vpnr_tunnel_load(uplink->tunnel, load);
}

VpnrUplinkStatus
vpnr_uplink_status(VpnrUplink *uplink)
{
	return (VpnrUplinkStatus){ .news = vpnr_bulletin_news(uplink->bulletin),
				   .session = vpnr_tunnel_status(uplink->tunnel) };
}

guint
vpnr_uplink_foreach(VpnrUplink *uplink, void (*func)(VpnrStream *stream, gpointer data),
		    gpointer data)
{
	return vpnr_tunnel_foreach(uplink->tunnel, func, data);
}
