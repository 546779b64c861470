/* SPDX-License-Identifier: MIT
 *
 * schedule: in which order the writer sends what waits. Pure: no thread, no clock; the writer owns
 * it.
 *
 * Frames of the link go first, then control frames of streams (OPEN, OPENED, RESET, WINDOW), each
 * in the order in which they came. DATA, DATAGRAM and FIN come last, stream by stream;
 * within a stream their order is kept.
 *
 * Between streams it is deficit round robin (Shreedhar and Varghese, 1995): every stream with
 * something to send gets the same share of bytes, whatever the size of its frames. What is small
 * does not wait for its turn: a stream whose queue was empty goes ahead of the others, as the new
 * queues of FQ-CoDel do (RFC 8290, section 4.2), with 32 KiB in a round, which count as sent in its
 * turn. A stream that has emptied its queue keeps its place in the round until its turn has come
 * once more. So nobody gains by sending a little again and again, and a bulk transfer that runs
 * empty for a moment is none that begins. What goes ahead has at most half of the bytes while
 * others wait. So of n streams, however they behave, one that always has something to send gets at
 * least a share of 1 in 2 n, and never waits for longer than two rounds.
 *
 * DATAGRAMs do not wait without end: a stream has at most VPNR_SCHEDULE_FLOW bytes and
 * VPNR_SCHEDULE_FLOW_DATAGRAMS of them here, and less when all streams together come near
 * VPNR_SCHEDULE_DATAGRAMS, by the law of stream/room.h. For what is above, its oldest are thrown
 * out: who sends datagrams prefers news. Only when so many streams wait that there is no room for
 * one of each, it is the new one.
 *
 * A RESET throws out what its stream still had to send: the peer would drop it. One that is marked
 * behind_data waits behind it instead. A PURGE throws out the same, and is not sent itself.
 *
 * VPNr/1 has no control frames and its peers rely on the order, so there it is one plain queue
 * (in_order).
 */
#pragma once

#include <glib.h>

#include "proto/frame.h"

G_BEGIN_DECLS

/* Bytes of DATAGRAMs of one stream and of all, VPNR_SCHEDULE_COST of each included. 128 KiB are a
 * tenth of a second at 10 Mbit/s, about what a router's queue would add; it holds any one datagram.
 * All is half of what may be on its way to the writer (VPNR_ROOM_ALL), so that the half in front of
 * the schedule, where nobody reaches the oldest, is never full for want of room here. */
#define VPNR_SCHEDULE_FLOW      (128 * 1024)
#define VPNR_SCHEDULE_DATAGRAMS (1024 * 1024)
#define VPNR_SCHEDULE_COST      128

/* DATAGRAMs of one stream: five seconds of speech. Small ones would be older than that before they
 * fill the bytes. */
#define VPNR_SCHEDULE_FLOW_DATAGRAMS 256

typedef struct VpnrSchedule VpnrSchedule;

/* An empty one. in_order: as VPNr/1 needs it. */
VpnrSchedule *vpnr_schedule_new(gboolean in_order);

/* Frees it with the frames that are left. Takes NULL. */
void vpnr_schedule_free(VpnrSchedule *schedule);

/* Adds a frame (transfer full) of any type but NEW_LINK. */
void vpnr_schedule_push(VpnrSchedule *schedule, VpnrFrame *frame);

/* The frame to send now (transfer full), or NULL. */
VpnrFrame *vpnr_schedule_pop(VpnrSchedule *schedule);

/* The same if it is a frame of the link, which needs no room in the replay buffer; otherwise
 * NULL. */
VpnrFrame *vpnr_schedule_pop_link(VpnrSchedule *schedule);

/* A new link begins: drops the frames that were meant for an earlier one, all frames of the link
 * but GOAWAY. */
void vpnr_schedule_purge_link(VpnrSchedule *schedule);

/* A frame that was thrown out and is not to be sent (transfer full), or NULL. */
VpnrFrame *vpnr_schedule_pop_dropped(VpnrSchedule *schedule);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrSchedule, vpnr_schedule_free)

G_END_DECLS
