/* SPDX-License-Identifier: MIT
 *
 * outflow: what has come for a socket that does not take it yet: DATA frames in order, owned by one
 * worker.
 *
 * The peer's credit bounds the bytes in it; that the memory stays near the bytes, small frames
 * behind others are put together, in blocks that are cut to their size when a long one follows.
 */
#pragma once

#include <glib.h>

#include "proto/frame.h"

G_BEGIN_DECLS

/* All zeros is an empty one; vpnr_outflow_clear() leaves nothing to free. */
typedef struct {
	GQueue frames; /* of VpnrFrame */
	gsize offset;  /* bytes of the first that are written */
	/* bytes that may still be appended to the last; 0 unless it is a block of our own */
	gsize spare;
} VpnrOutflow;

/* Appends a DATA frame (transfer full). */
void vpnr_outflow_push(VpnrOutflow *outflow, VpnrFrame *frame);

/* Drops everything. */
void vpnr_outflow_clear(VpnrOutflow *outflow);

/* TRUE if the socket has taken everything. */
gboolean vpnr_outflow_is_empty(const VpnrOutflow *outflow);

/* Writes as much as the non-blocking socket takes. *written are the bytes that it took. FALSE with
 * errno if the socket is broken. */
gboolean vpnr_outflow_write(VpnrOutflow *outflow, int fd, gsize *written);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VpnrOutflow, vpnr_outflow_clear)

G_END_DECLS
