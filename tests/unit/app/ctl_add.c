/* SPDX-License-Identifier: MIT
 *
 * ctl_add: a new client in a server's configuration, with a server, without one, and whatever can
 * go wrong.
 */
#include "app/ctl_add.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/control.h"
#include "app/keys.h"
#include "app/settings.h"
#include "tests/unit/app/mainloop.h"

/* RFC 8032, section 7.1, test 1 */
#define PRIVATE "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define PUBLIC  "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

#define SERVER "# ours\n[server]\nprivate-key-file = s.key\nlisten = 192.0.2.1:5\n"

typedef struct {
	char *folder;
	char *config;
	char *key;
	char *socket;
	char *out;     /* what was printed last */
	char *note;    /* what was said last */
	GError *error; /* why it failed last */
} Fixture;

static void
write_config(Fixture *fixture, const char *text)
{
	g_assert_true(g_file_set_contents(fixture->config, text, -1, NULL));
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("vpnr-add-XXXXXX", NULL);
	fixture->config = g_build_filename(fixture->folder, "server.conf", NULL);
	fixture->key = g_build_filename(fixture->folder, "s.key", NULL);
	fixture->socket = g_build_filename(fixture->folder, "s.sock", NULL);
	write_config(fixture, SERVER "control-socket = s.sock");
	g_assert_true(g_file_set_contents(fixture->key, PRIVATE "\n", -1, NULL));
	g_assert_cmpint(g_chmod(fixture->key, 0600), ==, 0);
}

static void
forget(Fixture *fixture)
{
	g_clear_pointer(&fixture->out, g_free);
	g_clear_pointer(&fixture->note, g_free);
	g_clear_error(&fixture->error);
}

/* Nothing else is in the folder. */
static void
tear_down(Fixture *fixture, gconstpointer data)
{
	g_assert_cmpint(g_unlink(fixture->config), ==, 0);
	g_assert_cmpint(g_unlink(fixture->key), ==, 0);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	forget(fixture);
	g_free(fixture->socket);
	g_free(fixture->key);
	g_free(fixture->config);
	g_free(fixture->folder);
}

static gboolean
add_client(Fixture *fixture, const char *name, const char *server)
{
	const VpnrCtlAdd add = { .config = fixture->config, .name = name, .server = server };
	char *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);

	forget(fixture);
	gboolean added = vpnr_ctl_add(&add, out, &fixture->note, &fixture->error);
	fclose(out);
	fixture->out = g_strdup(printed);
	free(printed);
	g_assert_true(added == (fixture->error == NULL));
	return added;
}

static char *
read_config(const Fixture *fixture)
{
	char *text = NULL;

	g_assert_true(g_file_get_contents(fixture->config, &text, NULL, NULL));
	return text;
}

/* What was printed makes a client that the server knows by this name. */
static void
assert_matches(const Fixture *fixture, const char *name)
{
	g_autoptr(VpnrClientSettings) client =
	    vpnr_client_settings_parse(fixture->out, strlen(fixture->out), fixture->folder, NULL);
	g_autoptr(VpnrServerSettings) server =
	    vpnr_server_settings_load(fixture->config, NULL, NULL);
	char text[VPNR_KEY_STRLEN];
	VpnrKey key;

	g_assert_nonnull(client);
	g_assert_nonnull(server);
	g_assert_true(vpnr_keys_derive_public(&client->private_key, &key, NULL));
	const VpnrClientEntry *entry = vpnr_clients_find(server->clients, &key);
	g_assert_nonnull(entry);
	g_assert_cmpstr(entry->name, ==, name);
	g_assert_cmpstr(vpnr_key_format(&client->server_public_key, text), ==, PUBLIC);
}

