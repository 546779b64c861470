/* SPDX-License-Identifier: MIT
 *
 * stream: one proxied connection as the threads that serve it share it: the reader, which delivers,
 * and the worker, which owns the socket. The table holds a reference as long as frames may come,
 * the worker until it has ended.
 *
 * Only stream/ writes the struct. What is const or atomic in it may be read by whoever holds a
 * reference, or the table's lock: by reports, and by contrib/gdb/vpnr-gdb.py.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "base/addr.h"
#include "base/mailbox.h"
#include "proto/frame.h"
#include "stream/credit.h"

G_BEGIN_DECLS

/* Bytes, headers and overhead included, that one stream may have waiting in the writer before its
 * worker stops reading its socket; one more frame may go over it. Four of the largest frames keep
 * the writer busy while the worker wakes up. */
#define VPNR_STREAM_QUEUE (256 * 1024)

/* What a frame costs in memory beside its data: allocation, struct, queue node. It keeps a stream
 * of one-byte frames bounded. */
#define VPNR_STREAM_FRAME_COST 128

/* What a stream is doing, for people. */
typedef enum {
	VPNR_STREAM_OPENING, /* the destination is not connected yet */
	VPNR_STREAM_OPEN,
	VPNR_STREAM_LOCAL_CLOSED,  /* our socket has ended, the peer may still send */
	VPNR_STREAM_REMOTE_CLOSED, /* the other way round */
	VPNR_STREAM_CLOSING,       /* both have ended, data is still under way to our socket */
	VPNR_STREAM_CLOSED,
} VpnrStreamState;

typedef struct VpnrStream {
	/* const after birth */
	guint32 id;
	VpnrAddr dest;
	VpnrAddr peer;      /* client: the application; server: none */
	gint64 born_us;     /* monotonic */
	VpnrMailbox *inbox; /* DATA, FIN, END, OPENED for the worker */
	/* reader thread */
	gboolean opened; /* OPENED has come; server and VPNr/1: always */
	gboolean failed; /* END has come */
	/* shared as credit.h says */
	VpnrSendCredit send;
	VpnrRecvCredit recv;
	/* atomic */
	_Atomic gint refs;
	_Atomic VpnrReason reset;      /* set once, by whoever aborts; then the inbox is woken */
	_Atomic gboolean fin_sent;     /* worker: FIN or RESET has been pushed */
	_Atomic gboolean ended;        /* reader: FIN or END has come */
	_Atomic gint64 queued;         /* what the DATA frames in the writer's hands cost */
	_Atomic guint64 bytes_in;      /* from the link to our socket */
	_Atomic guint64 bytes_out;     /* from our socket to the link */
	_Atomic VpnrStreamState state; /* worker */
	_Atomic gint tid;              /* of the worker, 0 before */
	/* lock of the table */
	struct VpnrStream *prev, *next;
} VpnrStream;

/* A new stream with one reference. send_limit: what the peer lets us send at first. NULL with an
 * error when no descriptor is left. */
VpnrStream *vpnr_stream_new(guint32 id, const VpnrAddr *dest, const VpnrAddr *peer,
			    guint64 send_limit, guint64 recv_window, GError **error);

/* One reference more (thread-safe), and one less: the last frees the stream. unref takes NULL. */
VpnrStream *vpnr_stream_ref(VpnrStream *stream);
void vpnr_stream_unref(VpnrStream *stream);

/* Aborts the stream: the worker finds the reason, whatever else is in its inbox. The first reason
 * stays (thread-safe). */
void vpnr_stream_reset(VpnrStream *stream, VpnrReason reason);

/* The reason of an abort, or VPNR_REASON_NONE (thread-safe). */
VpnrReason vpnr_stream_reset_reason(VpnrStream *stream);

/* The worker has pushed a DATA frame of n bytes to the writer, which has sent it: between the two
 * calls, it counts against VPNR_STREAM_QUEUE. */
void vpnr_stream_queued(VpnrStream *stream, gsize n);
void vpnr_stream_sent(VpnrStream *stream, gsize n);

/* TRUE if the worker may push one more frame. If not, the inbox is woken when it may (worker). */
gboolean vpnr_stream_may_queue(VpnrStream *stream);

/* "opening", "open" ... (transfer none). */
const char *vpnr_stream_state_name(VpnrStreamState state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrStream, vpnr_stream_unref)

G_END_DECLS
