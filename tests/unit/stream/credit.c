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
test_send_awaited(void)
{
	g_test_summary("A higher limit is worth a wake-up once there has been too little.");

	VpnrSendCredit credit;

	vpnr_send_credit_init(&credit, 100);
	g_assert_false(vpnr_send_credit_raise(&credit, 110));
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, TRUE), ==, 110);
	g_assert_false(vpnr_send_credit_raise(&credit, 120));
	vpnr_send_credit_spend(&credit, 120);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, TRUE), ==, 0);
	g_assert_false(vpnr_send_credit_raise(&credit, 120));
	g_assert_true(vpnr_send_credit_raise(&credit, 130));
	g_assert_false(vpnr_send_credit_raise(&credit, 140));
}

static void
test_send_usable(void)
{
	g_test_summary("The last byte of the credit waits until the writer has nothing any more.");

	VpnrSendCredit credit;

	vpnr_send_credit_init(&credit, 100);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, TRUE), ==, 100);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, FALSE), ==, 99);
	vpnr_send_credit_spend(&credit, 99);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, FALSE), ==, 0);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, TRUE), ==, 1);
	vpnr_send_credit_spend(&credit, 1);
	g_assert_cmpuint(vpnr_send_credit_usable(&credit, FALSE), ==, 0);
}

static void
init_fixed(VpnrRecvCredit *credit, guint64 window)
{
	g_assert_true(vpnr_recv_credit_init(credit, window, window, FALSE, NULL));
}

static void
test_receive(void)
{
	g_test_summary("2.7.4: what does not fit is refused, and leaves no trace.");

	VpnrRecvCredit credit;

	init_fixed(&credit, 1000);
	g_assert_true(vpnr_recv_credit_take(&credit, 999));
	g_assert_false(vpnr_recv_credit_take(&credit, 2));
	g_assert_false(vpnr_recv_credit_take(&credit, G_MAXUINT64));
	g_assert_true(vpnr_recv_credit_take(&credit, 1));
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
}

static void
test_consume(void)
{
	g_test_summary(
	    "2.7.5: the limit rises as bytes are consumed, after a quarter of a window.");

	VpnrRecvCredit credit;

	init_fixed(&credit, 1000);
	g_assert_true(vpnr_recv_credit_take(&credit, 1000));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 249, TRUE, 1), ==, 0);
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 1, TRUE, 1), ==, 1249);
	g_assert_true(vpnr_recv_credit_take(&credit, 249));
	g_assert_false(vpnr_recv_credit_take(&credit, 1));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 248, TRUE, 1), ==, 0);
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 502, TRUE, 1), ==, 1999);
}

/* However the bytes are cut, the peer may always send, never more than a window ahead, and there
 * are at most four WINDOWs per window. */
static void
test_any_cut(void)
{
	static const guint64 window = 4096;
	VpnrRecvCredit credit;
	guint64 consumed = 0;
	guint64 limit = window;
	guint n_told = 0;

	init_fixed(&credit, window);
	while (consumed < 64 * window) {
		guint64 n = (guint64)g_test_rand_int_range(1, (gint)(limit - consumed) + 1);
		guint64 told;

		g_assert_true(vpnr_recv_credit_take(&credit, n));
		consumed += n;
		told = vpnr_recv_credit_consume(&credit, n, TRUE, 1);
		if (told == 0)
			continue;
		g_assert_cmpuint(told, ==, consumed + window - 1);
		limit = told;
		n_told++;
		g_assert_cmpuint(limit, >, consumed);
	}
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, window);
	g_assert_cmpuint(n_told, <=, 4 * consumed / window);
	g_assert_cmpuint(n_told, >=, consumed / (2 * window));
}

