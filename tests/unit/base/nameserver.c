/* SPDX-License-Identifier: MIT
 *
 * nameserver: those of /etc/resolv.conf, which the program replaces in a mount namespace of
 * its own where the system allows that.
 */
#include "base/nameserver.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"

#define CONFIGURATION "/etc/resolv.conf"

static gboolean in_namespace;

/* Puts an empty file of ours in the place of the system's. */
static gboolean
replace_configuration(void)
{
	g_autofree char *file = NULL;
	int fd = g_file_open_tmp("vpnr-XXXXXX", &file, NULL);
	gboolean done;

	g_assert_cmpint(fd, >=, 0);
	vpnr_fd_close(fd);
	done = mount(file, CONFIGURATION, NULL, MS_BIND, NULL) == 0;
	unlink(file);
	return done;
}

/* See tests/unit/base/resolve.c. */
static gboolean
enter_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) < 0)
		return FALSE;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && replace_configuration();
}

static char *
join(const GArray *list)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < list->len; i++) {
		char buf[VPNR_ADDR_STRLEN];

		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
				       vpnr_addr_format(&g_array_index(list, VpnrAddr, i), buf));
	}
	return g_string_free(text, FALSE);
}

static void
expect(const char *configuration, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) list = NULL;
	g_autofree char *found = NULL;
	FILE *file;

	if (!in_namespace) {
		g_test_skip("no file can be mounted here");
		return;
	}
	file = fopen(CONFIGURATION, "w");
	g_assert_nonnull(file);
	g_assert_cmpint(fputs(configuration, file), >=, 0);
	g_assert_cmpint(fclose(file), ==, 0);
	list = vpnr_nameserver_list(&error);
	g_assert_no_error(error);
	found = join(list);
	g_assert_cmpstr(found, ==, text);
}

static void
test_one(void)
{
	expect("nameserver 192.0.2.53\n", "192.0.2.53:53");
}

static void
test_several(void)
{
	expect("nameserver 2001:db8::53\nnameserver 192.0.2.54\n",
	       "[2001:db8::53]:53 192.0.2.54:53");
}

static void
test_default(void)
{
	g_test_summary("resolv.conf(5): without a name server it is the one of this machine.");
	expect("search test\n", "127.0.0.1:53");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	in_namespace = enter_namespace();
	g_test_add_func("/nameserver/one", test_one);
	g_test_add_func("/nameserver/several", test_several);
	g_test_add_func("/nameserver/default", test_default);
	return g_test_run();
}
