/* SPDX-License-Identifier: MIT
 *
 * alive: see alive.h.
 */
#include "tests/unit/stream/alive.h"

#include <stdatomic.h>

#include "proto/frame.h"

static _Atomic gint n_alive;

VpnrFrame *__real_vpnr_frame_new(VpnrFrameType type, guint32 stream, gsize size);
VpnrFrame *__wrap_vpnr_frame_new(VpnrFrameType type, guint32 stream, gsize size);
void __real_vpnr_frame_free(VpnrFrame *frame);
void __wrap_vpnr_frame_free(VpnrFrame *frame);

VpnrFrame *
__wrap_vpnr_frame_new(VpnrFrameType type, guint32 stream, gsize size)
{
	atomic_fetch_add(&n_alive, 1);
	return __real_vpnr_frame_new(type, stream, size);
}

void
__wrap_vpnr_frame_free(VpnrFrame *frame)
{
	if (frame != NULL)
		atomic_fetch_sub(&n_alive, 1);
	__real_vpnr_frame_free(frame);
}

gint
alive_frames(void)
{
	return atomic_load(&n_alive);
}
