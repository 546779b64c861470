/* SPDX-License-Identifier: MIT
 *
 * ctl_find: with no program, one and two at the paths that are tried.
 */
#include "app/ctl_find.h"

#include <glib/gstdio.h>
#include <string.h>

#include "app/control.h"
#include "tests/unit/app/mainloop.h"

typedef struct {
	char *folder;
	char *paths[3]; /* NULL-terminated */
	VpnrControl *controls[2];
	Mainloop loop;
} Fixture;

static char *
on_status(gpointer data, GError **error)
{
	return g_strdup("{}");
}

static char *
on_status_refused(gpointer data, GError **error)
{
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "not now");
	return NULL;
}

static const VpnrControlCommand commands[] = { { "status", on_status }, { NULL } };
static const VpnrControlCommand refusing[] = { { "status", on_status_refused }, { NULL } };

static void
start(Fixture *fixture, guint i, const VpnrControlCommand *known)
{
	fixture->controls[i] = vpnr_control_start(fixture->paths[i], known, NULL, NULL);
	g_assert_nonnull(fixture->controls[i]);
}

static const char *
find(Fixture *fixture, GError **error)
{
	mainloop_start(&fixture->loop);
	return vpnr_ctl_find((const char *const *)fixture->paths, error);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("vpnr-find-XXXXXX", NULL);
	fixture->paths[0] = g_build_filename(fixture->folder, "client.sock", NULL);
	fixture->paths[1] = g_build_filename(fixture->folder, "server.sock", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	mainloop_stop(&fixture->loop);
	for (guint i = 0; i < 2; i++) {
		vpnr_control_stop(fixture->controls[i]);
		g_free(fixture->paths[i]);
	}
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->folder);
}

static void
test_none(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(find(fixture, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT);
	g_assert_nonnull(strstr(error->message, fixture->paths[0]));
	g_assert_nonnull(strstr(error->message, fixture->paths[1]));
}

static void
test_first(Fixture *fixture, gconstpointer data)
{
	start(fixture, 0, commands);
	g_assert_cmpstr(find(fixture, NULL), ==, fixture->paths[0]);
}

static void
test_second(Fixture *fixture, gconstpointer data)
{
	start(fixture, 1, refusing);
	g_assert_cmpstr(find(fixture, NULL), ==, fixture->paths[1]);
}

static void
test_both(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	start(fixture, 0, commands);
	start(fixture, 1, commands);
	g_assert_null(find(fixture, &error));
	g_assert_nonnull(strstr(error->message, fixture->paths[0]));
	g_assert_nonnull(strstr(error->message, fixture->paths[1]));
	g_assert_nonnull(strstr(error->message, "--socket"));
}

static void
test_something_else(Fixture *fixture, gconstpointer data)
{
	g_autofree char *below = g_build_filename(fixture->paths[0], "x.sock", NULL);
	g_autoptr(GError) error = NULL;

	g_test_summary("A path that cannot be asked is told, unless another one answers.");
	start(fixture, 0, commands);
	g_free(fixture->paths[1]);
	fixture->paths[1] = g_steal_pointer(&below);
	g_assert_cmpstr(find(fixture, NULL), ==, fixture->paths[0]);

	const char *const only[] = { fixture->paths[1], NULL };
	g_assert_null(vpnr_ctl_find(only, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, fixture->paths[1]));
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
	add("/ctl-find/none", test_none);
	add("/ctl-find/first", test_first);
	add("/ctl-find/second", test_second);
	add("/ctl-find/both", test_both);
	add("/ctl-find/something-else", test_something_else);
	return g_test_run();
}
