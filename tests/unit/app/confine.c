/* SPDX-License-Identifier: MIT
 *
 * confine: what is left of the process, of a thread that it starts later, and of a program. Each
 * case is a process of its own, since nothing comes back.
 */
#include "app/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"

/* Who owns nothing. */
#define OTHER "nobody"

static const int none[] = { -1 };
static const int bind_service[] = { CAP_NET_BIND_SERVICE, -1 };

/* TRUE in the process in which the case runs; otherwise it has passed there, or was skipped. */
static gboolean
is_inside(gboolean needs_root)
{
	if (needs_root && (geteuid() != 0 || !vpnr_confine_find_user(OTHER, NULL, NULL))) {
		g_test_skip("needs root, and a user " OTHER);
		return FALSE;
	}
	if (g_test_subprocess())
		return TRUE;
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	return FALSE;
}

static void
confine(const VpnrConfine *params)
{
	g_autoptr(GError) error = NULL;

	vpnr_confine(params, &error);
	g_assert_no_error(error);
}

/* CAP_SYS_NICE may stay where RLIMIT_NICE cannot be raised. */
static void
check_set(capng_type_t set, const int *kept)
{
	capng_get_caps_process();
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (i != CAP_SYS_NICE)
			g_assert_cmpint(capng_have_capability(set, (unsigned)i), ==, i == *kept);
}

