/* SPDX-License-Identifier: MIT
 *
 * batch: its size follows how long sends take, within its bounds.
 */
#include "link/batch.h"

#define QUICK (VPNR_BATCH_US / 2 - 1)
#define SLOW  (VPNR_BATCH_US + 1)

static void
test_grows(void)
{
	g_test_summary("From 16 KiB it doubles while sends are quick, up to a frame of bulk.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	for (gsize size = 16 * 1024; size < 64000; size *= 2) {
		g_assert_cmpuint(vpnr_batch_size(&batch), ==, size);
		g_assert_true(vpnr_batch_sent(&batch, QUICK));
	}
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 64000);
	g_assert_false(vpnr_batch_sent(&batch, QUICK));
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 64000);
}

static void
test_shrinks(void)
{
	g_test_summary("It halves with every send that is slow, down to 16 KiB.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	g_assert_false(vpnr_batch_sent(&batch, SLOW));
	while (vpnr_batch_sent(&batch, QUICK))
		;
	for (gsize size = 64000; size > 16 * 1024; size /= 2) {
		g_assert_cmpuint(vpnr_batch_size(&batch), ==, size);
		g_assert_true(vpnr_batch_sent(&batch, SLOW));
	}
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 16 * 1024);
	g_assert_true(vpnr_batch_sent(&batch, QUICK));
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 32 * 1024);
}

static void
test_stays(void)
{
	g_test_summary("What takes as long as it should stays as it is.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	vpnr_batch_sent(&batch, QUICK);
	g_assert_false(vpnr_batch_sent(&batch, QUICK + 1));
	g_assert_false(vpnr_batch_sent(&batch, SLOW - 1));
	g_assert_cmpuint(vpnr_batch_size(&batch), ==, 32 * 1024);
}

static void
test_data(void)
{
	g_test_summary("A frame fills a batch with its header, and one of bulk without. It follows "
		       "when batches become larger, and when they stay as small as they became.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 16 * 1024 - 8);
	vpnr_batch_sent(&batch, QUICK);
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 32 * 1024 - 8);
	vpnr_batch_sent(&batch, QUICK);
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 64000);
	for (guint i = 0; i < 2; i++) { /* a moment */
		g_assert_true(vpnr_batch_sent(&batch, SLOW));
		for (guint same = 1; same < 16; same++)
			g_assert_false(vpnr_batch_sent(&batch, SLOW - 1));
		g_assert_cmpuint(vpnr_batch_data(&batch), ==, 64000);
		g_assert_true(vpnr_batch_sent(&batch, QUICK));
		g_assert_cmpuint(vpnr_batch_data(&batch), ==, 64000);
	}
	while (vpnr_batch_size(&batch) > 16 * 1024)
		g_assert_true(vpnr_batch_sent(&batch, SLOW));
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 64000);
	for (guint same = 1; same < 16; same++)
		g_assert_false(vpnr_batch_sent(&batch, SLOW));
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 64000);
	g_assert_true(vpnr_batch_sent(&batch, SLOW));
	g_assert_cmpuint(vpnr_batch_data(&batch), ==, 16 * 1024 - 8);
}

static void
test_unsent(void)
{
	g_test_summary("What may wait in the socket goes with it, but is never less than 32 KiB.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	do {
		g_assert_cmpuint(vpnr_batch_unsent(&batch, 0), ==,
				 MAX(vpnr_batch_size(&batch), 32 * 1024));
	} while (vpnr_batch_sent(&batch, QUICK));
	g_assert_cmpuint(vpnr_batch_unsent(&batch, 0), ==, 64000);
}

static void
test_under_way(void)
{
	g_test_summary("Where much is under way a sixteenth of it may wait, and that is looked at "
		       "now and then.");

	VpnrBatch batch;

	vpnr_batch_init(&batch);
	g_assert_cmpuint(vpnr_batch_unsent(&batch, 512 * 1024 + 15), ==, 32 * 1024);
	g_assert_cmpuint(vpnr_batch_unsent(&batch, 512 * 1024 + 16), ==, 32 * 1024 + 1);
	for (guint look = 0; look < 3; look++) {
		for (guint i = 1; i < 16; i++)
			g_assert_false(vpnr_batch_sent(&batch, SLOW));
		g_assert_true(vpnr_batch_sent(&batch, SLOW));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/batch/grows", test_grows);
	g_test_add_func("/batch/shrinks", test_shrinks);
	g_test_add_func("/batch/stays", test_stays);
	g_test_add_func("/batch/data", test_data);
	g_test_add_func("/batch/unsent", test_unsent);
	g_test_add_func("/batch/under-way", test_under_way);
	return g_test_run();
}
