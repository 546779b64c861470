/* SPDX-License-Identifier: MIT
 *
 * session: see session.h. The owner's thread runs everything but the reports; the frames
 * themselves are the business of writer.c and link.c.
 */
#include "link/session.h"

#include <pthread.h>

#include "link/writer.h"

/* Milliseconds that a session which is to end has for doing so in order, and that its writer has
 * for the last frames: a GOAWAY on a healthy link takes one round trip, and main wants to be gone
 * within two seconds. */
#define PATIENCE_MS 500

struct VpnrSession {
	/* const after start */
	VpnrSessionParams params;
	VpnrWriter *writer;
	/* owner */
	VpnrTransport *transport;
	gboolean closing;
	/* lock; the owner changes it and may read it without */
	pthread_mutex_t lock;
	VpnrLink *link;
};

VpnrSession *
vpnr_session_new(const VpnrSessionParams *params, GError **error)
{
	VpnrSession *session = g_new0(VpnrSession, 1);

	session->params = *params;
	pthread_mutex_init(&session->lock, NULL);
	session->writer =
	    vpnr_writer_new(&(VpnrWriterParams){ .protocol = params->protocol,
						 .role = params->role,
						 .number = params->number,
						 .released = params->handler->released,
						 .paced = params->handler->paced,
						 .data = params->data,
						 .budget = params->budget,
						 .stats = params->stats },
			    error);
	if (session->writer == NULL || !vpnr_writer_start(session->writer, error)) {
		vpnr_session_free(session);
		return NULL;
	}
	return session;
}

VpnrMailbox *
vpnr_session_outbox(VpnrSession *session)
{
	return vpnr_writer_mailbox(session->writer);
}

gboolean
vpnr_session_answer(VpnrSession *session, VpnrFrame *frame)
{
	return vpnr_writer_answer(session->writer, frame);
}

/* --- links ------------------------------------------------------------------------------------ */

guint64
vpnr_session_received(const VpnrSession *session)
{
	return vpnr_writer_received(session->writer);
}

gboolean
vpnr_session_can_resume(const VpnrSession *session, guint64 received)
{
	return vpnr_writer_can_resume(session->writer, received);
}

gboolean
vpnr_session_is_stale(const VpnrSession *session, guint64 received)
{
	return vpnr_writer_is_stale(session->writer, received);
}

static void
set_link(VpnrSession *session, VpnrLink *link)
{
	pthread_mutex_lock(&session->lock);
	session->link = link;
	pthread_mutex_unlock(&session->lock);
}

/* The writer first: what the reader asks it to send belongs to this link. */
gboolean
vpnr_session_attach(VpnrSession *session, VpnrTransport *transport, const GByteArray *early,
		    guint64 received, GError **error)
{
	const VpnrSessionParams *params = &session->params;
	VpnrLink *link;

	session->transport = transport;
	vpnr_writer_attach(session->writer, transport, received);
	link = vpnr_link_start(&(VpnrLinkParams){ .transport = transport,
						  .early = early,
						  .protocol = params->protocol,
						  .role = params->role,
						  .number = params->number,
						  .writer = session->writer,
						  .frame = params->handler->frame,
						  .data = params->data,
						  .worn_bytes = params->worn_bytes,
						  .stats = params->stats },
			       error);
	set_link(session, link);
	if (link == NULL)
		vpnr_session_detach(session);
	return link != NULL;
}

VpnrLinkEnd
vpnr_session_detach(VpnrSession *session)
{
	VpnrLink *link = session->link;
	VpnrLinkEnd end = VPNR_LINK_LOST;

	if (session->transport == NULL)
		return end;
	vpnr_writer_detach(session->writer, session->transport);
	if (link != NULL) {
		vpnr_link_join(link);
		end = vpnr_link_end(link);
	}
	set_link(session, NULL);
	vpnr_link_free(link);
	g_clear_pointer(&session->transport, vpnr_transport_free);
	return end;
}

gboolean
vpnr_session_is_attached(const VpnrSession *session)
{
	return session->transport != NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

void
vpnr_session_prepare_poll(const VpnrSession *session, struct pollfd fds[static VPNR_SESSION_FDS])
{
	for (int i = 0; i < VPNR_SESSION_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (session->link == NULL)
		return;
	fds[0] = (struct pollfd){ .fd = vpnr_latch_fd(vpnr_link_ended(session->link)),
				  .events = POLLIN };
	if (!vpnr_session_link_is_worn(session))
		fds[1] = (struct pollfd){ .fd = vpnr_latch_fd(vpnr_link_worn(session->link)),
					  .events = POLLIN };
	if (session->params.protocol != VPNR_PROTOCOL_V2)
		fds[2].fd = session->transport->fd; /* POLLERR and POLLHUP */
}

VpnrLinkEnd
vpnr_session_link_end(const VpnrSession *session, const struct pollfd fds[static VPNR_SESSION_FDS])
{
	if (fds[2].revents != 0 && !vpnr_latch_wait(vpnr_link_ended(session->link), PATIENCE_MS))
		return VPNR_LINK_LOST;
	return vpnr_link_end(session->link);
}

gboolean
vpnr_session_link_is_worn(const VpnrSession *session)
{
	return vpnr_latch_is_tripped(vpnr_link_worn(session->link));
}

int
vpnr_session_link_fd(const VpnrSession *session)
{
	return session->transport->fd;
}

const char *
vpnr_session_link_text(const VpnrSession *session)
{
	return vpnr_link_end_text(session->link);
}

/* --- the end ---------------------------------------------------------------------------------- */

void
vpnr_session_close(VpnrSession *session, VpnrReason reason)
{
	VpnrFrame *goaway = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	goaway->reason = reason;
	session->closing = TRUE;
	vpnr_mailbox_push(vpnr_session_outbox(session), goaway);
}

/* The writer may have a GOAWAY to send, ours or that of a violation. Then nothing more can be said,
 * and a reader that waits for a peer that does not close is woken. It may have frames to hand out
 * all the same, whose answers it pushes to the writer: the writer's mailbox has to outlive it. */
void
vpnr_session_free(VpnrSession *session)
{
	gboolean goodbye;

	if (session == NULL)
		return;
	goodbye = session->link != NULL &&
		  (session->closing || vpnr_link_end(session->link) == VPNR_LINK_VIOLATION);
	vpnr_writer_join(session->writer, session->transport, goodbye ? PATIENCE_MS : 0);
	if (session->link != NULL && session->closing)
		vpnr_latch_wait(vpnr_link_ended(session->link), PATIENCE_MS);
	vpnr_session_detach(session);
	vpnr_writer_free(session->writer);
	pthread_mutex_destroy(&session->lock);
	g_free(session);
}

/* --- reports ---------------------------------------------------------------------------------- */

VpnrSessionStatus
vpnr_session_status(VpnrSession *session)
{
	VpnrSessionStatus status = { .rtt_us = -1,
				     .replay_bytes = vpnr_writer_replay_bytes(session->writer) };

	pthread_mutex_lock(&session->lock);
	if (session->link != NULL) {
		status.attached = TRUE;
		status.link_since_us = vpnr_link_since_us(session->link);
		status.rtt_us = vpnr_link_rtt_us(session->link);
	}
	pthread_mutex_unlock(&session->lock);
	return status;
}
