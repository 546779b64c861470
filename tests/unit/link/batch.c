/* SPDX-License-Identifier: MIT
 *
 * batch: its size follows how sends go, within its bounds.
 */
#include "link/batch.h"

static void
test_grows(void)
{
	g_test_summary("From 16 KiB it doubles while sends do not wait, up to 256 KiB.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	for (gsize size = 16 * 1024; size <= 256 * 1024; size *= 2) {
		g_assert_cmpuint(vpnr_batch_size(&batch), ==, size);
		vpnr_batch_sent(&batch, VPNR_SENT_AT_ONCE);
	}
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 256 * 1024);
}

static void
test_shrinks(void)
{
	g_test_summary("It halves with every send that had to wait, down to 16 KiB.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	vpnr_batch_sent(&batch, VPNR_SENT_LATE);
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 16 * 1024);
	for (guint i = 0; i < 10; i++)
		vpnr_batch_sent(&batch, VPNR_SENT_AT_ONCE);
	for (gsize size = 256 * 1024; size >= 16 * 1024; size /= 2) {
		g_assert_cmpuint(vpnr_batch_size(&batch), ==, size);
		vpnr_batch_sent(&batch, VPNR_SENT_LATE);
	}
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 16 * 1024);
	vpnr_batch_sent(&batch, VPNR_SENT_AT_ONCE);
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 32 * 1024);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/batch/grows", test_grows);
	g_test_add_func("/batch/shrinks", test_shrinks);
	return g_test_run();
}
