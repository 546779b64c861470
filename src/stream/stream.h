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
#include "stream/lend.h"
#include "stream/room.h"
#include "stream/share.h"

G_BEGIN_DECLS

/* What a stream takes from the budget at birth beside its window: the small frame that it may
 * always queue. */
#define VPNR_STREAM_RESERVE (VPNR_STREAM_SMALL + VPNR_STREAM_FRAME_COST)

/* What a stream is doing, for people. */
typedef enum {
	VPNR_STREAM_OPENING, /* the destination is not connected yet */
	VPNR_STREAM_OPEN,
	VPNR_STREAM_LOCAL_CLOSED,  /* our socket has ended, the peer may still send */
	VPNR_STREAM_REMOTE_CLOSED, /* the other way round */
	VPNR_STREAM_CLOSING,       /* both have ended, data is still under way to our socket */
	VPNR_STREAM_CLOSED,
} VpnrStreamState;

/* What a stream waits for, for people. */
typedef enum {
	VPNR_WAITS_OPENING, /* the destination is being connected */
	VPNR_WAITS_DATA,    /* from whichever side: there is nothing to carry */
	VPNR_WAITS_SOCKET,  /* our application or destination does not take what has come */
	VPNR_WAITS_WINDOW,  /* the peer gives no credit: its socket does not take what was sent */
	VPNR_WAITS_LINK,    /* the link does not carry away what has been queued */
} VpnrStreamWaits;

typedef struct VpnrStream {
	/* const after birth */
	guint32 id;
	VpnrKind kind;
	VpnrPackedAddr *dest;
	VpnrPackedAddr *peer; /* client: the application; server: none */
	gint64 born_us;       /* monotonic */
	VpnrMailbox *inbox;   /* DATA, FIN, END, DATAGRAM for the worker */
	/* reader thread */
	gint64 long_at; /* monotonic us: when a long frame of DATA came last (handover.h) */
	/* shared as credit.h, lend.h and share.h say */
	VpnrSendCredit send;
	VpnrRecvCredit recv;
	VpnrLend lend;   /* of our socket, for writing */
	VpnrShare share; /* of the writer's queue */
	/* datagrams of a flow; atomic */
	VpnrRoom outbound; /* on their way to the link */
	VpnrRoom inbound;  /* from the link, not yet at the socket */
	VpnrRoom fed;      /* in the inbox, by vpnr_flow_feed() */
	_Atomic guint64 datagrams_in;
	_Atomic guint64 datagrams_out;
	/* atomic */
	_Atomic gint refs;
	_Atomic VpnrReason reset; /* set once, by whoever aborts; then the inbox is woken */
	_Atomic gboolean opened;  /* reader: OPENED has come; server and VPNr/1: always */
	_Atomic gboolean opened_is_awaited; /* worker: it does nothing before */
	_Atomic gboolean fin_sent;          /* worker: FIN has been pushed; flow: it is over */
	_Atomic gboolean reset_sent;        /* worker: RESET has been pushed */
	_Atomic gboolean ended;             /* reader: FIN or END has come */
	_Atomic gboolean failed;            /* reader: END has come */
	_Atomic gboolean broken;            /* worker: its socket takes nothing more */
	_Atomic guint64 bytes_in;           /* from the link to our socket */
	_Atomic guint64 bytes_out;          /* from our socket to the link */
	_Atomic VpnrStreamState state;      /* worker; reader: it is not OPENING any more */
	_Atomic VpnrStreamWaits waits;      /* worker: what it last went to sleep for */
	_Atomic gint64 waits_since_us;      /* monotonic: nothing has moved since */
	_Atomic gint tid;                   /* of the worker, 0 before */
	/* lock of the table */
	struct VpnrStream *prev, *next;
} VpnrStream;

typedef struct {
	guint32 id;
	VpnrKind kind;
	const VpnrAddr *dest; /* copied, as the next */
	const VpnrAddr *peer; /* nullable */
	guint64 send_limit;   /* what the peer lets us send at first */
	guint64 window;       /* what it may send at first */
	guint64 window_max;   /* and at the most beyond what our socket has taken */
	gboolean is_far;      /* on a long path */
	VpnrBudget *budget;   /* nullable; outlives the stream */
} VpnrStreamParams;

/* A new stream with one reference. NULL with an error when no descriptor (G_FILE_ERROR) or no
 * memory in the budget (G_FILE_ERROR_NOMEM) is left. */
VpnrStream *vpnr_stream_new(const VpnrStreamParams *params, GError **error);

/* One reference more (thread-safe), and one less: the last frees the stream. unref takes NULL. */
VpnrStream *vpnr_stream_ref(VpnrStream *stream);
void vpnr_stream_unref(VpnrStream *stream);

/* Worker: it is the calling thread, which is named after the stream from now on. */
void vpnr_stream_take_thread(VpnrStream *stream);

/* Aborts the stream: the worker finds the reason, whatever else is in its inbox. The first reason
 * stays (thread-safe). */
void vpnr_stream_reset(VpnrStream *stream, VpnrReason reason);

/* The reason of an abort, or VPNR_REASON_NONE (thread-safe). */
VpnrReason vpnr_stream_reset_reason(VpnrStream *stream);

/* Worker: it goes to sleep for this. has_moved: something was carried since it last did. */
void vpnr_stream_set_waits(VpnrStream *stream, VpnrStreamWaits waits, gboolean has_moved);

/* What it waits for (thread-safe): before OPENED has come, for that, or for the link. */
VpnrStreamWaits vpnr_stream_get_waits(const VpnrStream *stream);

/* Reader: it has written n bytes to the socket. */
void vpnr_stream_add_written(VpnrStream *stream, gsize n);

/* "opening", "open" ... (transfer none). */
const char *vpnr_stream_state_name(VpnrStreamState state);

/* "data", "application" (client), "destination" (server) ... (transfer none). */
const char *vpnr_stream_waits_name(VpnrStreamWaits waits, VpnrRole role);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrStream, vpnr_stream_unref)

G_END_DECLS
