/* SPDX-License-Identifier: MIT
 *
 * link: see link.h. Here is what concerns the link as a whole: HELLO, PING and PONG, GOAWAY, and
 * the end.
 *
 * The reader thread runs everything from on_frame() to on_reader_ended(), and nothing else writes
 * the fields marked as its.
 */
#include "link/link.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/fd.h"
#include "link/reader.h"
#include "link/writer.h"

/* Milliseconds that a link which is to end has for doing so in order, and that its writer has for
 * the last frames: a GOAWAY on a healthy link takes one round trip, and main wants to be gone
 * within two seconds. */
#define PATIENCE_MS 500

struct VpnrLink {
	/* const after start */
	VpnrTransport *transport;
	VpnrProtocol protocol;
	const VpnrLinkHandler *handler;
	gpointer data;
	VpnrStats *stats;
	VpnrWriter *writer;
	VpnrReader *reader;
	VpnrLatch *ended;
	/* reader thread until ended is tripped, then const */
	gboolean greeted; /* the peer's HELLO has come */
	gint64 heard_at;  /* monotonic us, of the last byte */
	gint64 pinged_at; /* of the last PING */
	gint64 cookie;    /* of the unanswered PINGs: when the first of them was made */
	guint unanswered;
	gboolean measured; /* the first of them has been answered */
	gboolean in_order;
	char *end_text;
	/* atomic */
	_Atomic gint64 rtt_us;
	_Atomic gboolean closing; /* vpnr_link_close() was called */
};

/* A peer of VPNr/1 whose stream is stalled does not read the link for as long as that takes. */
void
vpnr_link_prepare_socket(int fd, VpnrProtocol protocol)
{
	vpnr_fd_set_nodelay(fd);
	if (protocol == VPNR_PROTOCOL_V2)
		vpnr_fd_set_dead_peer_timeout(fd, VPNR_SILENCE_MS);
	else
		vpnr_fd_set_keepalive(fd, VPNR_SILENCE_MS);
}

