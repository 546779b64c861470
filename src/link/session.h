/* SPDX-License-Identifier: MIT
 *
 * session: what outlives links: the queue of frames to send, the writer with its replay buffer, and
 * the count of what has come. Streams and applications see the session and never a link.
 *
 * A session has one owner, a thread of client or server, which attaches links that have exchanged
 * their HELLOs (greeting.h) and detaches those that have ended:
 *
 *	vpnr_session_new()
 *	for each link:
 *		vpnr_session_attach(); wait for its end; vpnr_session_detach()
 *	vpnr_session_free()
 *
 * A session of VPNr/1 has one link only: that protocol cannot say where another should go on.
 */
#pragma once

#include <glib.h>
#include <poll.h>

#include "base/budget.h"
#include "base/latch.h"
#include "base/mailbox.h"
#include "base/stats.h"
#include "link/link.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

typedef struct VpnrSession VpnrSession;

typedef struct {
	/* A frame of a stream (transfer full). Reader thread. Returns NULL, or a phrase that says
	 * which rule the peer broke: the session then ends. Must not block, except that VPNr/1 has
	 * no other way to slow its peer down. */
	const char *(*frame)(gpointer data, VpnrFrame *frame);
	/* A frame of a stream (transfer none) leaves the queue: it is about to be sent for the
	 * first time, or is dropped because its stream is over. Writer thread. */
	void (*released)(gpointer data, const VpnrFrame *frame);
	/* So many bytes of data a DATA frame should have at the most, for as long as the link is as
	 * fast as now. Nullable. Writer thread. */
	void (*paced)(gpointer data, gsize most);
} VpnrSessionHandler;

typedef struct {
	VpnrProtocol protocol;
	VpnrRole role;
	guint number; /* of several side by side, for the names of threads; 0: the only one */
	const VpnrSessionHandler *handler; /* lives as long as the session */
	gpointer data;                     /* for the handler */
	guint64 worn_bytes;                /* of one link, see link.h */
	VpnrBudget *budget;                /* for replay; nullable, outlives the session */
	VpnrStats *stats;
} VpnrSessionParams;

/* A session without a link. Frames can be pushed. NULL with an error when a descriptor, a thread or
 * budget is missing. */
VpnrSession *vpnr_session_new(const VpnrSessionParams *params, GError **error);

/* The writer's mailbox: whoever pushes a frame into it gives it away (transfer none, thread-safe,
 * valid as long as the session). */
VpnrMailbox *vpnr_session_outbox(VpnrSession *session);

/* Pushes a frame that answers one of the peer's (transfer full, reader thread). FALSE if
 * VPNR_ANSWERS_MAX wait already: the peer broke the protocol. */
gboolean vpnr_session_answer(VpnrSession *session, VpnrFrame *frame);

/* --- for the owner ---------------------------------------------------------------------------- */

/* Sequenced frames that have come: what our HELLO tells. No link is attached. */
guint64 vpnr_session_received(const VpnrSession *session);

/* TRUE if the peer may say that it has received that many. No link is attached. */
gboolean vpnr_session_can_resume(const VpnrSession *session, guint64 received);

/* TRUE if the peer has acknowledged more than that already: who says it now was overtaken. A link
 * may be attached. */
gboolean vpnr_session_is_stale(const VpnrSession *session, guint64 received);

/* Goes on with a new link (transport: transfer full), whose peer has received that many of our
 * sequenced frames; early is what came behind its HELLO (nullable). No link is attached. FALSE with
 * an error when a descriptor or a thread is missing; there is no link then. */
gboolean vpnr_session_attach(VpnrSession *session, VpnrTransport *transport,
			     const GByteArray *early, guint64 received, GError **error);

/* Ends the link at once, if there is one: what it has received whole counts, what was under way on
 * it will be sent again on the next. VPNR_LINK_LOST: the session can go on. Anything else: its end
 * was among what the link had still to say. */
VpnrLinkEnd vpnr_session_detach(VpnrSession *session);

gboolean vpnr_session_is_attached(const VpnrSession *session);

/* Descriptors for a poll() that is to wake up when the link has ended or is worn. Without a link,
 * none. */
#define VPNR_SESSION_FDS 3
void
vpnr_session_prepare_poll(const VpnrSession *session, struct pollfd fds[static VPNR_SESSION_FDS]);

/* After such a poll(): how the link has ended, or VPNR_LINK_OPEN; and whether it is worn. VPNr/1: a
 * connection that has broken is an end as well, since the reader may be held up by a stream and not
 * have noticed: the owner makes the stream go on. A reader of VPNr/2 is never held up, and only it
 * knows whether what came before the break was a GOAWAY. */
VpnrLinkEnd
vpnr_session_link_end(const VpnrSession *session, const struct pollfd fds[static VPNR_SESSION_FDS]);
gboolean vpnr_session_link_is_worn(const VpnrSession *session);

/* The socket of the link that is attached (transfer none). */
int vpnr_session_link_fd(const VpnrSession *session);

/* Why the link ended, for logs (transfer none, until it is detached). */
const char *vpnr_session_link_text(const VpnrSession *session);

/* Says GOAWAY with this reason on the link there is. Then vpnr_session_free(). */
void vpnr_session_close(VpnrSession *session, VpnrReason reason);

/* Ends the link, a closed one in order if the peer plays along, and frees. Nobody may use the
 * outbox any more; the handler's data must still be alive. Takes NULL. */
void vpnr_session_free(VpnrSession *session);

/* --- for reports (thread-safe) ---------------------------------------------------------------- */

typedef struct {
	gboolean attached;
	gint64 link_since_us; /* monotonic; 0: no link */
	gint64 rtt_us;        /* of the link, or -1 */
	guint64 replay_bytes; /* kept until they are acknowledged */
} VpnrSessionStatus;

VpnrSessionStatus vpnr_session_status(VpnrSession *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrSession, vpnr_session_free)

G_END_DECLS
