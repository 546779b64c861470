/* SPDX-License-Identifier: MIT
 *
 * admit: opens a stream on the link that is there, or on the next one. Waits; on the thread of the
 * connection or flow that becomes the stream.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "base/addr.h"
#include "base/latch.h"
#include "client/await.h"
#include "client/uplinks.h"
#include "proto/frame.h"
#include "stream/table.h"

G_BEGIN_DECLS

typedef struct {
	VpnrUplinks *uplinks;
	VpnrKind kind;
	const VpnrAddr *dest;
	const VpnrAddr *peer; /* the application */
	int fd;               /* its connected TCP socket, or -1: it cannot go away */
	const VpnrLatch *stop;
	int max_ms; /* for waiting, if the uplinks' patience is not less; -1: no bound */
	_Atomic guint *n_waiting; /* one more while it waits */
} VpnrAdmitParams;

/* As vpnr_uplinks_open(); VPNR_TABLE_CLOSED: no link came, and *end says why it was waited for no
 * longer. While it waits the thread is named after that. */
VpnrTableResult
vpnr_admit(const VpnrAdmitParams *params, VpnrTable **table, VpnrStream **stream, VpnrAwait *end);

G_END_DECLS
