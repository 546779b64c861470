/* SPDX-License-Identifier: MIT
 *
 * mailbox: order, ownership, and when its descriptor is readable. What threads do to it together is
 * in tests/thread/mailbox.c.
 */
#include "base/mailbox.h"

#include <poll.h>
#include <sys/resource.h>

static VpnrMailbox *
new_box(GDestroyNotify free_item)
{
	g_autoptr(GError) error = NULL;
	VpnrMailbox *box = vpnr_mailbox_new(free_item, &error);

	g_assert_no_error(error);
	return box;
}

static gboolean
is_readable(VpnrMailbox *box)
{
	struct pollfd pollfd = { .fd = vpnr_mailbox_fd(box), .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static void
test_order(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);

	g_assert_null(vpnr_mailbox_try_pop(box));
	for (guint i = 1; i <= 100; i++) {
		vpnr_mailbox_push(box, GUINT_TO_POINTER(i));
		g_assert_cmpuint(vpnr_mailbox_length(box), ==, i);
	}
	for (guint i = 1; i <= 100; i++)
		g_assert_cmpuint(GPOINTER_TO_UINT(vpnr_mailbox_try_pop(box)), ==, i);
	g_assert_null(vpnr_mailbox_try_pop(box));
	g_assert_cmpuint(vpnr_mailbox_length(box), ==, 0);
}

static void
count_free(gpointer item)
{
	guint *n_freed = item;

	(*n_freed)++;
}

static void
test_free(void)
{
	guint n_freed = 0;
	VpnrMailbox *box = new_box(count_free);

	for (guint i = 0; i < 3; i++)
		vpnr_mailbox_push(box, &n_freed);
	g_assert_true(vpnr_mailbox_try_pop(box) == &n_freed);
	vpnr_mailbox_free(box);
	g_assert_cmpuint(n_freed, ==, 2);
	vpnr_mailbox_free(NULL);
}

static void
test_busy(void)
{
	g_test_summary("A push to an owner that is awake costs no system call.");

	g_autoptr(VpnrMailbox) box = new_box(NULL);

	vpnr_mailbox_push(box, box);
	vpnr_mailbox_wake(box);
	g_assert_false(is_readable(box));
}

static void
test_sleep(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);

	for (guint round = 0; round < 3; round++) {
		g_assert_true(vpnr_mailbox_begin_wait(box));
		g_assert_false(is_readable(box));
		vpnr_mailbox_push(box, box);
		vpnr_mailbox_push(box, box);
		g_assert_true(is_readable(box));
		vpnr_mailbox_end_wait(box);
		g_assert_nonnull(vpnr_mailbox_try_pop(box));
		g_assert_nonnull(vpnr_mailbox_try_pop(box));
	}
}

static void
test_no_sleep_on_items(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);

	vpnr_mailbox_push(box, box);
	g_assert_false(vpnr_mailbox_begin_wait(box));
	vpnr_mailbox_push(box, box);
	vpnr_mailbox_end_wait(box);
	g_assert_cmpuint(vpnr_mailbox_length(box), ==, 2);
	while (vpnr_mailbox_try_pop(box) != NULL)
		;
	g_assert_true(vpnr_mailbox_begin_wait(box));
	g_assert_false(is_readable(box));
	vpnr_mailbox_end_wait(box);
}

static void
test_wake_before_sleep(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);

	vpnr_mailbox_wake(box);
	g_assert_false(vpnr_mailbox_begin_wait(box));
	vpnr_mailbox_end_wait(box);
	g_assert_true(vpnr_mailbox_begin_wait(box));
	vpnr_mailbox_end_wait(box);
}

static void
test_wake_in_sleep(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);

	g_assert_true(vpnr_mailbox_begin_wait(box));
	vpnr_mailbox_wake(box);
	vpnr_mailbox_wake(box);
	g_assert_true(is_readable(box));
	vpnr_mailbox_end_wait(box);
	g_assert_true(vpnr_mailbox_begin_wait(box));
	g_assert_false(is_readable(box));
	vpnr_mailbox_end_wait(box);
}

static void
test_pop(void)
{
	g_autoptr(VpnrMailbox) box = new_box(NULL);
	gint64 start = g_get_monotonic_time();

	g_assert_null(vpnr_mailbox_pop(box, 0));
	g_assert_null(vpnr_mailbox_pop(box, 2));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 2000);
	vpnr_mailbox_push(box, box);
	g_assert_true(vpnr_mailbox_pop(box, -1) == box);
}

static void
test_pop_wake(void)
{
	g_test_summary("A wake that comes with an item is reported after it, once.");

	g_autoptr(VpnrMailbox) box = new_box(NULL);

	vpnr_mailbox_wake(box);
	vpnr_mailbox_push(box, box);
	g_assert_true(vpnr_mailbox_pop(box, -1) == box);
	g_assert_null(vpnr_mailbox_pop(box, -1));
	g_assert_true(vpnr_mailbox_begin_wait(box));
	vpnr_mailbox_end_wait(box);
}

static void
test_no_descriptor(void)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before;
	struct rlimit none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_null(vpnr_mailbox_new(NULL, &error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mailbox/order", test_order);
	g_test_add_func("/mailbox/free", test_free);
	g_test_add_func("/mailbox/busy", test_busy);
	g_test_add_func("/mailbox/sleep", test_sleep);
	g_test_add_func("/mailbox/no-sleep-on-items", test_no_sleep_on_items);
	g_test_add_func("/mailbox/wake-before-sleep", test_wake_before_sleep);
	g_test_add_func("/mailbox/wake-in-sleep", test_wake_in_sleep);
	g_test_add_func("/mailbox/pop", test_pop);
	g_test_add_func("/mailbox/pop/wake", test_pop_wake);
	g_test_add_func("/mailbox/no-descriptor", test_no_descriptor);
	return g_test_run();
}
