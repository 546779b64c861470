/* SPDX-License-Identifier: MIT
 *
 * handover: which frames the reader writes itself. The test is the reader.
 */
#include "stream/handover.h"

#include <poll.h>

#include "tests/unit/patience.h"

#define NOW   5000000 /* us */
#define SHORT VPNR_HANDOVER_SHORT
#define LONG  (VPNR_HANDOVER_SHORT + 1)

/* Long frames come until the reader looks again, that one included. */
static gboolean
keep_until_look(VpnrHandover *handover)
{
	gint64 long_at = 0;
	gboolean keeps;

	do {
		keeps = vpnr_handover_keeps(handover, &long_at, LONG, NOW);
	} while (handover->n_left != VPNR_HANDOVER_LOOK - 1);
	return keeps;
}

/* The thread leaves its processor. */
static void
take_a_break(void)
{
	poll(NULL, 0, 1);
}

/* A handover that keeps long frames, whatever else the machine does. */
static void
begin(VpnrHandover *handover)
{
	*handover = (VpnrHandover){ 0 };
	take_a_break();
	g_assert_true(keep_until_look(handover));
}

static void
test_talk(void)
{
	g_test_summary("While short frames come for others, long ones are handed over.");

	VpnrHandover handover;
	gint64 transfer = 0;
	gint64 talk = 0;
	gint64 end = NOW + VPNR_HANDOVER_US;

	begin(&handover);
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, LONG, NOW));
	g_assert_true(vpnr_handover_keeps(&handover, &talk, SHORT, NOW));
	g_assert_false(vpnr_handover_keeps(&handover, &transfer, LONG, NOW));
	g_assert_true(vpnr_handover_keeps(&handover, &talk, 1, NOW));
	g_assert_false(vpnr_handover_keeps(&handover, &transfer, LONG, end - 1));
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, LONG, end));
}

static void
test_short_ones_of_a_transfer(void)
{
	g_test_summary("A transfer's own short frames are no talk, until it pauses.");

	VpnrHandover handover;
	gint64 transfer = 0;
	gint64 end = NOW + VPNR_HANDOVER_US;

	begin(&handover);
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, LONG, NOW));
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, SHORT, end - 1));
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, LONG, end - 1));
	end += VPNR_HANDOVER_US;
	g_assert_true(vpnr_handover_keeps(&handover, &transfer, SHORT, end));
	g_assert_false(vpnr_handover_keeps(&handover, &transfer, LONG, end));
}

/* Others may have its processor meanwhile, which is a break as well, so this is tried until it
 * comes true. */
static void
test_busy(void)
{
	g_test_summary("A reader that never leaves its processor hands long frames over, and short "
		       "ones not.");

	VpnrHandover handover;
	gint64 other = 0;

	begin(&handover);
	for (gint64 start = g_get_monotonic_time(); keep_until_look(&handover); patience(start))
		;
	g_assert_false(vpnr_handover_keeps(&handover, &other, LONG, NOW));
	g_assert_true(vpnr_handover_keeps(&handover, &other, SHORT, NOW - VPNR_HANDOVER_US));
	take_a_break();
	g_assert_true(keep_until_look(&handover));
	g_assert_true(vpnr_handover_keeps(&handover, &other, LONG, NOW));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/handover/talk", test_talk);
	g_test_add_func("/handover/short-ones-of-a-transfer", test_short_ones_of_a_transfer);
	g_test_add_func("/handover/busy", test_busy);
	return g_test_run();
}
