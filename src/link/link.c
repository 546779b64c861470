/* SPDX-License-Identifier: MIT
 *
 * link: see link.h. The reader thread runs everything from end_because() to on_reader_ended(), and
 * nothing else writes the fields marked as its.
 */
#include "link/link.h"

#include <stdatomic.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "link/batch.h"
#include "link/reader.h"
#include "link/reserve.h"

struct VpnrLink {
	/* const after start */
	VpnrLinkParams params;
	gboolean v2;
	gint64 since_us;
	VpnrReader *reader;
	VpnrLatch *ended;
	VpnrLatch *worn;
	/* reader thread until ended is tripped, then const */
	gint64 heard_at;  /* monotonic us, of the last byte */
	gint64 pinged_at; /* of the last PING */
	gint64 cookie;    /* of the unanswered PINGs: when the first of them was made */
	guint unanswered;
	gboolean measured;    /* the first of them has been answered */
	guint64 carried;      /* bytes of data that have come */
	guint64 told;         /* vpnr_writer_told() when last looked */
	gsize unacknowledged; /* bytes of data since that was news, or an ACK was called for */
	gint64 owed_since;    /* monotonic us: since when an ACK is owed; 0: none was when looked */
	VpnrLinkEnd end;
	char *end_text;
	/* atomic */
	_Atomic gint64 rtt_us;
};

/* A peer of VPNr/1 whose stream is stalled does not read the link for as long as that takes. */
void
vpnr_link_prepare_socket(int fd, VpnrProtocol protocol)
{
	vpnr_fd_set_nodelay(fd);
	vpnr_fd_set_notsent_lowat(fd, VPNR_UNSENT_MIN);
	if (protocol == VPNR_PROTOCOL_V2) {
		vpnr_fd_set_send_buffer(fd, VPNR_RESERVE_MAX);
		vpnr_fd_set_dead_peer_timeout(fd, VPNR_SILENCE_MS);
	} else
		vpnr_fd_set_keepalive(fd, VPNR_SILENCE_MS);
}