static void
test_used_up(void)
{
	g_test_summary("Credit is used up when no byte of it is left, or the last one.");

	VpnrRecvCredit credit;

	g_assert_true(vpnr_recv_credit_init(&credit, 1000, 1000, FALSE, NULL));
	g_assert_false(vpnr_recv_credit_is_used_up(&credit));
	g_assert_true(vpnr_recv_credit_take(&credit, 998));
	g_assert_false(vpnr_recv_credit_is_used_up(&credit));
	g_assert_true(vpnr_recv_credit_take(&credit, 1));
	g_assert_true(vpnr_recv_credit_is_used_up(&credit));
	g_assert_true(vpnr_recv_credit_take(&credit, 1));
	g_assert_true(vpnr_recv_credit_is_used_up(&credit));
	g_assert_cmpuint(vpnr_recv_credit_consume(&credit, 1000, TRUE, 1), ==, 1999);
	g_assert_false(vpnr_recv_credit_is_used_up(&credit));
}

/* --- growth ----------------------------------------------------------------------------------- */

/* n bytes come and go to the socket at once. */
static guint64
pass(VpnrRecvCredit *credit, guint64 n)
{
	g_assert_true(vpnr_recv_credit_take(credit, n));
	return vpnr_recv_credit_consume(credit, n, TRUE, 1);
}

/* All that are left of the credit do. */
static void
pass_all(VpnrRecvCredit *credit)
{
	pass(credit, atomic_load(&credit->limit) - credit->received);
}

static void
test_grow(void)
{
	g_test_summary("Bytes that end on a limit double the window, up to the largest.");

	VpnrRecvCredit credit;

	g_assert_true(vpnr_recv_credit_init(&credit, 1000, 4000, FALSE, NULL));
	g_assert_cmpuint(pass(&credit, 1000), ==, 2999);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000);
	g_assert_cmpuint(pass(&credit, 1998), ==, 4997);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000); /* one byte is missing */
	g_assert_cmpuint(pass(&credit, 1), ==, 6998);                 /* it ends on 2999 */
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4000);
	g_assert_cmpuint(pass(&credit, 1998), ==, 8996); /* on 4997, which is of the old window */
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4000);
	g_assert_cmpuint(pass(&credit, 2001), ==, 10997); /* on 6998 */
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4000);
}

static void
test_grow_on_a_long_path(void)
{
	g_test_summary("On a long path a window grows to what that needs, and then by four.");

	VpnrRecvCredit credit;

	g_assert_true(vpnr_recv_credit_init(&credit, VPNR_WINDOW_MIN, VPNR_WINDOW_MAX, TRUE, NULL));
	pass(&credit, VPNR_WINDOW_MIN - 1);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, VPNR_WINDOW_MIN);
	pass(&credit, 1);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, VPNR_WINDOW_FAR);
	pass_all(&credit);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4 * VPNR_WINDOW_FAR);
	pass_all(&credit);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, VPNR_WINDOW_MAX);
}

static void
test_grow_with_little_memory(void)
{
	g_test_summary("What the budget does not give for a long path it may give for the double.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(VPNR_WINDOW_FAR);
	VpnrRecvCredit credit;

	g_assert_true(
	    vpnr_recv_credit_init(&credit, VPNR_WINDOW_MIN, VPNR_WINDOW_MAX, TRUE, budget));
	pass(&credit, VPNR_WINDOW_MIN);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2 * VPNR_WINDOW_MIN);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 2 * VPNR_WINDOW_MIN);
	vpnr_recv_credit_clear(&credit);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

static void
test_grow_on_an_earlier_limit(void)
{
	g_test_summary("A sender that starves knows an older limit than the present one.");

	VpnrRecvCredit credit;

	g_assert_true(vpnr_recv_credit_init(&credit, 1000, 8000, FALSE, NULL));
	for (guint i = 0; i < 3; i++)
		g_assert_cmpuint(pass(&credit, 251), ==, 251 * (i + 1) + 999);
	g_assert_cmpuint(pass(&credit, 247), >, 0);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000);
}

