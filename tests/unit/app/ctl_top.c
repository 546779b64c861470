/* SPDX-License-Identifier: MIT
 *
 * ctl_top: vpnrctl as it is built, on a terminal of the test's own, against a program of the test's
 * own that comes and goes.
 */
#include "app/ctl_top.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "app/control.h"
#include "base/fd.h"
#include "tests/unit/app/mainloop.h"

/* What the program answers, and how often it was asked. */
typedef struct {
	char *folder;
	char *path;
	_Atomic guint asked;
	VpnrControl *control;
	Mainloop loop;

	int master;
	int slave; /* kept open, so that its modes can be seen afterwards */
	struct termios modes;
	pid_t pid;
	GString *screen; /* what was written and not yet awaited; a zero byte is a newline in it */
} Rig;

static char *
on_status(gpointer data, GError **error)
{
	Rig *rig = data;

	return g_strdup_printf("{\"role\":\"client\",\"version\":\"9\",\"pid\":1,\"uptime_s\":%u}",
			       atomic_fetch_add(&rig->asked, 1));
}

static char *
on_connections(gpointer data, GError **error)
{
	return g_strdup("{\"connections\":[{\"id\":7,\"destination\":\"evil\\u001b]0;x.example:1\","
			"\"peer\":\"application.example:2\"}]}");
}

static const VpnrControlCommand commands[] = {
	{ "status", on_status },
	{ "connections", on_connections },
	{ NULL },
};

static void
start_program(Rig *rig)
{
	rig->control = vpnr_control_start(rig->path, commands, rig, NULL);
	g_assert_nonnull(rig->control);
	mainloop_start(&rig->loop);
}

static void
stop_program(Rig *rig)
{
	mainloop_stop(&rig->loop);
	vpnr_control_stop(g_steal_pointer(&rig->control));
}

static void
open_terminal(Rig *rig)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	rig->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	g_assert_cmpint(rig->master, >=, 0);
	g_assert_cmpint(grantpt(rig->master), ==, 0);
	g_assert_cmpint(unlockpt(rig->master), ==, 0);
	rig->slave = open(ptsname(rig->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	g_assert_cmpint(rig->slave, >=, 0);
	g_assert_cmpint(ioctl(rig->slave, TIOCSWINSZ, &size), ==, 0);
	g_assert_cmpint(tcgetattr(rig->slave, &rig->modes), ==, 0);
}

static void
take_terminal(gpointer data)
{
	setsid();
	ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

static void
start_top(Rig *rig)
{
	const char *folder = g_getenv("VPNR_BUILDDIR");
	g_autofree char *program = g_build_filename(folder != NULL ? folder : ".", "vpnrctl", NULL);
	char *argv[] = { program, (char *)"-s", rig->path, (char *)"top", NULL };
	g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "TERM", "xterm", TRUE);
	g_autoptr(GError) error = NULL;

	g_spawn_async_with_fds(NULL, argv, env, G_SPAWN_DO_NOT_REAP_CHILD, take_terminal, NULL,
			       &rig->pid, rig->slave, rig->slave, rig->slave, &error);
	g_assert_no_error(error);
}

static void
set_up(Rig *rig, gconstpointer data)
{
	rig->folder = g_dir_make_tmp("vpnr-top-XXXXXX", NULL);
	rig->path = g_build_filename(rig->folder, "test.sock", NULL);
	rig->screen = g_string_new(NULL);
	start_program(rig);
	open_terminal(rig);
	start_top(rig);
}

static void
tear_down(Rig *rig, gconstpointer data)
{
	stop_program(rig);
	close(rig->master);
	close(rig->slave);
	g_string_free(rig->screen, TRUE);
	g_assert_cmpint(g_rmdir(rig->folder), ==, 0);
	g_free(rig->folder);
	g_free(rig->path);
}

/* Waits until the text has been drawn, and forgets what was drawn before. A test that waits in vain
 * is ended by whoever runs it. */
static void
await(Rig *rig, const char *text)
{
	char chunk[4096];
	const char *found;

	while ((found = strstr(rig->screen->str, text)) == NULL) {
		ssize_t got = read(rig->master, chunk, sizeof chunk);

		g_assert_cmpint(got, >, 0);
		for (ssize_t i = 0; i < got; i++)
			g_string_append_c(rig->screen, chunk[i] == '\0' ? '\n' : chunk[i]);
	}
	g_string_erase(rig->screen, 0, found - rig->screen->str + (gssize)strlen(text));
}

static void
press(const Rig *rig, const char *key)
{
	g_assert_cmpint(write(rig->master, key, strlen(key)), ==, strlen(key));
}

/* It ends, and the terminal's screen and modes are as they were. */
static void
assert_ended(Rig *rig)
{
	struct termios modes;
	int status;

	await(rig, "\x1b[?1049l");
	g_assert_cmpint(waitpid(rig->pid, &status, 0), ==, rig->pid);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 0);
	g_assert_cmpint(tcgetattr(rig->slave, &modes), ==, 0);
	g_assert_cmpint(modes.c_lflag, ==, rig->modes.c_lflag);
	g_assert_cmpint(modes.c_iflag, ==, rig->modes.c_iflag);
	g_assert_cmpint(modes.c_oflag, ==, rig->modes.c_oflag);
}

