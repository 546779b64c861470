/* SPDX-License-Identifier: MIT
 *
 * schedule: in which order the writer sends what waits. Pure: no thread, no clock; the writer owns
 * it.
 *
 * Control frames go first, in the order in which they came. DATA and FIN go stream by stream by
 * deficit round robin (Shreedhar and Varghese, 1995), so that every stream with something to send
 * gets the same share of bytes, whatever the size of its frames; within a stream their order is
 * kept.
 *
 * A RESET throws out what its stream still had to send: the peer would drop it.
 *
 * VPNr/1 has no control frames and its peers rely on the order, so there it is one plain queue
 * (in_order).
 */
#pragma once

#include <glib.h>

#include "proto/frame.h"

G_BEGIN_DECLS

typedef struct VpnrSchedule VpnrSchedule;

/* An empty one. in_order: as VPNr/1 needs it. */
VpnrSchedule *vpnr_schedule_new(gboolean in_order);

/* Frees it with the frames that are left. Takes NULL. */
void vpnr_schedule_free(VpnrSchedule *schedule);

/* Adds a frame (transfer full). */
void vpnr_schedule_push(VpnrSchedule *schedule, VpnrFrame *frame);

/* The frame to send now (transfer full), or NULL. */
VpnrFrame *vpnr_schedule_pop(VpnrSchedule *schedule);

/* A frame that a RESET has thrown out and that is not to be sent (transfer full), or NULL. */
VpnrFrame *vpnr_schedule_pop_dropped(VpnrSchedule *schedule);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrSchedule, vpnr_schedule_free)

G_END_DECLS
