/* SPDX-License-Identifier: MIT
 *
 * credit: docs/protocol.md, 2.7: what may be sent, what may come, and when the peer is told.
 */
#include "stream/credit.h"

static void
test_send(void)
{
	VpnrSendCredit credit;

	vpnr_send_credit_init(&credit, 100);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 100);
	vpnr_send_credit_spend(&credit, 60);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 40);
	vpnr_send_credit_spend(&credit, 40);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 0);
}

static void
test_send_raise(void)
{
	g_test_summary("2.7.3: a limit that is not above the present one is ignored.");

	VpnrSendCredit credit;

	vpnr_send_credit_init(&credit, 100);
	vpnr_send_credit_spend(&credit, 100);
	vpnr_send_credit_raise(&credit, 100);
	vpnr_send_credit_raise(&credit, 0);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 0);
	vpnr_send_credit_raise(&credit, 150);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 50);
	vpnr_send_credit_raise(&credit, 120);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, 50);
	vpnr_send_credit_raise(&credit, G_MAXUINT64);
	g_assert_cmpuint(vpnr_send_credit_left(&credit), ==, G_MAXUINT64 - 100);
}

static void
test_receive(void)
{
	g_test_summary("2.7.4: what does not fit is refused, and leaves no trace.");

	VpnrRecvCredit credit;

	vpnr_recv_credit_init(&credit, 1000);
	g_assert_true(vpnr_recv_credit_take(&credit, 999));
	g_assert_false(vpnr_recv_credit_take(&credit, 2));
	g_assert_false(vpnr_recv_credit_take(&credit, G_MAXUINT64));
	g_assert_true(vpnr_recv_credit_take(&credit, 1));
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
}

static void
test_consume(void)
{
	g_test_summary("2.7.5: the limit rises as bytes are consumed, after half a window.");

	VpnrRecvCredit credit;

	vpnr_recv_credit_init(&credit, 1000);
	g_assert_true(vpnr_recv_credit_take(&credit, 1000));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 499), ==, 0);
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 1), ==, 1500);
	g_assert_true(vpnr_recv_credit_take(&credit, 500));
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 499), ==, 0);
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 501), ==, 2500);
}

/* However the bytes are cut, the peer may always send, never more than a window ahead, and there
 * are at most two WINDOWs per window. */
static void
test_any_cut(void)
{
	static const guint64 window = 4096;
	VpnrRecvCredit credit;
	guint64 consumed = 0;
	guint64 limit = window;
	guint n_told = 0;

	vpnr_recv_credit_init(&credit, window);
	while (consumed < 64 * window) {
		guint64 n = (guint64)g_test_rand_int_range(1, (gint)(limit - consumed) + 1);
		guint64 told;

		g_assert_true(vpnr_recv_credit_take(&credit, n));
		consumed += n;
		told = vpnr_recv_credit_consume(&credit, n);
		if (told == 0)
			continue;
		g_assert_cmpuint(told, ==, consumed + window);
		limit = told;
		n_told++;
		g_assert_cmpuint(limit, >, consumed);
	}
	g_assert_cmpuint(n_told, <=, 2 * consumed / window);
	g_assert_cmpuint(n_told, >=, consumed / (2 * window));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/credit/send", test_send);
	g_test_add_func("/credit/send/raise", test_send_raise);
	g_test_add_func("/credit/receive", test_receive);
	g_test_add_func("/credit/consume", test_consume);
	g_test_add_func("/credit/any-cut", test_any_cut);
	return g_test_run();
}
