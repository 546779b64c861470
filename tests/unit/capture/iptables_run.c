/* SPDX-License-Identifier: MIT
 *
 * iptables_run: programs of the test's own, and those of the system in a network namespace.
 */
#include "capture/iptables_run.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/backend.h"
#include "tests/unit/capture/namespace.h"

/* A folder with a program that is found before the system's. */
typedef struct {
	char *folder;
	char *program;
	char *path;
} Fake;

static void
fake_install(Fake *fake, const char *name, const char *script)
{
	g_autofree char *text = g_strconcat("#!/bin/sh\n", script, "\n", NULL);
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;

	fake->folder = g_dir_make_tmp("vpnr-XXXXXX", &error);
	g_assert_no_error(error);
	fake->program = g_build_filename(fake->folder, name, NULL);
	g_file_set_contents_full(fake->program, text, -1, G_FILE_SET_CONTENTS_NONE, 0755, &error);
	g_assert_no_error(error);
	fake->path = g_strdup(g_getenv("PATH"));
	path = g_strconcat(fake->folder, ":", fake->path, NULL);
	g_setenv("PATH", path, TRUE);
}

static void
fake_remove(Fake *fake)
{
	g_setenv("PATH", fake->path, TRUE);
	g_unlink(fake->program);
	g_rmdir(fake->folder);
	g_free(fake->folder);
	g_free(fake->program);
	g_free(fake->path);
}

static void
test_save(void)
{
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	Fake fake;

	fake_install(&fake, "ip6tables-legacy-save", "echo saved; echo noise >&2");
	output = vpnr_iptables_run_save(VPNR_IPTABLES_LEGACY, AF_INET6, &error);
	fake_remove(&fake);
	g_assert_no_error(error);
	g_assert_cmpstr(output, ==, "saved\n");
}

static void
test_restore(void)
{
	g_autofree char *text = g_strnfill(1 << 20, 'x');
	g_autoptr(GError) error = NULL;
	Fake fake;

	g_test_summary("The program reads the text, however long; its options are those we mean.");
	fake_install(&fake, "iptables-restore",
		     "echo noise\n"
		     "[ \"$*\" = '--noflush -w 10' ] && [ \"$(wc -c)\" = 1048576 ]");
	vpnr_iptables_run_restore(VPNR_IPTABLES_DEFAULT, AF_INET, text, &error);
	fake_remove(&fake);
	g_assert_no_error(error);
}

static void
assert_complaint_about(const char *text, const char *script, const char *expected)
{
	g_autoptr(GError) error = NULL;
	Fake fake;

	fake_install(&fake, "iptables-nft-restore", script);
	g_assert_false(vpnr_iptables_run_restore(VPNR_IPTABLES_NFT, AF_INET, text, &error));
	fake_remove(&fake);
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, expected);
}

static void
assert_complaint(const char *script, const char *expected)
{
	assert_complaint_about("*nat\n-A x -j y\nCOMMIT\n", script, expected);
}

static void
test_complaints(void)
{
	g_test_summary(
	    "An error has what was printed, on one line, and the line that is to blame.");
	assert_complaint("echo no >&2; exit 1", "iptables-nft-restore: no");
	assert_complaint("printf '# Warning: a hint\\niptables-nft-restore v1: \\nline 2: "
			 "failed\\n' "
			 ">&2; exit 4",
			 "iptables-nft-restore v1: line 2: failed: -A x -j y");
	assert_complaint("echo 'Error occurred at line: 2' >&2; exit 1",
			 "iptables-nft-restore: Error occurred at line: 2: -A x -j y");
	assert_complaint("echo 'line 3 failed' >&2; exit 1", "iptables-nft-restore: line 3 failed");
	assert_complaint("echo 'line 99 failed' >&2; exit 1",
			 "iptables-nft-restore: line 99 failed");
	assert_complaint("kill -KILL $$", "iptables-nft-restore: Killed");
}

static void
test_cgroups(void)
{
	static const char text[] = "*mangle\n-A x -m cgroup --path \"a\" -j y\nCOMMIT\n"
				   "*nat\n-A x -m cgroup --path \"b\" -j y\n-A x -j y\n"
				   "-A x -m cgroup --path \"c d\" -j y\nCOMMIT\n";

	g_test_summary("Where a whole table is to blame, it may be for a cgroup.");
	assert_complaint_about(text, "echo 'line 8 failed' >&2; exit 1",
			       "iptables-nft-restore: line 8 failed: is there such a cgroup? "
			       "-A x -m cgroup --path \"c d\" -j y; "
			       "-A x -m cgroup --path \"b\" -j y");
	assert_complaint_about(text, "echo 'line 3 failed' >&2; exit 1",
			       "iptables-nft-restore: line 3 failed: is there such a cgroup? "
			       "-A x -m cgroup --path \"a\" -j y");
}

static void
test_missing(void)
{
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	g_autofree char *program = NULL;
	g_autoptr(GError) error = NULL;

	g_test_summary("Programs that are not in PATH are looked for where they belong.");
	g_setenv("PATH", "/nonexistent", TRUE);
	program = vpnr_iptables_run_save(VPNR_IPTABLES_NFT, AF_INET, &error);
	g_setenv("PATH", path, TRUE);
	if (error != NULL)
		g_assert_nonnull(strstr(error->message, "iptables-"));
}

static void
test_system(void)
{
	g_autofree char *saved = NULL;
	g_autoptr(GError) error = NULL;

	if (!namespace_fresh())
		return;
	saved = vpnr_iptables_run_save(VPNR_IPTABLES_DEFAULT, AF_INET, &error);
	if (saved == NULL) {
		g_test_skip(error->message);
		return;
	}
	g_clear_pointer(&saved, g_free);
	vpnr_iptables_run_restore(VPNR_IPTABLES_DEFAULT, AF_INET,
				  "*filter\n:mine - [0:0]\n-A mine -j DROP\nCOMMIT\n", &error);
	g_assert_no_error(error);
	saved = vpnr_iptables_run_save(VPNR_IPTABLES_DEFAULT, AF_INET, &error);
	g_assert_no_error(error);
	g_assert_nonnull(strstr(saved, "\n-A mine -j DROP\n"));
	g_assert_false(vpnr_iptables_run_restore(VPNR_IPTABLES_DEFAULT, AF_INET,
						 "*filter\n-A nobody -j DROP\nCOMMIT\n", &error));
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, "line"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/iptables_run/save", test_save);
	g_test_add_func("/iptables_run/restore", test_restore);
	g_test_add_func("/iptables_run/complaints", test_complaints);
	g_test_add_func("/iptables_run/cgroups", test_cgroups);
	g_test_add_func("/iptables_run/missing", test_missing);
	g_test_add_func("/iptables_run/system", test_system);
	return g_test_run();
}