static gboolean
end_because(VpnrLink *link, gboolean in_order, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Notes why the link ends and returns FALSE, which ends the reader. */
static gboolean
end_because(VpnrLink *link, gboolean in_order, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_free(link->end_text);
	link->end_text = g_strdup_vprintf(format, args);
	va_end(args);
	link->in_order = in_order;
	return FALSE;
}

/* The peer broke a rule: it is told so, counted, and the link ends. */
static gboolean
end_by_violation(VpnrLink *link, const char *what)
{
	vpnr_stats_add(link->stats, VPNR_STAT_VIOLATIONS, 1);
	vpnr_link_close(link, VPNR_REASON_PROTOCOL);
	return end_because(link, FALSE, "protocol violation: %s", what);
}

static gboolean
on_hello(VpnrLink *link, const VpnrHello *hello)
{
	if (link->greeted)
		return end_by_violation(link, "second HELLO");
	link->greeted = TRUE;
	link->handler->up(link->data, hello);
	return TRUE;
}

static gboolean
on_ping(VpnrLink *link, guint64 cookie)
{
	VpnrFrame *pong = vpnr_frame_new(VPNR_FRAME_PONG, 0, 0);

	pong->cookie = cookie;
	if (!vpnr_link_answer(link, pong))
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
on_goaway(VpnrLink *link, VpnrReason reason)
{
	if (reason == VPNR_REASON_NONE)
		return end_because(link, TRUE, "the peer is stopping");
	return end_because(link, FALSE, "the peer went away: %s", vpnr_reason_text(reason));
}

static gboolean
on_link_frame(VpnrLink *link, const VpnrFrame *frame)
{
	switch (frame->type) {
	case VPNR_FRAME_HELLO:
		return on_hello(link, frame->hello);
	case VPNR_FRAME_PING:
		return on_ping(link, frame->cookie);
	case VPNR_FRAME_PONG:
		return on_pong(link, frame->cookie);
	case VPNR_FRAME_ACK:
		return end_by_violation(link, "ACK without a session");
	default:
		return on_goaway(link, frame->reason);
	}
}

static gboolean
on_frame(gpointer data, VpnrFrame *frame)
{
	VpnrLink *link = data;
	const char *violation;
	gboolean go_on;

	if (!link->greeted && frame->type != VPNR_FRAME_HELLO) {
		vpnr_frame_free(frame);
		return end_by_violation(link, "a frame before HELLO");
	}
	if (frame->stream != 0 || link->protocol != VPNR_PROTOCOL_V2) {
		violation = link->handler->frame(link->data, frame);
		return violation == NULL || end_by_violation(link, violation);
	}
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
	vpnr_mailbox_push(vpnr_link_outbox(link), frame);
}

/* Death is silence for VPNR_SILENCE_MS although a PING was sent meanwhile; slowness is none: any
 * byte counts. A VPNr/1 peer has nothing to say when it has no data, so there the kernel's
 * keepalive has to notice. */
static gboolean
on_tick(gpointer data, gboolean heard)
{
	VpnrLink *link = data;
	gint64 now = g_get_monotonic_time();

	if (heard)
		link->heard_at = now;
	if (link->protocol != VPNR_PROTOCOL_V2)
		return TRUE;
	if (now - link->heard_at >= VPNR_SILENCE_MS * (gint64)1000)
		return end_because(link, FALSE, "the peer has been silent for %d s",
				   VPNR_SILENCE_MS / 1000);
	if (link->greeted && now - link->pinged_at >= VPNR_PING_INTERVAL_MS * (gint64)1000)
		ping(link, now);
	return TRUE;
}

static void
on_reader_ended(gpointer data, VpnrReaderEnd end, const char *text)
{
	VpnrLink *link = data;

	if (end == VPNR_READER_MALFORMED)
		end_by_violation(link, text);
	else if (atomic_load(&link->closing) && link->end_text == NULL)
		end_because(link, TRUE, "closed");
	else if (end == VPNR_READER_END)
		end_because(link, FALSE, "the peer closed the connection");
	else if (end == VPNR_READER_FAILED)
		end_because(link, FALSE, "%s", text);
	if (!atomic_load(&link->closing))
		vpnr_writer_stop(link->writer);
	vpnr_latch_trip(link->ended);
}

static VpnrWriter *
make_writer(const VpnrLinkParams *params, GError **error)
{
	return vpnr_writer_new(&(VpnrWriterParams){ .transport = params->transport,
						    .protocol = params->protocol,
						    .role = params->role,
						    .released = params->handler->released,
						    .data = params->data,
						    .stats = params->stats },
			       error);
}

static VpnrReader *
make_reader(VpnrLink *link, const VpnrLinkParams *params)
{
	return vpnr_reader_new(&(VpnrReaderParams){ .transport = params->transport,
						    .protocol = params->protocol,
						    .role = params->role,
						    .tick_ms = VPNR_PING_INTERVAL_MS,
						    .frame = on_frame,
						    .tick = on_tick,
						    .ended = on_reader_ended,
						    .data = link,
						    .stats = params->stats });
}

VpnrLink *
vpnr_link_new(const VpnrLinkParams *params, GError **error)
{
	VpnrLink *link = g_new0(VpnrLink, 1);

	link->transport = params->transport;
	link->protocol = params->protocol;
	link->handler = params->handler;
	link->data = params->data;
	link->stats = params->stats;
	atomic_init(&link->rtt_us, -1);
	link->ended = vpnr_latch_new(error);
	if (link->ended != NULL)
		link->writer = make_writer(params, error);
	if (link->writer == NULL) {
		vpnr_link_free(link);
		return NULL;
	}
	link->reader = make_reader(link, params);
	if (params->protocol == VPNR_PROTOCOL_V2) {
		VpnrFrame *hello = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);

		hello->hello = vpnr_hello_copy(&params->hello);
		vpnr_mailbox_push(vpnr_link_outbox(link), hello);
	}
	return link;
}

gboolean
vpnr_link_start(VpnrLink *link, GError **error)
{
	link->heard_at = g_get_monotonic_time();
	if (link->protocol != VPNR_PROTOCOL_V2)
		on_hello(link, NULL);
	return vpnr_writer_start(link->writer, error) && vpnr_reader_start(link->reader, error);
}

VpnrMailbox *
vpnr_link_outbox(VpnrLink *link)
{
	return vpnr_writer_mailbox(link->writer);
}

gboolean
vpnr_link_answer(VpnrLink *link, VpnrFrame *frame)
{
	if (vpnr_writer_answers(link->writer) >= VPNR_ANSWERS_MAX) {
		vpnr_frame_free(frame);
		return FALSE;
	}
	vpnr_writer_push_answer(link->writer, frame);
	return TRUE;
}

void
vpnr_link_close(VpnrLink *link, VpnrReason reason)
{
	VpnrFrame *goaway = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	goaway->reason = reason;
	atomic_store(&link->closing, TRUE);
	vpnr_mailbox_push(vpnr_link_outbox(link), goaway);
}

const VpnrLatch *
vpnr_link_ended(const VpnrLink *link)
{
	return link->ended;
}

void
vpnr_link_wait(VpnrLink *link, const VpnrLatch *stop)
{
	struct pollfd pfd[3] = {
		{ .fd = vpnr_latch_fd(link->ended), .events = POLLIN },
		{ .fd = vpnr_latch_fd(stop), .events = POLLIN },
		{ .fd = link->transport->fd }, /* POLLERR and POLLHUP */
	};

	while (poll(pfd, G_N_ELEMENTS(pfd), -1) < 0)
		; /* EINTR */
	if (vpnr_latch_is_tripped(stop))
		vpnr_link_close(link, VPNR_REASON_NONE);
	else
		vpnr_latch_wait(link->ended, PATIENCE_MS);
}

const char *
vpnr_link_end_text(const VpnrLink *link)
{
	if (!vpnr_latch_is_tripped(link->ended) || link->end_text == NULL)
		return "closed";
	return link->end_text;
}

gboolean
vpnr_link_ended_in_order(const VpnrLink *link)
{
	return !vpnr_latch_is_tripped(link->ended) || link->in_order;
}

gint64
vpnr_link_rtt_us(const VpnrLink *link)
{
	return atomic_load(&link->rtt_us);
}

/* The writer ends first: it may still have a GOAWAY to send. Then nothing more can be said, and a
 * reader that waits for a peer that does not close is woken. It may have frames to hand out all the
 * same, whose answers it pushes to the writer: the writer's mailbox has to outlive it. */
void
vpnr_link_free(VpnrLink *link)
{
	if (link == NULL)
		return;
	if (!atomic_load(&link->closing) && link->writer != NULL)
		vpnr_writer_stop(link->writer);
	vpnr_writer_join(link->writer, PATIENCE_MS);
	if (atomic_load(&link->closing))
		vpnr_latch_wait(link->ended, PATIENCE_MS);
	vpnr_transport_shut(link->transport);
	vpnr_reader_free(link->reader);
	vpnr_writer_free(link->writer, 0);
	vpnr_latch_free(link->ended);
	vpnr_transport_free(link->transport);
	g_free(link->end_text);
	g_free(link);
}