/* The socket has room for 400 us, then has none for so long, and takes a window meanwhile. */
static void
pause_for(VpnrRecvCredit *credit, gint64 us)
{
	g_assert_true(vpnr_recv_credit_init(credit, 1000, 8000, FALSE, NULL));
	pass(credit, 100);
	g_assert_true(vpnr_recv_credit_take(credit, 900));
	g_assert_cmpuint(vpnr_recv_credit_consume(credit, 800, FALSE, 401), ==, 1899);
	vpnr_recv_credit_consume(credit, 100, TRUE, 401 + us);
	g_assert_cmpuint(vpnr_recv_credit_window(credit), ==, 1000);
}

static void
test_no_growth_for_a_slow_socket(void)
{
	VpnrRecvCredit credit;

	pause_for(&credit, 100);
	while (credit.consumed < 17000) {
		g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 1000);
		pass_all(&credit);
	}
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000);
}

static void
test_growth_after_a_short_pause(void)
{
	g_test_summary("A socket that is full for less than a quarter of the time is not what "
		       "holds things up.");

	VpnrRecvCredit credit;

	pause_for(&credit, 99);
	pass_all(&credit);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000);
}

static void
test_budget(void)
{
	g_test_summary(
	    "What is taken from the budget is what may be waiting here, at every moment.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(8000);
	VpnrRecvCredit credit, none;

	g_assert_true(vpnr_recv_credit_init(&credit, 1000, 8000, FALSE, budget));
	pass(&credit, 1000);
	pass(&credit, 1999);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 4000);
	g_assert_false(vpnr_recv_credit_init(&none, 4001, 8000, FALSE, budget));
	g_assert_cmpuint(pass(&credit, 3999), ==, 10997); /* 8000 is more than three quarters */
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4000);

	g_assert_true(vpnr_budget_take(budget, 3500)); /* short from now on */
	g_assert_cmpuint(pass(&credit, 998), ==, 0);
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 4000);
	g_assert_cmpuint(pass(&credit, 1), ==, 0); /* a quarter: halved, the limit stays */
	g_assert_cmpuint(vpnr_recv_credit_window(&credit), ==, 2000);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 3500 + 10997 - 7997);
	vpnr_recv_credit_clear(&credit);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 3500);
	vpnr_budget_give(budget, 3500);
}

static void
test_after_the_end(void)
{
	g_test_summary("2.7.6: behind the peer's end nothing is kept but what is still waiting.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(8000);
	VpnrRecvCredit credit;

	g_assert_true(vpnr_recv_credit_init(&credit, 1000, 8000, FALSE, budget));
	g_assert_true(vpnr_recv_credit_take(&credit, 300));
	vpnr_recv_credit_consume_last(&credit, 100);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 200);
	vpnr_recv_credit_consume_last(&credit, 200);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
	vpnr_recv_credit_clear(&credit);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/credit/send", test_send);
	g_test_add_func("/credit/send/raise", test_send_raise);
	g_test_add_func("/credit/send/awaited", test_send_awaited);
	g_test_add_func("/credit/send/usable", test_send_usable);
	g_test_add_func("/credit/receive", test_receive);
	g_test_add_func("/credit/consume", test_consume);
	g_test_add_func("/credit/any-cut", test_any_cut);
	g_test_add_func("/credit/used-up", test_used_up);
	g_test_add_func("/credit/grow", test_grow);
	g_test_add_func("/credit/grow/long-path", test_grow_on_a_long_path);
	g_test_add_func("/credit/grow/little-memory", test_grow_with_little_memory);
	g_test_add_func("/credit/grow/earlier-limit", test_grow_on_an_earlier_limit);
	g_test_add_func("/credit/grow/slow-socket", test_no_growth_for_a_slow_socket);
	g_test_add_func("/credit/grow/short-pause", test_growth_after_a_short_pause);
	g_test_add_func("/credit/budget", test_budget);
	g_test_add_func("/credit/after-the-end", test_after_the_end);
	return g_test_run();
}
