/* SPDX-License-Identifier: MIT
 *
 * seclusion: a service's socket that cannot be reached any more, by one process alone.
 */
#include "run/seclusion.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/run/apart.h"

/* The service's, and one that is not there. */
static char *paths[3];

static struct sockaddr_un
service(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_strlcpy(address.sun_path, paths[0], sizeof address.sun_path);
	return address;
}

static int
try_service(void)
{
	struct sockaddr_un address = service();
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static gboolean
check_hidden(void)
{
	g_autoptr(GError) error = NULL;

	if (geteuid() != 0 && !apart_enter_netns())
		return FALSE;
	g_assert_cmpint(try_service(), ==, 0);
	g_assert_true(vpnr_seclusion_enter((const char *const *)paths, &error));
	g_assert_no_error(error);
	g_assert_cmpint(try_service(), ==, ECONNREFUSED);
	return TRUE;
}

static void
test_hidden(void)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-seclusion-XXXXXX", NULL);
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	paths[0] = g_build_filename(folder, "service", NULL);
	paths[1] = g_build_filename(folder, "nothing", NULL);
	struct sockaddr_un address = service();
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(fd, 8), ==, 0);

	apart(check_hidden);
	g_assert_cmpint(try_service(), ==, 0);

	g_assert_cmpint(g_unlink(paths[0]), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	g_free(paths[0]);
	g_free(paths[1]);
}

/* Then no right is needed. */
static void
test_nothing_to_hide(void)
{
	static const char *const nothing[] = { "/nonexistent/service", NULL };

	g_assert_true(vpnr_seclusion_enter(nothing, NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/seclusion/hidden", test_hidden);
	g_test_add_func("/seclusion/nothing-to-hide", test_nothing_to_hide);
	return g_test_run();
}
