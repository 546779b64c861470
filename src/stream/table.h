/* SPDX-License-Identifier: MIT
 *
 * table: the streams of one link, by id, and what the rules of the protocol say about ids.
 *
 * The reader looks a stream up for every frame that it delivers; the client's connections, each on
 * the thread that becomes its worker, and the server's reader add streams; each worker removes its
 * own. The table knows no link: it gets the mailbox of the writer at birth and pushes into it what
 * the workers send.
 *
 * Lock: table.lock, a leaf but for the push of an OPEN into the writer's mailbox (ids must reach
 * the wire in the order in which they were given out). Nothing blocks under it.
 */
#pragma once

#include <glib.h>

#include "base/mailbox.h"
#include "base/stats.h"
#include "proto/frame.h"
#include "stream/stream.h"

G_BEGIN_DECLS

/* Bytes that the streams of VPNr/1, which has no flow control, may have waiting each before the
 * reader stops reading the link. */
#define VPNR_V1_WINDOW (256 * 1024)

/* Control frames that may wait in the writer per stream that may be open. A stream makes fewer; but
 * a client that opens and ends streams without reading what it is answered would leave those of
 * ended streams behind without end, and so would the applications of a client whose server does not
 * read. The same goes for DATA: see share.h. */
#define VPNR_CONTROL_PER_STREAM 12

typedef struct VpnrTable VpnrTable;

typedef struct {
	VpnrProtocol protocol;
	VpnrRole role;
	VpnrMailbox *outbox; /* of the writer; outlives the streams */
	guint max_streams;   /* open at once; the client learns it from the peer's HELLO */
	guint64 send_limit;  /* what the peer lets us send on a new stream; VPNr/1: G_MAXUINT64 */
	gboolean datagrams;  /* the peer takes DATAGRAM: streams may be of kind UDP */
	VpnrBudget *budget;  /* nullable; outlives the streams */
	VpnrStats *stats;
} VpnrTableParams;

/* An empty table. It takes VPNR_TABLE_QUEUE from the budget: NULL with an error if that has no
 * room. With the first flow it takes VPNR_ROOM_ALL for each direction as well. */
VpnrTable *vpnr_table_new(const VpnrTableParams *params, GError **error);

/* Frees it; no stream is left (vpnr_table_wait_empty). Takes NULL. */
void vpnr_table_free(VpnrTable *table);

/* Why a stream could not be added. */
typedef enum {
	VPNR_TABLE_OK,
	VPNR_TABLE_FULL,   /* max_streams, too much waits to be read, no descriptor, no memory */
	VPNR_TABLE_CLOSED, /* the link is going away */
	VPNR_TABLE_UNSUPPORTED, /* UDP: the peer knows no flows; client: VPNr/1 carries IPv4 only */
	VPNR_TABLE_DUPLICATE, /* server: VPNr/1, the stream is open already: the frame is no news */
	VPNR_TABLE_FLOOD,     /* server: too many answers to earlier streams wait to be read */
	VPNR_TABLE_VIOLATION, /* server: an id that is not above all earlier ones */
} VpnrTableResult;

/* VPNR_TABLE_FULL, for logs. */
#define VPNR_TABLE_FULL_TEXT "too many streams, or no descriptor or memory is left"

/* Client: opens a stream of this kind to dest for the application at peer: picks the id and pushes
 * OPEN. On VPNR_TABLE_OK *stream is the caller's reference (transfer full). Thread-safe. */
VpnrTableResult vpnr_table_open(VpnrTable *table, VpnrKind kind, const VpnrAddr *dest,
				const VpnrAddr *peer, VpnrStream **stream);

/* Server: takes the stream that an OPEN frame (transfer none) announces. As above. Reader
 * thread. */
VpnrTableResult vpnr_table_accept(VpnrTable *table, const VpnrFrame *open, VpnrStream **stream);

/* Delivers a frame other than OPEN to its stream (transfer full). Frames for streams that have
 * ended are counted and dropped. Returns NULL, or the rule that the peer broke. Reader thread. With
 * VPNr/1 it waits while the stream's socket takes nothing, unless that is broken. */
const char *vpnr_table_deliver(VpnrTable *table, VpnrFrame *frame);

