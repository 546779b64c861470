/* SPDX-License-Identifier: MIT
 *
 * control, commands that last: they bring descriptors and end with their caller.
 */
#include "app/control.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/app/mainloop.h"

typedef struct {
	char *folder;
	char *path;
	VpnrControl *control;
	Mainloop loop;
	VpnrFd ended[2]; /* a pipe: a byte for each that has ended */
} Fixture;

/* Takes the first descriptor, writes to it, and closes it at the end. */
static gpointer
begin(gpointer data, VpnrFds *fds, char **json, GError **error)
{
	if (fds->n == 0) {
		g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "nothing came");
		return NULL;
	}
	g_assert_cmpint(write(fds->fd[--fds->n], "b", 1), ==, 1);
	*json = g_strdup("{\"begun\":true}");
	return GINT_TO_POINTER(fds->fd[fds->n]);
}

static void
end(gpointer data, gpointer begun)
{
	Fixture *fixture = data;

	close(GPOINTER_TO_INT(begun));
	g_assert_cmpint(write(fixture->ended[1], "e", 1), ==, 1);
}

static char *
answer_status(gpointer data, GError **error)
{
	return g_strdup("{}");
}

static const VpnrControlLasting lasting = { begin, end };

static const VpnrControlCommand commands[] = {
	{ "status", answer_status },
	{ "last", NULL, &lasting },
	{ NULL },
};

static void
set_up(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	fixture->folder = g_dir_make_tmp("vpnr-control-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "test.sock", NULL);
	g_assert_cmpint(pipe2(fixture->ended, O_CLOEXEC), ==, 0);
	fixture->control = vpnr_control_start(fixture->path, commands, fixture, &error);
	g_assert_no_error(error);
	mainloop_start(&fixture->loop);
}

static void
stop(Fixture *fixture)
{
	mainloop_stop(&fixture->loop);
	vpnr_control_stop(g_steal_pointer(&fixture->control));
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	if (fixture->control != NULL)
		stop(fixture);
	close(fixture->ended[0]);
	close(fixture->ended[1]);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->folder);
	g_free(fixture->path);
}

/* The next byte of a pipe, or 0 at its end; waits. */
static char
read_byte(int fd)
{
	char byte = 0;

	g_assert_cmpint(read(fd, &byte, 1), >=, 0);
	return byte;
}

/* Begins a command on a connection of its own (transfer full). *far is the other end of the
 * descriptor that it was given. */
static int
begin_one(const Fixture *fixture, int *far, GError **error)
{
	int ends[2];
	g_auto(VpnrFd) fd = vpnr_control_connect(fixture->path, error);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	VpnrFds fds = { { ends[1] }, 1 };
	*far = ends[0];
	g_autofree char *json = vpnr_control_lend(fd, fixture->path, "last", &fds, error);
	vpnr_fds_clear(&fds);
	if (json == NULL)
		return -1;
	g_assert_cmpstr(json, ==, "{\"begun\":true}");
	return vpnr_fd_steal(&fd);
}

static void
test_last(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) far = -1;
	int fd = begin_one(fixture, &far, &error);

	g_assert_no_error(error);
	g_assert_cmpint(read_byte(far), ==, 'b');
	close(fd);
	g_assert_cmpint(read_byte(fixture->ended[0]), ==, 'e');
	g_assert_cmpint(read_byte(far), ==, 0); /* nobody has kept the descriptor */
}

static void
test_stop(Fixture *fixture, gconstpointer data)
{
	g_auto(VpnrFd) far = -1;
	g_auto(VpnrFd) fd = begin_one(fixture, &far, NULL);
	char byte;

	stop(fixture);
	g_assert_cmpint(read_byte(fixture->ended[0]), ==, 'e');
	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 0);
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_control_ask(fixture->path, "last", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "nothing came"));
}

/* As many as there may be, and others are served beside them. */
static void
test_bound(Fixture *fixture, gconstpointer data)
{
	int fds[VPNR_CONTROL_LASTING_MAX];
	int fars[VPNR_CONTROL_LASTING_MAX];
	g_auto(VpnrFd) far = -1;
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = begin_one(fixture, &fars[i], &error);
		g_assert_no_error(error);
	}
	g_assert_cmpint(begin_one(fixture, &far, &error), ==, -1);
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "under way"));
	g_autofree char *json = vpnr_control_ask(fixture->path, "status", NULL);
	g_assert_cmpstr(json, ==, "{}");
	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
		g_assert_cmpint(read_byte(fixture->ended[0]), ==, 'e');
		close(fars[i]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/control/lasting/last", Fixture, NULL, set_up, test_last, tear_down);
	g_test_add("/control/lasting/stop", Fixture, NULL, set_up, test_stop, tear_down);
	g_test_add("/control/lasting/refused", Fixture, NULL, set_up, test_refused, tear_down);
	g_test_add("/control/lasting/bound", Fixture, NULL, set_up, test_bound, tear_down);
	return g_test_run();
}
