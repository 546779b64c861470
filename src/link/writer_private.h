/* SPDX-License-Identifier: MIT
 *
 * writer_private: the inside of a writer, for writer.c, which has what other threads call, and
 * writer_thread.c, which has what happens on its own.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/latch.h"
#include "base/patience.h"
#include "base/thread.h"
#include "link/batch.h"
#include "link/replay.h"
#include "link/reserve.h"
#include "link/schedule.h"
#include "link/writer.h"
#include "proto/codec.h"

struct VpnrWriter {
	/* const after start */
	VpnrWriterParams params;
	gboolean sequenced; /* VPNr/2 */
	VpnrMailbox *mailbox;
	VpnrLatch *done;
	VpnrThread *thread;
	/* writer thread */
	VpnrTransport *transport; /* NULL: no link */
	VpnrSchedule *schedule;
	VpnrEncoder *encoder;
	VpnrReplay *replay;
	VpnrReserve reserve;      /* for replay */
	VpnrBatch batch;          /* how large one may be */
	gsize filled;             /* bytes of the present one */
	GByteArray *short_frames; /* of it that the transport has not been given */
	gboolean broken;          /* the transport did not take some of it */
	guint company;            /* frames in the last batch; 0 if they were not short */
	gboolean goodbye;
	VpnrPatienceWatch watch;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t let_go;
	VpnrTransport *offered; /* by attach, until the writer takes it */
	guint64 offer;          /* which one it is */
	gboolean attached;      /* the writer uses a transport */
	/* atomic */
	_Atomic gint answers;
	_Atomic gboolean stopping;
	_Atomic gboolean leaving; /* detach waits for us */
	_Atomic guint64 sent;     /* sequenced frames; raised before their bytes leave */
	_Atomic guint64 acked;    /* of them */
	_Atomic guint64 received; /* sequenced frames of the peer */
	_Atomic guint64 told;     /* as the peer knows it */
	_Atomic gboolean ack_due; /* it is to know now */
	_Atomic gboolean is_full; /* nothing new can be sent before an ACK comes */
	_Atomic guint64 replay_bytes;
	_Atomic guint64 link_bytes; /* sent on this link */
};

/* The writer thread. */
void vpnr_writer_run(gpointer data);