static gboolean
end_because(VpnrLink *link, VpnrLinkEnd end, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Notes why the link ends and returns FALSE, which ends the reader. */
static gboolean
end_because(VpnrLink *link, VpnrLinkEnd end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_free(link->end_text);
	link->end_text = g_strdup_vprintf(format, args);
	va_end(args);
	link->end = end;
	return FALSE;
}

static void
push(VpnrLink *link, VpnrFrame *frame)
{
	vpnr_mailbox_push(vpnr_writer_mailbox(link->params.writer), frame);
}

/* The peer broke a rule: it is told so, counted, and the link ends. */
static gboolean
end_by_violation(VpnrLink *link, const char *what)
{
	VpnrFrame *goaway = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	vpnr_stats_add(link->params.stats, VPNR_STAT_VIOLATIONS, 1);
	goaway->reason = VPNR_REASON_PROTOCOL;
	push(link, goaway);
	return end_because(link, VPNR_LINK_VIOLATION, "protocol violation: %s", what);
}

static gboolean
on_ping(VpnrLink *link, guint64 cookie)
{
	VpnrFrame *pong = vpnr_frame_new(VPNR_FRAME_PONG, 0, 0);

	pong->cookie = cookie;
	if (!vpnr_writer_answer(link->params.writer, pong))
		return end_by_violation(link, "too many PINGs without reading their PONGs");
	return TRUE;
}

static gboolean
on_pong(VpnrLink *link, guint64 cookie)
{
	if (link->unanswered == 0 || cookie != (guint64)link->cookie)
		return end_by_violation(link, "PONG without its PING");
	link->unanswered--;
	if (!link->measured)
		atomic_store(&link->rtt_us, g_get_monotonic_time() - link->cookie);
	link->measured = TRUE;
	return TRUE;
}

static gboolean
on_ack(VpnrLink *link, guint64 count)
{
	if (!vpnr_writer_acked(link->params.writer, count))
		return end_by_violation(link, "ACK of frames that were not sent");
	return TRUE;
}

static gboolean
on_goaway(VpnrLink *link, VpnrReason reason)
{
	if (reason == VPNR_REASON_NONE)
		return end_because(link, VPNR_LINK_GOODBYE, "the peer is stopping");
	return end_because(link, VPNR_LINK_FAULT, "the peer went away: %s",
			   vpnr_reason_text(reason));
}

static gboolean
on_link_frame(VpnrLink *link, const VpnrFrame *frame)
{
	switch (frame->type) {
	case VPNR_FRAME_PING:
		return on_ping(link, frame->cookie);
	case VPNR_FRAME_PONG:
		return on_pong(link, frame->cookie);
	case VPNR_FRAME_ACK:
		return on_ack(link, frame->count);
	case VPNR_FRAME_GOAWAY:
		return on_goaway(link, frame->reason);
	default:
		return end_by_violation(link, "second HELLO");
	}
}

static void
call_for_ack(VpnrLink *link)
{
	link->unacknowledged = 0;
	link->owed_since = 0;
	vpnr_writer_acknowledge(link->params.writer);
}

/* Most ACKs have gone along with something else. */
static gboolean
is_ack_due(VpnrLink *link)
{
	guint64 told = vpnr_writer_told(link->params.writer);

	if (told != link->told)
		link->unacknowledged = 0;
	link->told = told;
	return link->unacknowledged >= VPNR_ACK_BYTES ||
	       vpnr_writer_unacknowledged(link->params.writer) >= VPNR_ACK_FRAMES;
}

/* A sequenced frame counts as received as soon as it is here whole: whatever happens to the link,
 * it will not come again. */
static gboolean
on_stream_frame(VpnrLink *link, VpnrFrame *frame)
{
	const char *violation;

	link->carried += frame->size;
	if (link->v2 && vpnr_frame_is_sequenced(frame)) {
		vpnr_writer_count_received(link->params.writer);
		link->unacknowledged += frame->size;
	}
	violation = link->params.frame(link->params.data, frame);
	if (violation != NULL)
		return end_by_violation(link, violation);
	if (link->v2 && is_ack_due(link))
		call_for_ack(link);
	return TRUE;
}

static gboolean
on_frame(gpointer data, VpnrFrame *frame)
{
	VpnrLink *link = data;
	gboolean go_on;

	if (frame->stream != 0 || !link->v2)
		return on_stream_frame(link, frame);
	go_on = on_link_frame(link, frame);
	vpnr_frame_free(frame);
	return go_on;
}

static void
ping(VpnrLink *link, gint64 now)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_PING, 0, 0);

	if (link->unanswered == 0) {
		link->cookie = now;
		link->measured = FALSE;
	}
	frame->cookie = (guint64)link->cookie;
	link->pinged_at = now;
	link->unanswered++;
	push(link, frame);
}

/* What nothing takes along in time goes by itself. Returns how long the reader may wait, in ms. */
static int
acknowledge(VpnrLink *link, gint64 now)
{
	gint64 due = link->owed_since + VPNR_ACK_DELAY_MS * (gint64)1000;

	if (vpnr_writer_unacknowledged(link->params.writer) == 0) {
		link->owed_since = 0;
		return VPNR_PING_INTERVAL_MS;
	}
	if (link->owed_since == 0)
		link->owed_since = now;
	else if (now >= due)
		call_for_ack(link);
	else
		return vpnr_deadline_left_from(due, now);
	return VPNR_ACK_DELAY_MS;
}

static gboolean
is_worn(const VpnrLink *link)
{
	guint64 bytes = MAX(link->carried, vpnr_writer_link_bytes(link->params.writer));

	return link->params.worn_bytes > 0 && bytes >= link->params.worn_bytes;
}

static gint64
next_ping(const VpnrLink *link)
{
	return link->pinged_at + VPNR_PING_INTERVAL_MS * (gint64)1000;
}

