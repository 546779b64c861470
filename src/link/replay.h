/* SPDX-License-Identifier: MIT
 *
 * replay: the sequenced frames that were sent and that the peer has not acknowledged. If the link
 * is lost, they are sent again on the next one. Pure: no thread, no clock; the writer owns it.
 *
 * Frames have no number on the wire: both sides count, from 0, from the start of the session. Three
 * numbers say where the buffer stands:
 *
 *     acked <= again <= sent
 *
 * Frames from acked on are kept. Those from again on are still to be sent again on this link; on a
 * link that began with nothing in flight, again is always sent.
 *
 * It does not bound itself: whoever pushes looks at vpnr_replay_bytes() before.
 */
#pragma once

#include <glib.h>

#include "proto/frame.h"

G_BEGIN_DECLS

/* What a frame counts beside its data: the struct, what malloc() adds, its place in the ring. It
 * keeps small frames from costing many times what vpnr_replay_bytes() says. */
#define VPNR_REPLAY_FRAME_COST 128

typedef struct VpnrReplay VpnrReplay;

/* An empty one; the first frame has number 0. */
VpnrReplay *vpnr_replay_new(void);

/* Frees it with the frames that are left. Takes NULL. */
void vpnr_replay_free(VpnrReplay *replay);

/* Adds a frame (transfer full) that has just been sent; it gets the next number. Nothing may be
 * left to be sent again. */
void vpnr_replay_push(VpnrReplay *replay, VpnrFrame *frame);

/* The peer has received all frames below count: frees them, also those that were still to be sent
 * again. acked <= count <= sent, which the caller checks. */
void vpnr_replay_ack(VpnrReplay *replay, guint64 count);

/* A new link begins: all that is left must be sent again, from the oldest on. */
void vpnr_replay_rewind(VpnrReplay *replay);

/* The next frame to send again (transfer none, until the next call but the getters), or NULL when
 * there is none. Nothing of it may be changed but the header that it is sent with. */
VpnrFrame *vpnr_replay_next(VpnrReplay *replay);

/* The number of the oldest frame kept: what the peer has acknowledged. */
guint64 vpnr_replay_acked(const VpnrReplay *replay);

/* The number that the next frame pushed gets: how many were sent in this session. */
guint64 vpnr_replay_sent(const VpnrReplay *replay);

/* Frames kept. */
gsize vpnr_replay_length(const VpnrReplay *replay);

/* Data bytes of the frames kept, and VPNR_REPLAY_FRAME_COST for each. */
gsize vpnr_replay_bytes(const VpnrReplay *replay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrReplay, vpnr_replay_free)

G_END_DECLS
