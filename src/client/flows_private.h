/* SPDX-License-Identifier: MIT
 *
 * flows_private: the inside of an inbound's flows, for flows.c, which has their threads and those
 * that give datagrams, and flows_table.c, the table with what waits in it.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/latch.h"
#include "client/flows.h"
#include "stream/room.h"
#include "stream/stream.h"

typedef struct {
	VpnrAddr peer; /* the application */
	VpnrAddr dest; /* as the application named it */
} VpnrFlowsPair;

typedef struct {
	/* const after birth */
	VpnrFlows *flows;
	VpnrFlowsPair pair;
	/* lock */
	GQueue waiting;     /* of GBytes (owned) */
	VpnrRoom room;      /* that they take */
	VpnrStream *stream; /* (owned) NULL: not open yet */
} VpnrFlowsEntry;

struct VpnrFlows {
	/* const after start */
	VpnrFlowsParams params;
	VpnrLatch *stop;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t emptied;
	GHashTable *by_pair; /* VpnrFlowsPair to VpnrFlowsEntry: those that datagrams find */
	guint count;         /* with those that have ended and whose thread has not */
	VpnrRoom room;       /* of all flows' waiting datagrams */
	gboolean stopped;
	gboolean was_full; /* and it has been logged */
	gint64 look_at;    /* monotonic us: when flows at rest may be looked for again */
	/* atomic */
	_Atomic guint n_waiting; /* flows that wait for a link */
};

/* by_pair, without an entry. */
GHashTable *vpnr_flows_table_new(void);

/* A new entry, which datagrams find, or NULL: there are as many as allowed, or no more will be.
 * *news: the limit has been reached. A flood is one piece of news until half of the limit is free
 * again. */
VpnrFlowsEntry *vpnr_flows_add_locked(VpnrFlows *flows, const VpnrFlowsPair *pair, gboolean *news);

/* Nobody finds the entry any more. */
void vpnr_flows_forget_locked(VpnrFlows *flows, VpnrFlowsEntry *flow);

/* The end of an entry, without the lock. */
void vpnr_flows_remove(VpnrFlowsEntry *flow);

/* Keeps a datagram (copied) that waits for the stream, or drops it or the oldest one. */
void vpnr_flows_keep_locked(VpnrFlowsEntry *flow, const guint8 *bytes, gsize n);

/* The oldest one that waits (transfer full), or NULL. */
GBytes *vpnr_flows_pop_locked(VpnrFlowsEntry *flow);

/* If there are nearly as many flows as allowed: forgets those that have been at rest for longest.
 * Returns their streams (transfer full), to be ended without the lock, or NULL: none. */
GPtrArray *vpnr_flows_take_rested_locked(VpnrFlows *flows);
