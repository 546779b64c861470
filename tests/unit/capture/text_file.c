/* SPDX-License-Identifier: MIT
 *
 * text_file: what is read from it, by its descriptor and by its path.
 */
#include "capture/text_file.h"

#include <unistd.h>

#include "base/fd.h"

static void
test_read(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) fd = vpnr_text_file("a\nb\n", &error);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autofree char *text = NULL;
	char buf[8];

	g_assert_no_error(error);
	g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 4);
	g_assert_true(g_file_get_contents(path, &text, NULL, &error));
	g_assert_cmpstr(text, ==, "a\nb\n");
}

static void
test_empty(void)
{
	g_auto(VpnrFd) fd = vpnr_text_file("", NULL);
	char c;

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(read(fd, &c, 1), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/text_file/read", test_read);
	g_test_add_func("/text_file/empty", test_empty);
	return g_test_run();
}