/* Takes room in the writer's queue for a DATA frame (vpnr_share_take(), vpnr_share_try_take()), and
 * tells that the frame has become n bytes smaller, or will not be made (worker thread). */
gsize vpnr_table_take_room(VpnrTable *table, VpnrStream *stream, gsize want);
gsize vpnr_table_try_take_room(VpnrTable *table, VpnrStream *stream, gsize want);
void vpnr_table_lower_room(VpnrTable *table, VpnrStream *stream, gsize n);
void vpnr_table_drop_room(VpnrTable *table, VpnrStream *stream, gsize n);

/* Pushes a frame of a stream to the writer (transfer full; the worker, or the reader for a WINDOW).
 * For DATA, room has been taken. */
void vpnr_table_push(VpnrTable *table, VpnrFrame *frame);

/* Pushes a DATAGRAM (transfer full, worker thread). FALSE if there is no room for it: it is dropped
 * and counted. */
gboolean vpnr_table_push_datagram(VpnrTable *table, VpnrStream *stream, VpnrFrame *frame);

/* A DATAGRAM (transfer full) that the reader has delivered leaves the inbox for good (worker
 * thread). */
void vpnr_table_took_datagram(VpnrTable *table, VpnrStream *stream, VpnrFrame *frame);

/* A frame that was pushed leaves the writer (transfer none, writer thread). */
void vpnr_table_released(VpnrTable *table, const VpnrFrame *frame);

/* From now on no frame finds the stream, and none is delivered to it any more; its worker goes on
 * (thread-safe). */
void vpnr_table_forget(VpnrTable *table, VpnrStream *stream);

/* The worker of a stream has ended (transfer none): no frame finds it any more. */
void vpnr_table_remove(VpnrTable *table, VpnrStream *stream);

/* Who has the stream's socket (stream/lend.h): n bytes have gone to it, now (monotonic us);
 * all_taken: it has room for more. Tells the peer that it may send as much again, if that is due
 * and it has not sent its end (docs/protocol.md, 2.7.6). VPNr/1: wakes a reader that waits for it.
 */
void vpnr_table_give_credit(VpnrTable *table, VpnrStream *stream, gsize n, gboolean all_taken,
			    gint64 now);

/* The stream's socket takes nothing more, and DATA that comes for it is dropped (worker thread).
 * VPNr/1: wakes a reader that waits for it. */
void vpnr_table_set_broken(VpnrTable *table, VpnrStream *stream);

/* Bytes of data that a DATA frame should have at the most, VPNR_DATA_BULK until it is said
 * (thread-safe). */
void vpnr_table_set_frame_size(VpnrTable *table, gsize most);
gsize vpnr_table_frame_size(const VpnrTable *table);

/* Whether the link has a long path, for the streams that are opened from now on (thread-safe). */
void vpnr_table_set_far(VpnrTable *table, gboolean is_far);

/* One worker more, or one less, carries much (thread-safe). */
void vpnr_table_count_bulk(VpnrTable *table, gboolean in_bulk);

/* How many do (thread-safe, a snapshot). */
guint vpnr_table_in_bulk(const VpnrTable *table);

/* Refuses new streams and aborts those that are open (thread-safe). */
void vpnr_table_close(VpnrTable *table, VpnrReason reason);

/* Waits until the last worker has removed its stream. After vpnr_table_close(). */
void vpnr_table_wait_empty(VpnrTable *table);

/* Streams that are open now (thread-safe). */
guint vpnr_table_size(VpnrTable *table);

/* How much the table gives its link to do (thread-safe). */
typedef struct {
	guint streams; /* open now */
	gint64 queued; /* bytes of DATA that wait in the writer, see share.h */
} VpnrTableLoad;

VpnrTableLoad vpnr_table_load(VpnrTable *table);

/* Calls func for each stream, with the lock held: it must not block and not call the table
 * (thread-safe). */
void vpnr_table_foreach(VpnrTable *table, void (*func)(VpnrStream *stream, gpointer data),
			gpointer data);

/* What the table was made with (thread-safe). */
VpnrProtocol vpnr_table_protocol(const VpnrTable *table);
VpnrRole vpnr_table_role(const VpnrTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrTable, vpnr_table_free)

G_END_DECLS