static void
check_capabilities(gpointer data)
{
	check_set(CAPNG_PERMITTED, data);
	check_set(CAPNG_EFFECTIVE, data);
	g_assert_cmpint(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
}

static void
run_thread(VpnrThreadFunc func, gpointer data)
{
	vpnr_thread_join(vpnr_thread_start("confined", func, data, NULL));
}

static void
test_users(void)
{
	g_autoptr(GError) error = NULL;
	VpnrUser user;

	g_assert_true(vpnr_confine_find_user("root", &user, NULL));
	g_assert_cmpuint(user.uid, ==, 0);
	g_assert_cmpuint(user.gid, ==, 0);
	g_assert_false(vpnr_confine_find_user("no such user", &user, &error));
	g_assert_error(error, VPNR_CONFINE_ERROR, VPNR_CONFINE_ERROR_NO_USER);
	g_assert_nonnull(strstr(error->message, "\"no such user\""));
}

static void
test_nothing(void)
{
	if (!is_inside(TRUE))
		return;
	confine(&(VpnrConfine){ .capabilities = none });
	check_capabilities((gpointer)none);
	run_thread(check_capabilities, (gpointer)none);
	g_assert_cmpuint(getuid(), ==, 0);
}

static void
test_some(void)
{
	if (!is_inside(TRUE))
		return;
	confine(&(VpnrConfine){ .capabilities = bind_service });
	check_capabilities((gpointer)bind_service);
	check_set(CAPNG_BOUNDING_SET, bind_service);
	run_thread(check_capabilities, (gpointer)bind_service);
}

/* What an earlier confinement has taken a later one cannot give. */
static void
test_no_more(void)
{
	if (!is_inside(TRUE))
		return;
	confine(&(VpnrConfine){ .capabilities = none });
	confine(&(VpnrConfine){ .capabilities = bind_service });
	check_capabilities((gpointer)none);
}

/* The file is root's, and only root's capabilities would open it to others. Its folder is not: who
 * owns that can remove the file. */
static void
test_user(void)
{
	g_autofree char *folder = NULL;
	g_autofree char *path = NULL;
	VpnrUser user;
	gid_t groups[8];
	g_auto(VpnrFd) fd = -1;

	if (!is_inside(TRUE))
		return;
	g_assert_true(vpnr_confine_find_user(OTHER, &user, NULL));
	folder = g_dir_make_tmp("vpnr-confine-XXXXXX", NULL);
	path = g_build_filename(folder, "file", NULL);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(chown(folder, user.uid, user.gid), ==, 0);
	confine(&(VpnrConfine){ .user = OTHER, .capabilities = bind_service });
	check_capabilities((gpointer)bind_service);
	check_set(CAPNG_BOUNDING_SET, bind_service);
	g_assert_cmpuint(getuid(), ==, user.uid);
	g_assert_cmpuint(geteuid(), ==, user.uid);
	g_assert_cmpuint(getgid(), ==, user.gid);
	g_assert_cmpint(getgroups(G_N_ELEMENTS(groups), groups), <=, 1);
	g_assert_cmpint(open(path, O_RDONLY | O_CLOEXEC), ==, -1);
	g_assert_cmpint(errno, ==, EACCES);
	g_assert_cmpint(setuid(0), ==, -1);
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(rmdir(folder), ==, 0);
}

/* Whoever he is already, no right is needed to become him. */
static void
test_same_user(void)
{
	VpnrUser user;

	if (!is_inside(TRUE))
		return;
	g_assert_true(vpnr_confine_find_user(OTHER, &user, NULL));
	g_assert_cmpint(setgid(user.gid), ==, 0);
	g_assert_cmpint(setuid(user.uid), ==, 0);
	confine(&(VpnrConfine){ .user = OTHER, .capabilities = bind_service });
	check_capabilities((gpointer)none);
	g_assert_cmpuint(getuid(), ==, user.uid);
}

static void
test_forbidden(void)
{
	g_autoptr(GError) error = NULL;
	VpnrUser user;

	if (!is_inside(TRUE))
		return;
	g_assert_true(vpnr_confine_find_user(OTHER, &user, NULL));
	g_assert_cmpint(setuid(user.uid), ==, 0);
	g_assert_false(
	    vpnr_confine(&(VpnrConfine){ .user = "root", .capabilities = none }, &error));
	g_assert_error(error, VPNR_CONFINE_ERROR, VPNR_CONFINE_ERROR_FORBIDDEN);
	g_assert_nonnull(strstr(error->message, "\"root\""));
}

/* Of a program that is started now; /proc has its capabilities as a row of bits. */
static gboolean
program_has_bind_service(void)
{
	static const char *const argv[] = { "/bin/sh", "-c", "grep ^CapEff /proc/self/status",
					    NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *output = NULL;

	g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &output, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_str_has_prefix(output, "CapEff:\t"));
	return (g_ascii_strtoull(output + strlen("CapEff:\t"), NULL, 16) >> CAP_NET_BIND_SERVICE &
		1) != 0;
}

static void
check_programs(const char *user, gboolean programs)
{
	confine(&(VpnrConfine){ .user = user, .capabilities = bind_service, .programs = programs });
	g_assert_cmpint(program_has_bind_service(), ==, programs);
}

static void
test_programs_of_user(void)
{
	if (is_inside(TRUE))
		check_programs(OTHER, TRUE);
}

static void
test_no_programs_of_user(void)
{
	if (is_inside(TRUE))
		check_programs(OTHER, FALSE);
}

static void
test_programs_of_root(void)
{
	if (is_inside(TRUE))
		check_programs(NULL, TRUE);
}

static void
test_programs_of_who_is_no_root(void)
{
	g_test_summary("Who was started by another user than root, with capabilities, passes them "
		       "on as well.");
	if (!is_inside(TRUE))
		return;
	confine(&(VpnrConfine){ .user = OTHER, .capabilities = bind_service, .programs = TRUE });
	check_programs(NULL, TRUE);
}

static void
lower_and_return(gpointer data)
{
	int nice = getpriority(PRIO_PROCESS, 0);

	(void)data;
	g_assert_cmpint(setpriority(PRIO_PROCESS, 0, nice + 5), ==, 0);
	g_assert_cmpint(setpriority(PRIO_PROCESS, 0, nice), ==, 0);
}

static void
test_priority(void)
{
	if (!is_inside(TRUE))
		return;
	confine(&(VpnrConfine){ .user = OTHER, .capabilities = none });
	run_thread(lower_and_return, NULL);
}

/* The filter itself is the unit test of syscalls. */
static void
test_filter(void)
{
	if (!is_inside(FALSE))
		return;
	confine(&(VpnrConfine){ .capabilities = none, .filter = TRUE });
	run_thread(check_capabilities, (gpointer)none);
	g_assert_cmpint(access("/", F_OK), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary(
	    "capabilities, user and no_new_privs, for threads and programs that come later");
	g_test_add_func("/confine/users", test_users);
	g_test_add_func("/confine/nothing", test_nothing);
	g_test_add_func("/confine/some", test_some);
	g_test_add_func("/confine/no-more", test_no_more);
	g_test_add_func("/confine/user", test_user);
	g_test_add_func("/confine/same-user", test_same_user);
	g_test_add_func("/confine/forbidden", test_forbidden);
	g_test_add_func("/confine/programs-of-user", test_programs_of_user);
	g_test_add_func("/confine/no-programs-of-user", test_no_programs_of_user);
	g_test_add_func("/confine/programs-of-root", test_programs_of_root);
	g_test_add_func("/confine/programs-of-who-is-no-root", test_programs_of_who_is_no_root);
	g_test_add_func("/confine/priority", test_priority);
	g_test_add_func("/confine/filter", test_filter);
	return g_test_run();
}
