/* SPDX-License-Identifier: MIT
 *
 * side: one end of a link, client or server: a session and its table, without TLS. What a server
 * does with an OPEN is the test's.
 */
#pragma once

#include "base/pool.h"
#include "link/session.h"
#include "stream/table.h"

G_BEGIN_DECLS

typedef struct Side Side;

struct Side {
	VpnrStats stats;
	VpnrPool *pool;
	VpnrSession *session;
	VpnrTable *table;
	VpnrRole role;
	void (*on_open)(Side *side, const VpnrFrame *open); /* server; reader thread */
	gpointer data;                                      /* the test's */
};

/* No link is attached. What HELLOs would have said is agreed: both sides take datagrams. */
void side_init(Side *side, VpnrRole role, void (*on_open)(Side *side, const VpnrFrame *open));

/* Takes the session down as client and server do. */
void side_clear(Side *side);

G_END_DECLS
