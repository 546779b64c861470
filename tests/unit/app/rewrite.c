/* SPDX-License-Identifier: MIT
 *
 * rewrite: a file that is replaced, one that is not, and several that want to at once.
 */
#include "app/rewrite.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/thread.h"

#define THREADS 8

typedef struct {
	char *folder;
	char *path;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("vpnr-rewrite-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "a.conf", NULL);
	g_assert_true(g_file_set_contents(fixture->path, "old\n", -1, NULL));
	g_assert_cmpint(g_chmod(fixture->path, 0640), ==, 0);
}

/* All that is in the folder is what the test knows of: no temporary file. */
static void
tear_down(Fixture *fixture, gconstpointer data)
{
	g_assert_cmpint(g_unlink(fixture->path), ==, 0);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->path);
	g_free(fixture->folder);
}

static void
assert_content(const char *path, const char *expected)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, expected);
}

static VpnrRewrite *
begin(const char *path)
{
	g_autoptr(GError) error = NULL;
	VpnrRewrite *rewrite = vpnr_rewrite_begin(path, &error);

	g_assert_no_error(error);
	return rewrite;
}

static void
test_commit(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VpnrRewrite) rewrite = begin(fixture->path);
	g_autoptr(GError) error = NULL;
	struct stat st;
	gsize n;

	g_assert_cmpstr(vpnr_rewrite_text(rewrite, &n), ==, "old\n");
	g_assert_cmpuint(n, ==, 4);
	g_assert_true(vpnr_rewrite_prepare(rewrite, "new", 3, &error));
	g_assert_no_error(error);
	assert_content(fixture->path, "old\n");
	g_assert_true(vpnr_rewrite_commit(rewrite, &error));
	g_assert_no_error(error);
	assert_content(fixture->path, "new");
	g_assert_cmpint(stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
}

static void
test_abandon(Fixture *fixture, gconstpointer data)
{
	VpnrRewrite *first = begin(fixture->path);

	vpnr_rewrite_end(first);
	VpnrRewrite *second = begin(fixture->path);
	g_assert_true(vpnr_rewrite_prepare(second, "new", 3, NULL));
	vpnr_rewrite_end(second);
	vpnr_rewrite_end(NULL);
	assert_content(fixture->path, "old\n");
}

static void
test_symlink(Fixture *fixture, gconstpointer data)
{
	g_autofree char *link = g_build_filename(fixture->folder, "link", NULL);
	struct stat st;

	g_assert_cmpint(symlink("a.conf", link), ==, 0);
	VpnrRewrite *rewrite = begin(link);
	g_assert_true(vpnr_rewrite_prepare(rewrite, "new", 3, NULL));
	g_assert_true(vpnr_rewrite_commit(rewrite, NULL));
	vpnr_rewrite_end(rewrite);
	assert_content(fixture->path, "new");
	g_assert_cmpint(lstat(link, &st), ==, 0);
	g_assert_true(S_ISLNK(st.st_mode));
	g_assert_cmpint(g_unlink(link), ==, 0);
}

static void
test_owner(Fixture *fixture, gconstpointer data)
{
	struct stat st;

	if (geteuid() != 0 || chown(fixture->path, 12345, 23456) < 0) {
		g_test_skip("only root can give files away");
		return;
	}
	g_assert_cmpint(g_chmod(fixture->path, 02640), ==, 0);
	g_autoptr(VpnrRewrite) rewrite = begin(fixture->path);
	g_assert_true(vpnr_rewrite_prepare(rewrite, "new", 3, NULL));
	g_assert_true(vpnr_rewrite_commit(rewrite, NULL));
	g_assert_cmpint(stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_uid, ==, 12345);
	g_assert_cmpint(st.st_gid, ==, 23456);
	g_assert_cmpint(st.st_mode & 07777, ==, 02640);
}

/* Gives the file an attribute; FALSE: its file system has none, and the test is skipped. */
static gboolean
set_attribute(const char *path, const char *name, gconstpointer value, gsize n)
{
	if (setxattr(path, name, value, n, 0) == 0)
		return TRUE;
	g_assert_cmpint(errno, ==, ENOTSUP);
	g_test_skip("the file system has no such attributes");
	return FALSE;
}

static void
assert_attribute(const char *path, const char *name, gconstpointer value, gsize n)
{
	char got[128];
	gssize n_got = getxattr(path, name, got, sizeof got);

	g_assert_cmpint(n_got, >=, 0);
	g_assert_cmpmem(got, (gsize)n_got, value, n);
}

static void
replace(const char *path)
{
	g_autoptr(VpnrRewrite) rewrite = begin(path);
	g_autoptr(GError) error = NULL;

	g_assert_true(vpnr_rewrite_prepare(rewrite, "new", 3, &error));
	g_assert_no_error(error);
	g_assert_true(vpnr_rewrite_commit(rewrite, NULL));
	assert_content(path, "new");
}

