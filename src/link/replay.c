/* SPDX-License-Identifier: MIT
 *
 * replay: see replay.h. A ring of pointers, in which frame n has place n modulo its size: 8 bytes
 * for a frame and no allocation, where a list would have one node for each.
 */
#include "link/replay.h"

/* Places of the smallest ring. A power of two, as all sizes are. */
#define SIZE_MIN 64

struct VpnrReplay {
	guint64 acked, again, sent; /* see replay.h */
	gsize bytes;
	gsize size;
	VpnrFrame **ring;
};

static VpnrFrame **
place(const VpnrReplay *replay, guint64 number)
{
	return &replay->ring[number & (replay->size - 1)];
}

VpnrReplay *
vpnr_replay_new(void)
{
	VpnrReplay *replay = g_new0(VpnrReplay, 1);

	replay->size = SIZE_MIN;
	replay->ring = g_new(VpnrFrame *, replay->size);
	return replay;
}

void
vpnr_replay_free(VpnrReplay *replay)
{
	if (replay == NULL)
		return;
	vpnr_replay_ack(replay, replay->sent);
	g_free(replay->ring);
	g_free(replay);
}

static void
resize(VpnrReplay *replay, gsize size)
{
	VpnrReplay old = *replay;

	replay->size = size;
	replay->ring = g_new(VpnrFrame *, size);
	for (guint64 number = replay->acked; number < replay->sent; number++)
		*place(replay, number) = *place(&old, number);
	g_free(old.ring);
}

static gsize
cost(const VpnrFrame *frame)
{
	return frame->size + VPNR_REPLAY_FRAME_COST;
}

void
vpnr_replay_push(VpnrReplay *replay, VpnrFrame *frame)
{
	g_assert(replay->again == replay->sent);
	g_assert(vpnr_frame_is_sequenced(frame));
	if (vpnr_replay_length(replay) == replay->size)
		resize(replay, 2 * replay->size);
	*place(replay, replay->sent) = frame;
	replay->bytes += cost(frame);
	replay->sent++;
	replay->again = replay->sent;
}

void
vpnr_replay_ack(VpnrReplay *replay, guint64 count)
{
	gsize size = replay->size;

	g_assert(count >= replay->acked && count <= replay->sent);
	for (; replay->acked < count; replay->acked++) {
		VpnrFrame *frame = *place(replay, replay->acked);

		replay->bytes -= cost(frame);
		vpnr_frame_free(frame);
	}
	replay->again = MAX(replay->again, count);
	/* Half full at most afterwards, so that it does not grow and shrink in turn. */
	while (size > SIZE_MIN && vpnr_replay_length(replay) <= size / 4)
		size /= 2;
	if (size != replay->size)
		resize(replay, size);
}

void
vpnr_replay_rewind(VpnrReplay *replay)
{
	replay->again = replay->acked;
}

VpnrFrame *
vpnr_replay_next(VpnrReplay *replay)
{
	if (replay->again == replay->sent)
		return NULL;
	return *place(replay, replay->again++);
}

guint64
vpnr_replay_acked(const VpnrReplay *replay)
{
	return replay->acked;
}

guint64
vpnr_replay_sent(const VpnrReplay *replay)
{
	return replay->sent;
}

gsize
vpnr_replay_length(const VpnrReplay *replay)
{
	return (gsize)(replay->sent - replay->acked);
}

gsize
vpnr_replay_bytes(const VpnrReplay *replay)
{
	return replay->bytes;
}
