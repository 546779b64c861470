/* SPDX-License-Identifier: MIT
 *
 * table_private: the inside of a table, for table.c, deliver.c and submit.c only (and
 * contrib/gdb/vpnr-gdb.py).
 */
#pragma once

#include <pthread.h>

#include "stream/handover.h"
#include "stream/retired.h"
#include "stream/table.h"

struct VpnrTable {
	/* const after start */
	VpnrTableParams params;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a stream was removed, room was made, the table was closed */
	GHashTable *streams;    /* id to VpnrStream: those that frames find */
	VpnrStream *first;    /* all streams whose worker runs; the table has a reference to each */
	guint n_streams;      /* in that list */
	guint32 highest;      /* the highest (VPNr/1, client: the last) id used so far */
	VpnrRetired *retired; /* VPNr/1 */
	gboolean closed;
	gboolean has_flows; /* there was one: their rooms are taken from the budget */
	/* reader thread, one after the other */
	VpnrHandover handover;
	/* atomic */
	/* in the writer's hands, of streams that have ended as well */
	_Atomic gint control; /* frames, but DATA and answers */
	VpnrQueued queued;    /* DATA */
	_Atomic gint in_bulk; /* workers */
	_Atomic gsize frame_size;
	_Atomic gboolean is_far; /* the peer */
	VpnrRoom outbound;       /* DATAGRAM, in the outboxes and the writer's hands */
	VpnrRoom inbound;        /* DATAGRAM, in the inboxes */
};