static void
test_add(Fixture *fixture, gconstpointer data)
{
	g_autofree char *before = read_config(fixture);

	g_assert_true(add_client(fixture, "alice", NULL));
	g_assert_nonnull(strstr(fixture->out, "server = 192.0.2.1:5\n"));
	g_assert_nonnull(strstr(fixture->note, "alice may connect as soon as"));
	g_assert_nonnull(strstr(fixture->note, fixture->socket));
	assert_matches(fixture, "alice");

	g_assert_true(add_client(fixture, "bob's 2nd", "vpn.example.org"));
	g_assert_nonnull(strstr(fixture->out, "server = vpn.example.org:5\n"));
	assert_matches(fixture, "bob's 2nd");
	g_autofree char *after = read_config(fixture);
	g_assert_true(g_str_has_prefix(after, before));
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *name;
		const char *server;
		const char *why;
	} rows[] = {
		{ "alice", NULL, "there already" },
		{ "", NULL, "1 to 64 bytes" },
		{ " a", NULL, "space" },
		{ "a]", NULL, "no name" },
		{ "a\nb", NULL, "no name" },
		{ "a]\n[client b]\npublic-key=" PRIVATE "\n[client c", NULL, "no name" },
		{ "a\xff", NULL, "no name" },
		{ "a\x1b", NULL, "a\x1b" },
		{ "bob", "x y", "\"x y\"" },
	};
	g_autofree char *before = NULL;

	g_test_summary("What is refused changes nothing, prints nothing, and is told.");
	g_assert_true(add_client(fixture, "alice", NULL));
	before = read_config(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_false(add_client(fixture, rows[i].name, rows[i].server));
		g_test_message("refusal %zu: %s", i, rows[i].why);
		g_assert_nonnull(strstr(fixture->error->message, rows[i].why));
		if (rows[i].server == NULL)
			g_assert_nonnull(strstr(fixture->error->message, fixture->config));
		g_assert_cmpstr(fixture->out, ==, "");
		g_assert_null(fixture->note);
		g_autofree char *after = read_config(fixture);
		g_assert_cmpstr(after, ==, before);
	}
}

static void
test_bad_config(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{ SERVER "colour = red\n", "[server] colour" },
		{ "[server]\nprivate-key-file = none.key\n", "none.key" },
		{ "[v1]\n", "no [server] that listens" },
		{ "[server]\nlisten = none\n[v1]\n", "no [server] that listens" },
		{ "", "nothing to listen on" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		write_config(fixture, rows[i].text);
		g_assert_false(add_client(fixture, "alice", NULL));
		g_test_message("refusal %zu: %s", i, fixture->error->message);
		g_assert_true(g_str_has_prefix(fixture->error->message, fixture->config));
		g_assert_nonnull(strstr(fixture->error->message, rows[i].why));
		g_autofree char *after = read_config(fixture);
		g_assert_cmpstr(after, ==, rows[i].text);
	}
}

static void
test_full_disk(Fixture *fixture, gconstpointer data)
{
	const VpnrCtlAdd add = { .config = fixture->config, .name = "alice" };
	g_autofree char *before = read_config(fixture);
	FILE *out = fopen("/dev/full", "w");

	g_test_summary("A client whose configuration nobody has got is none.");
	g_assert_false(vpnr_ctl_add(&add, out, &fixture->note, &fixture->error));
	fclose(out);
	g_assert_error(fixture->error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
	g_autofree char *after = read_config(fixture);
	g_assert_cmpstr(after, ==, before);
}

static void
test_no_socket(Fixture *fixture, gconstpointer data)
{
	write_config(fixture, SERVER "control-socket = none\n");
	g_assert_true(add_client(fixture, "alice", NULL));
	g_assert_nonnull(strstr(fixture->note, "SIGHUP"));
}

static char *
on_reload(gpointer data, GError **error)
{
	if (data == NULL)
		return g_strdup("{\"ok\":true}");
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, data);
	return NULL;
}

static const VpnrControlCommand commands[] = { { "reload", on_reload }, { NULL } };

/* Adds a client while a program answers that it has reloaded, or that it has not because of why. */
static gboolean
add_with_server(Fixture *fixture, const char *name, const char *why)
{
	Mainloop loop = { 0 };
	VpnrControl *control = vpnr_control_start(fixture->socket, commands, (gpointer)why, NULL);

	g_assert_nonnull(control);
	mainloop_start(&loop);
	gboolean added = add_client(fixture, name, NULL);
	mainloop_stop(&loop);
	vpnr_control_stop(control);
	return added;
}

static void
test_reload(Fixture *fixture, gconstpointer data)
{
	g_assert_true(add_with_server(fixture, "alice", NULL));
	g_assert_nonnull(strstr(fixture->note, "alice may connect"));
	g_assert_null(strstr(fixture->note, "as soon as"));

	g_assert_false(add_with_server(fixture, "bob", "not today"));
	g_assert_nonnull(strstr(fixture->error->message, "[client bob]"));
	g_assert_nonnull(strstr(fixture->error->message, "not today"));
	assert_matches(fixture, "bob");
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
	add("/ctl-add/add", test_add);
	add("/ctl-add/refused", test_refused);
	add("/ctl-add/bad-config", test_bad_config);
	add("/ctl-add/full-disk", test_full_disk);
	add("/ctl-add/no-socket", test_no_socket);
	add("/ctl-add/reload", test_reload);
	return g_test_run();
}
