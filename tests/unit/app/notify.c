/* SPDX-License-Identifier: MIT
 *
 * Tests of notify: what is sent to which socket, and that nobody who is told nothing.
 */
#include "app/notify.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

/* Whoever has started the program: a socket with the name that it finds in NOTIFY_SOCKET. */
static int
listen_as(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_assert_cmpuint(n, <, sizeof address.sun_path);
	memcpy(address.sun_path, name, n);
	if (*name == '@')
		address.sun_path[0] = '\0';
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			==, 0);
	g_assert_true(g_setenv("NOTIFY_SOCKET", name, TRUE));
	return fd;
}

/* One message (transfer full). */
static char *
receive(int fd)
{
	char text[256];
	gssize n = recv(fd, text, sizeof text - 1, 0);

	g_assert_cmpint(n, >, 0);
	text[n] = '\0';
	return g_strdup(text);
}

static void
assert_told(int fd, const char *expected)
{
	g_autofree char *text = receive(fd);

	g_assert_cmpstr(text, ==, expected);
}

static void
assert_all_told(int fd)
{
	static const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
	gint64 before = g_get_monotonic_time();
	g_autofree char *text = NULL;
	gint64 time;

	vpnr_notify_ready();
	assert_told(fd, "READY=1\n");
	vpnr_notify_reloading();
	text = receive(fd);
	g_assert_true(g_str_has_prefix(text, reloading));
	time = strtoll(text + strlen(reloading), NULL, 10);
	g_assert_cmpint(time, >=, before);
	g_assert_cmpint(time, <=, g_get_monotonic_time());
	vpnr_notify_stopping();
	assert_told(fd, "STOPPING=1\n");
	g_assert_cmpint(recv(fd, (char[1]){ 0 }, 1, 0), ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);
	g_unsetenv("NOTIFY_SOCKET");
}

static void
test_path(void)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-notify-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "socket", NULL);
	g_auto(VpnrFd) fd = listen_as(path);

	assert_all_told(fd);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_abstract(void)
{
	g_autofree char *name = g_strdup_printf("@vpnr-notify-%d", getpid());
	g_auto(VpnrFd) fd = listen_as(name);

	assert_all_told(fd);
}

/* What standard error gets from one notification to that socket. */
static void
assert_warns(const char *name, const char *expected)
{
	if (g_test_subprocess()) {
		g_assert_true(g_setenv("NOTIFY_SOCKET", name, TRUE));
		vpnr_notify_ready();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(expected);
}

static void
test_nobody(void)
{
	g_test_summary("Without somebody to tell nothing is done, and nothing is said.");

	assert_warns("", "");
}

static void
test_missing(void)
{
	assert_warns("/nonexistent/socket", "*NOTIFY_SOCKET=/nonexistent/socket*No such file*");
}

static void
test_foreign(void)
{
	g_test_summary("A machine may be told by vsock, which the filter of system calls forbids.");

	assert_warns("vsock:2:9", "*NOTIFY_SOCKET=vsock:2:9*not supported*");
}

static void
test_long(void)
{
	g_autofree char *tail = g_strnfill(107, 'x');
	g_autofree char *name = g_strconcat("/", tail, NULL);

	assert_warns(name, "*too long*");
}

int
main(int argc, char **argv)
{
	g_unsetenv("NOTIFY_SOCKET");
	g_unsetenv("JOURNAL_STREAM");
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/notify/path", test_path);
	g_test_add_func("/notify/abstract", test_abstract);
	g_test_add_func("/notify/nobody", test_nobody);
	g_test_add_func("/notify/missing", test_missing);
	g_test_add_func("/notify/foreign", test_foreign);
	g_test_add_func("/notify/long", test_long);
	return g_test_run();
}