static void
test_keys(Rig *rig, gconstpointer data)
{
	await(rig, "vpnr-client");
	await(rig, "evil?]0;x.example:1");
	await(rig, "q quit");
	press(rig, "s");
	await(rig, "total");
	press(rig, "?");
	await(rig, "PageUp");
	press(rig, "q");
	assert_ended(rig);
}

static void
test_refresh(Rig *rig, gconstpointer data)
{
	g_test_summary("Every second, and when the user wants it.");
	await(rig, "q quit");
	for (guint i = 0; i < 2; i++) {
		guint asked = atomic_load(&rig->asked);

		press(rig, i == 0 ? "" : " ");
		while (atomic_load(&rig->asked) == asked)
			g_usleep(1000);
	}
	press(rig, "\x03");
	assert_ended(rig);
}

static void
test_size(Rig *rig, gconstpointer data)
{
	struct winsize size = { .ws_row = 40, .ws_col = 120 };

	await(rig, "q quit");
	g_assert_null(strstr(rig->screen->str, "application.example"));
	g_assert_cmpint(ioctl(rig->master, TIOCSWINSZ, &size), ==, 0);
	await(rig, "application.example");
	g_assert_cmpint(kill(rig->pid, SIGTERM), ==, 0);
	assert_ended(rig);
}

static void
test_away(Rig *rig, gconstpointer data)
{
	await(rig, "evil");
	stop_program(rig);
	await(rig, "AWAY");
	start_program(rig);
	await(rig, "evil");
	stop_program(rig);
	await(rig, "AWAY");
	press(rig, "q");
	assert_ended(rig);
}

static void
test_stopped(Rig *rig, gconstpointer data)
{
	g_test_summary("Whoever goes on draws all of it again.");
	int status;

	await(rig, "q quit");
	g_assert_cmpint(kill(rig->pid, SIGSTOP), ==, 0);
	g_assert_cmpint(waitpid(rig->pid, &status, WUNTRACED), ==, rig->pid);
	g_assert_true(WIFSTOPPED(status));
	g_assert_cmpint(kill(rig->pid, SIGCONT), ==, 0);
	await(rig, "q quit");
	press(rig, "q");
	assert_ended(rig);
}

#define ADD(name, function) g_test_add(name, Rig, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/ctl-top/keys", test_keys);
	ADD("/ctl-top/refresh", test_refresh);
	ADD("/ctl-top/size", test_size);
	ADD("/ctl-top/away", test_away);
	ADD("/ctl-top/stopped", test_stopped);
	return g_test_run();
}