/* Death is silence for VPNR_SILENCE_MS although a PING was sent meanwhile; slowness is none: any
 * byte counts. A VPNr/1 peer has nothing to say when it has no data, so there the kernel's
 * keepalive has to notice. */
static int
on_tick(gpointer data, gboolean heard)
{
	VpnrLink *link = data;
	gint64 now = g_get_monotonic_time();
	gint64 dead_at;

	if (heard)
		link->heard_at = now;
	if (!link->v2)
		return VPNR_PING_INTERVAL_MS;
	dead_at = link->heard_at + VPNR_SILENCE_MS * (gint64)1000;
	if (now >= dead_at) {
		end_because(link, VPNR_LINK_LOST, "the peer has been silent for %d s",
			    VPNR_SILENCE_MS / 1000);
		return -1;
	}
	if (now >= next_ping(link))
		ping(link, now);
	if (is_worn(link))
		vpnr_latch_trip(link->worn);
	return MIN(acknowledge(link, now),
		   vpnr_deadline_left_from(MIN(dead_at, next_ping(link)), now));
}

/* A callback that ended the reader has said why. */
static void
on_reader_ended(gpointer data, VpnrReaderEnd end, const char *text)
{
	VpnrLink *link = data;

	if (end == VPNR_READER_MALFORMED)
		end_by_violation(link, text);
	else if (end == VPNR_READER_END)
		end_because(link, VPNR_LINK_LOST, "the peer closed the connection");
	else if (end == VPNR_READER_FAILED)
		end_because(link, VPNR_LINK_LOST, "%s", text);
	vpnr_latch_trip(link->ended);
}

static VpnrReader *
make_reader(VpnrLink *link)
{
	return vpnr_reader_new(&(VpnrReaderParams){ .transport = link->params.transport,
						    .protocol = link->params.protocol,
						    .role = link->params.role,
						    .number = link->params.number,
						    .early = link->params.early,
						    .frame = on_frame,
						    .tick = on_tick,
						    .ended = on_reader_ended,
						    .data = link,
						    .stats = link->params.stats });
}

VpnrLink *
vpnr_link_start(const VpnrLinkParams *params, GError **error)
{
	VpnrLink *link = g_new0(VpnrLink, 1);

	link->params = *params;
	link->v2 = params->protocol == VPNR_PROTOCOL_V2;
	link->since_us = link->heard_at = g_get_monotonic_time();
	atomic_init(&link->rtt_us, -1);
	link->ended = vpnr_latch_new(error);
	if (link->ended != NULL)
		link->worn = vpnr_latch_new(error);
	if (link->worn != NULL)
		link->reader = make_reader(link);
	if (link->reader == NULL || !vpnr_reader_start(link->reader, error)) {
		vpnr_link_free(link);
		return NULL;
	}
	return link;
}

const VpnrLatch *
vpnr_link_ended(const VpnrLink *link)
{
	return link->ended;
}

const VpnrLatch *
vpnr_link_worn(const VpnrLink *link)
{
	return link->worn;
}

VpnrLinkEnd
vpnr_link_end(const VpnrLink *link)
{
	return vpnr_latch_is_tripped(link->ended) ? link->end : VPNR_LINK_OPEN;
}

const char *
vpnr_link_end_text(const VpnrLink *link)
{
	return vpnr_link_end(link) != VPNR_LINK_OPEN ? link->end_text : "closed";
}

gint64
vpnr_link_rtt_us(const VpnrLink *link)
{
	return atomic_load(&link->rtt_us);
}

gint64
vpnr_link_since_us(const VpnrLink *link)
{
	return link->since_us;
}

void
vpnr_link_join(VpnrLink *link)
{
	vpnr_reader_join(link->reader);
}

void
vpnr_link_free(VpnrLink *link)
{
	if (link == NULL)
		return;
	vpnr_reader_free(link->reader);
	vpnr_latch_free(link->ended);
	vpnr_latch_free(link->worn);
	g_free(link->end_text);
	g_free(link);
}
