/* SPDX-License-Identifier: MIT
 *
 * linked: see linked.h.
 */
#include "tests/unit/client/linked.h"

#include <string.h>

#include "app/keys.h"
#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

void
linked_start(Linked *linked, guint resume_timeout_s, guint max_threads)
{
	g_autoptr(GError) error = NULL;
	VpnrUplinkTarget target = { .protocol = VPNR_PROTOCOL_V2,
				    .resume_timeout_s = resume_timeout_s };

	memset(linked, 0, sizeof *linked);
	linked->pool = vpnr_pool_new("pool", max_threads);
	linked->listener = loopback_listen(8, &target.server);
	g_assert_true(vpnr_keys_generate(&linked->key, NULL));
	g_assert_true(vpnr_keys_generate(&target.private_key, NULL));
	g_assert_true(vpnr_keys_derive_public(&linked->key, &target.server_public_key, NULL));
	linked->uplinks = vpnr_uplinks_start(1, &target, NULL, &error);
	g_assert_no_error(error);
}

void
linked_greet(Linked *linked, gboolean takes_datagrams)
{
	VpnrFrame *answer;
	VpnrHello hello;

	party_begin(&linked->party, VPNR_ROLE_SERVER);
	g_assert_true(party_shake_hands(&linked->party, loopback_accept(linked->listener),
					VPNR_ROLE_SERVER, &linked->key));
	party_take_hello(&linked->party, &hello);
	answer = party_hello(&linked->party);
	answer->hello->max_streams = 2000;
	answer->hello->capabilities = takes_datagrams ? VPNR_CAPABILITY_DATAGRAM : 0;
	party_send(&linked->party, answer);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_uplinks_status(linked->uplinks).news.state != VPNR_UPLINK_CONNECTED;
	     patience(begin))
		;
}

void
linked_end(Linked *linked)
{
	party_hang_up(&linked->party); /* else the uplink would wait for its answer */
	vpnr_uplinks_stop(linked->uplinks);
	vpnr_pool_free(linked->pool);
	vpnr_uplinks_free(linked->uplinks);
	vpnr_fd_close(linked->listener);
}

static VpnrFrame *
next(Linked *linked, VpnrFrameType type)
{
	VpnrFrame *frame = party_next(&linked->party);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	return frame;
}

void
linked_expect_open(Linked *linked, VpnrKind kind, const char *dest)
{
	g_autoptr(VpnrFrame) open = next(linked, VPNR_FRAME_OPEN);
	VpnrAddr unpacked = vpnr_addr_unpack(open->open.dest);
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpstr(vpnr_addr_format(&unpacked, text), ==, dest);
	g_assert_cmpint(open->open.kind, ==, kind);
	linked->id = open->stream;
}

void
linked_expect_datagram(Linked *linked, const char *text)
{
	g_autoptr(VpnrFrame) frame = next(linked, VPNR_FRAME_DATAGRAM);

	g_assert_cmpuint(frame->stream, ==, linked->id);
	g_assert_cmpmem(frame->data, frame->size, text, strlen(text));
}

void
linked_answer(Linked *linked, const char *text)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, linked->id, strlen(text));

	party_send(&linked->party, vpnr_frame_new(VPNR_FRAME_OPENED, linked->id, 0));
	memcpy(frame->data, text, strlen(text));
	party_send(&linked->party, frame);
}

guint64
linked_stat(const Linked *linked, VpnrStat stat)
{
	return vpnr_stats_get(&linked->stats, stat) +
	       vpnr_stats_get(vpnr_uplinks_stats(linked->uplinks, 1), stat);
}

void
linked_wait_stat(Linked *linked, VpnrStat stat, guint64 value)
{
	for (gint64 begin = g_get_monotonic_time(); linked_stat(linked, stat) != value;
	     patience(begin))
		;
}
