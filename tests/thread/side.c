/* SPDX-License-Identifier: MIT
 *
 * side: see side.h.
 */
#include "tests/thread/side.h"

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Side *side = data;

	if (frame->type != VPNR_FRAME_OPEN || side->role == VPNR_ROLE_CLIENT)
		return vpnr_table_deliver(side->table, frame);
	side->on_open(side, frame);
	vpnr_frame_free(frame);
	return NULL;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Side *side = data;

	vpnr_table_released(side->table, frame);
}

static void
on_paced(gpointer data, gsize most)
{
	Side *side = data;

	vpnr_table_set_frame_size(side->table, most);
}

static const VpnrSessionHandler handler = {
	.frame = on_frame,
	.released = on_released,
	.paced = on_paced,
};

void
side_init(Side *side, VpnrRole role, void (*on_open)(Side *side, const VpnrFrame *open))
{
	g_autoptr(GError) error = NULL;

	side->role = role;
	side->on_open = on_open;
	side->pool = vpnr_pool_new("pool", 10000);
	side->session = vpnr_session_new(&(VpnrSessionParams){ .protocol = VPNR_PROTOCOL_V2,
							       .role = role,
							       .handler = &handler,
							       .data = side,
							       .stats = &side->stats },
					 &error);
	g_assert_no_error(error);
	side->table =
	    vpnr_table_new(&(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
					       .role = role,
					       .outbox = vpnr_session_outbox(side->session),
					       .max_streams = 1000,
					       .send_limit = VPNR_WINDOW_MIN,
					       .datagrams = TRUE,
					       .stats = &side->stats },
			   &error);
	g_assert_no_error(error);
}

void
side_clear(Side *side)
{
	vpnr_table_close(side->table, VPNR_REASON_LINK_LOST);
	vpnr_table_wait_empty(side->table);
	vpnr_session_free(side->session);
	vpnr_pool_free(side->pool);
	vpnr_table_free(side->table);
}