static void
test_attributes(Fixture *fixture, gconstpointer data)
{
	g_test_summary("The new file has the extended attributes of the old one.");

	if (!set_attribute(fixture->path, "user.vpnr.one", "1", 1) ||
	    !set_attribute(fixture->path, "user.vpnr.none", "", 0))
		return;
	replace(fixture->path);
	assert_attribute(fixture->path, "user.vpnr.one", "1", 1);
	assert_attribute(fixture->path, "user.vpnr.none", "", 0);
}

/* An access control list as the kernel has it (linux/posix_acl_xattr.h), little-endian: version 2,
 * then tag, permissions and id of each entry. User 12345 may read, as the owner's group may. */
static const guint8 acl[] = {
	0x02, 0, 0, 0,                         /* version */
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* owner */
	0x02, 0, 4, 0, 0x39, 0x30, 0x00, 0x00, /* user */
	0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group */
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* others */
};

static void
test_access_list(Fixture *fixture, gconstpointer data)
{
	struct stat st;

	g_test_summary("Who may read the old file by its access control list may read the new "
		       "one.");
	if (!set_attribute(fixture->path, "system.posix_acl_access", acl, sizeof acl))
		return;
	replace(fixture->path);
	assert_attribute(fixture->path, "system.posix_acl_access", acl, sizeof acl);
	g_assert_cmpint(stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
}

static void
test_access_list_of_folder(Fixture *fixture, gconstpointer data)
{
	struct stat st;
	char byte;

	g_test_summary("Whom the folder lets into new files, the old one does not: nor does its "
		       "successor.");
	if (!set_attribute(fixture->folder, "system.posix_acl_default", acl, sizeof acl))
		return;
	replace(fixture->path);
	g_assert_cmpint(getxattr(fixture->path, "system.posix_acl_access", &byte, 0), ==, -1);
	g_assert_cmpint(errno, ==, ENODATA);
	g_assert_cmpint(stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
}

static void
test_signals(Fixture *fixture, gconstpointer data)
{
	VpnrRewrite *rewrite = begin(fixture->path);
	sigset_t before;
	sigset_t during;
	sigset_t after;

	g_test_summary("Nobody ends the process while there is a temporary file.");
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	g_assert_true(vpnr_rewrite_prepare(rewrite, "new", 3, NULL));
	pthread_sigmask(SIG_SETMASK, NULL, &during);
	vpnr_rewrite_end(rewrite);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	g_assert_false(sigismember(&before, SIGTERM));
	g_assert_true(sigismember(&during, SIGTERM));
	g_assert_true(sigismember(&during, SIGINT));
	g_assert_false(sigismember(&after, SIGTERM));
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
	g_autofree char *missing = g_build_filename(fixture->folder, "b.conf", NULL);
	const char *const paths[] = { missing, fixture->folder, "/dev/null" };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *name = g_path_get_basename(paths[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(vpnr_rewrite_begin(paths[i], &error));
		g_assert_nonnull(error);
		g_assert_true(error->domain == G_FILE_ERROR);
		g_assert_nonnull(strstr(error->message, name));
	}
}

static void
append_line(gpointer data)
{
	g_autoptr(VpnrRewrite) rewrite = begin(data);
	gsize n;
	const char *text = vpnr_rewrite_text(rewrite, &n);
	g_autofree char *longer = g_strconcat(text, "line\n", NULL);

	g_assert_true(vpnr_rewrite_prepare(rewrite, longer, n + 5, NULL));
	g_assert_true(vpnr_rewrite_commit(rewrite, NULL));
}

static void
test_at_once(Fixture *fixture, gconstpointer data)
{
	VpnrThread *threads[THREADS];
	g_autofree char *text = NULL;
	gsize n;

	g_test_summary("Of those that come at once none undoes what another has done.");
	for (guint i = 0; i < THREADS; i++)
		threads[i] = vpnr_thread_start("append", append_line, fixture->path, NULL);
	for (guint i = 0; i < THREADS; i++)
		vpnr_thread_join(threads[i]);
	g_assert_true(g_file_get_contents(fixture->path, &text, &n, NULL));
	g_assert_cmpuint(n, ==, 4 + THREADS * 5);
}

static void
add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
	g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/rewrite/commit", test_commit);
	add("/rewrite/abandon", test_abandon);
	add("/rewrite/symlink", test_symlink);
	add("/rewrite/owner", test_owner);
	add("/rewrite/attributes", test_attributes);
	add("/rewrite/access-list", test_access_list);
	add("/rewrite/access-list/folder", test_access_list_of_folder);
	add("/rewrite/signals", test_signals);
	add("/rewrite/refused", test_refused);
	add("/rewrite/at-once", test_at_once);
	return g_test_run();
}
