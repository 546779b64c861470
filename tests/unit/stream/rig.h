/* SPDX-License-Identifier: MIT
 *
 * rig: a table on a mailbox, in the place of a link: the test plays the reader, which delivers, and
 * the writer, which pops the outbox. Used by the tests of stream/.
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "stream/table.h"

G_BEGIN_DECLS

typedef struct {
	VpnrStats stats;
	VpnrMailbox *outbox;
	VpnrTable *table;
} Rig;

/* A table of this kind that takes 100 streams, flows among them, each of which may send send_limit
 * bytes at first. */
void rig_init(Rig *rig, VpnrProtocol protocol, VpnrRole role, guint64 send_limit);

/* The same with other bounds. */
void rig_init_full(Rig *rig, const VpnrTableParams *params);

/* No frame and no stream may be left. */
void rig_clear(Rig *rig);

/* Client: opens a stream to rig_dest(), and takes its OPEN out of the outbox (transfer full). */
VpnrStream *rig_open(Rig *rig);

/* Server: what an OPEN with this id comes to. */
VpnrTableResult rig_accept(Rig *rig, guint32 id, VpnrStream **stream);

/* The same for UDP flows; neither side opens one in vain. */
VpnrStream *rig_open_flow(Rig *rig);
VpnrStream *rig_accept_flow(Rig *rig, guint32 id);

VpnrAddr rig_dest(void);

/* Delivers a frame: of a type alone, DATA, RESET, WINDOW. NULL or the violation. */
const char *rig_deliver(Rig *rig, VpnrFrameType type, guint32 id);
const char *rig_deliver_data(Rig *rig, guint32 id, gconstpointer bytes, gsize n);
const char *rig_deliver_datagram(Rig *rig, guint32 id, gconstpointer bytes, gsize n);
const char *rig_deliver_reset(Rig *rig, guint32 id, VpnrReason reason);
const char *rig_deliver_window(Rig *rig, guint32 id, guint64 limit);

/* The next frame for the link (transfer full); waits, and reports it as a writer does. */
VpnrFrame *rig_next(Rig *rig);

/* The next frame must be of this type and stream. */
void rig_expect(Rig *rig, VpnrFrameType type, guint32 id);
void rig_expect_reset(Rig *rig, guint32 id, VpnrReason reason);

/* Pushes a DATA frame with n bytes as the stream's worker would. FALSE if it may not. */
gboolean rig_push_data(Rig *rig, VpnrStream *stream, gsize n);

/* Takes n bytes of DATA, which must be these. Neither more bytes nor other frames may be among
 * them. */
void rig_expect_data(Rig *rig, guint32 id, gconstpointer bytes, gsize n);

/* The next frame must be a DATAGRAM of these n bytes. */
void rig_expect_datagram(Rig *rig, guint32 id, gconstpointer bytes, gsize n);

/* Frames that were dropped because their stream had ended. */
guint64 rig_stale(Rig *rig);

/* Does what a worker does last: takes the stream out of the table and gives up its reference. */
void rig_remove(Rig *rig, VpnrStream *stream);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rig, rig_clear)

G_END_DECLS
