/* SPDX-License-Identifier: MIT
 *
 * top_asker: answers, nobody there, and a program that does not answer.
 */
#include "app/top_asker.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "app/control.h"
#include "base/fd.h"
#include "tests/unit/app/mainloop.h"

static char *
on_status(gpointer data, GError **error)
{
	return g_strdup("{\"role\":\"client\",\"bytes_sent\":5}");
}

static char *
on_connections(gpointer data, GError **error)
{
	return g_strdup("{\"connections\":[{\"id\":7}]}");
}

static const VpnrControlCommand commands[] = {
	{ "status", on_status },
	{ "connections", on_connections },
	{ NULL },
};

typedef struct {
	char *folder;
	char *path;
} Place;

static void
set_up(Place *place, gconstpointer data)
{
	place->folder = g_dir_make_tmp("vpnr-top-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "test.sock", NULL);
}

static void
tear_down(Place *place, gconstpointer data)
{
	g_unlink(place->path);
	g_assert_cmpint(g_rmdir(place->folder), ==, 0);
	g_free(place->folder);
	g_free(place->path);
}

static VpnrTopSample *
ask(VpnrTopAsker *asker, GError **error)
{
	struct pollfd answered = { .fd = vpnr_top_asker_fd(asker), .events = POLLIN };

	g_assert_cmpint(poll(&answered, 1, 0), ==, 0);
	vpnr_top_asker_ask(asker);
	g_assert_cmpint(poll(&answered, 1, -1), ==, 1);
	return vpnr_top_asker_take(asker, error);
}

static void
test_answers(Place *place, gconstpointer data)
{
	VpnrControl *control = vpnr_control_start(place->path, commands, NULL, NULL);
	Mainloop loop = { 0 };

	mainloop_start(&loop);
	VpnrTopAsker *asker = vpnr_top_asker_start(place->path, NULL);
	for (guint i = 0; i < 3; i++) {
		gint64 before = g_get_monotonic_time();
		g_autoptr(VpnrTopSample) sample = ask(asker, NULL);

		g_assert_nonnull(sample);
		g_assert_cmpfloat(sample->up, ==, 5);
		g_assert_cmpuint(sample->streams->len, ==, 1);
		g_assert_cmpint(sample->status_us, >=, before);
		g_assert_cmpint(sample->streams_us, >=, sample->status_us);
	}
	vpnr_top_asker_ask(asker); /* nobody takes the answer */
	vpnr_top_asker_stop(asker);

	mainloop_stop(&loop);
	vpnr_control_stop(control);
}

static void
test_nobody(Place *place, gconstpointer data)
{
	VpnrTopAsker *asker = vpnr_top_asker_start(place->path, NULL);

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(ask(asker, &error));
		g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT);
	}
	vpnr_top_asker_stop(asker);
}

static void
test_silent(Place *place, gconstpointer data)
{
	g_test_summary("A program that takes the question and never answers is not waited for.");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_auto(VpnrFd) listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gint64 before;

	g_strlcpy(address.sun_path, place->path, sizeof address.sun_path);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	VpnrTopAsker *asker = vpnr_top_asker_start(place->path, NULL);
	vpnr_top_asker_ask(asker);
	g_auto(VpnrFd) connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char byte;
	g_assert_cmpint(recv(connection, &byte, 1, 0), ==, 1);
	before = g_get_monotonic_time();
	vpnr_top_asker_stop(asker);
	/* The control socket's own limit is ten seconds. */
	g_assert_cmpint(g_get_monotonic_time() - before, <, 5 * G_USEC_PER_SEC);
}

#define ADD(name, function) g_test_add(name, Place, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/top-asker/answers", test_answers);
	ADD("/top-asker/nobody", test_nobody);
	ADD("/top-asker/silent", test_silent);
	return g_test_run();
}
