/* SPDX-License-Identifier: MIT
 *
 * ctl_main: the program vpnrctl as it is built: words, answers and exit status.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

#include "app/control.h"
#include "base/key.h"
#include "tests/unit/app/mainloop.h"

/* What a run of vpnrctl left behind. */
typedef struct {
	int status;
	char *out;
	char *err;
} Run;

static void
run_clear(Run *run)
{
	g_free(run->out);
	g_free(run->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* Runs vpnrctl with these words, separated by spaces, and this file as standard input. */
static Run
run_vpnrctl(const char *words, const char *input)
{
	const char *folder = g_getenv("VPNR_BUILDDIR");
	g_autofree char *program = g_build_filename(folder != NULL ? folder : ".", "vpnrctl", NULL);
	g_autofree char *line = g_strdup_printf("exec '%s' %s <'%s'", program, words, input);
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", line, NULL };
	g_autoptr(GError) error = NULL;
	Run run = { 0 };

	g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &run.out, &run.err, &run.status,
		     &error);
	g_assert_no_error(error);
	g_assert_true(WIFEXITED(run.status));
	run.status = WEXITSTATUS(run.status);
	g_test_message("vpnrctl %s: %d %s%s", words, run.status, run.out, run.err);
	return run;
}

static void
test_usage(void)
{
	static const struct {
		const char *words;
		const char *quoted;
	} rows[] = {
		{ "", "missing" },
		{ "dance", "\"dance\"" },
		{ "status twice", "\"twice\"" },
		{ "--frobnicate status", "--frobnicate" },
		{ "status --socket", "--socket" },
		{ "status -- sh", "\"status\"" },
		{ "genkey --json", "\"genkey\"" },
		{ "add-client", "\"add-client\"" },
		{ "add-client a b", "\"b\"" },
		{ "run sh", "\"--\"" },
		{ "rules hold", "--config" },
		{ "--socket /nonexistent/x.sock pubkey", "\"pubkey\"" },
		{ "\"$(printf 'a\\033b')\"", "\"a?b\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(Run) run = run_vpnrctl(rows[i].words, "/dev/null");

		g_assert_cmpint(run.status, ==, 2);
		g_assert_cmpstr(run.out, ==, "");
		g_assert_nonnull(strstr(run.err, rows[i].quoted));
		g_assert_true(g_str_has_prefix(run.err, "vpnrctl: "));
	}
}

static void
test_help(void)
{
	g_auto(Run) help = run_vpnrctl("--help", "/dev/null");
	g_auto(Run) version = run_vpnrctl("--version", "/dev/null");

	g_assert_cmpint(help.status, ==, 0);
	g_assert_nonnull(strstr(help.out, "vpnrctl [OPTION...] COMMAND"));
	g_assert_nonnull(strstr(help.out, "--socket"));
	g_assert_nonnull(strstr(help.out, "connections "));
	g_assert_nonnull(strstr(help.out, "run -- PROGRAM "));
	g_assert_cmpint(version.status, ==, 0);
	g_assert_true(g_str_has_prefix(version.out, "vpnrctl "));
}

static void
test_keys(void)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-ctl-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "x.key", NULL);
	g_auto(Run) first = run_vpnrctl("genkey", "/dev/null");
	g_auto(Run) second = run_vpnrctl("genkey", "/dev/null");
	VpnrKey key;

	g_assert_cmpint(first.status, ==, 0);
	g_assert_true(g_str_has_suffix(first.out, "\n"));
	g_assert_cmpstr(first.err, ==, "");
	g_assert_cmpstr(first.out, !=, second.out);
	g_assert_true(vpnr_key_parse(g_strchomp(first.out), &key));

	/* RFC 8032, section 7.1, test 1 */
	g_assert_true(
	    g_file_set_contents(path, "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n", -1, NULL));
	g_auto(Run) good = run_vpnrctl("pubkey", path);
	g_assert_cmpint(good.status, ==, 0);
	g_assert_cmpstr(good.out, ==, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n");

	g_auto(Run) bad = run_vpnrctl("pubkey", "/dev/null");
	g_assert_cmpint(bad.status, ==, 1);
	g_assert_cmpstr(bad.out, ==, "");
	g_assert_nonnull(strstr(bad.err, "standard input"));

	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_add_client(void)
{
	g_auto(Run) missing = run_vpnrctl("add-client a -c /nonexistent/s.conf", "/dev/null");
	g_auto(Run) usual = run_vpnrctl("add-client ' '", "/dev/null");

	g_assert_cmpint(missing.status, ==, 1);
	g_assert_cmpstr(missing.out, ==, "");
	g_assert_nonnull(strstr(missing.err, "/nonexistent/s.conf"));
	g_assert_cmpint(usual.status, ==, 1);
	g_assert_nonnull(strstr(usual.err, "/vpnr/server.conf"));
}

static void
test_run_without_client(void)
{
	g_auto(Run) run = run_vpnrctl("run -s /nonexistent/x.sock -- true", "/dev/null");

	g_assert_cmpint(run.status, ==, 125);
	g_assert_nonnull(strstr(run.err, "/nonexistent/x.sock"));
}

static void
test_full_disk(void)
{
	g_auto(Run) run = run_vpnrctl("genkey >/dev/full", "/dev/null");

	g_assert_cmpint(run.status, ==, 1);
	g_assert_nonnull(strstr(run.err, "cannot write"));
}

static char *
on_report(gpointer data, GError **error)
{
	return g_strdup("{\"role\":\"client\",\"connections\":[{\"id\":7}]}");
}

static char *
on_reload(gpointer data, GError **error)
{
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "bad key\x1b");
	return NULL;
}

static const VpnrControlCommand commands[] = {
	{ "status", on_report },
	{ "connections", on_report },
	{ "reload", on_reload },
	{ NULL },
};

/* vpnrctl against a program at path. */
static void
ask_all(const char *path)
{
	g_autofree char *status = g_strdup_printf("status --socket '%s'", path);
	g_autofree char *json = g_strdup_printf("--json --socket='%s' connections", path);
	g_autofree char *connections = g_strdup_printf("connections -s '%s'", path);
	g_autofree char *reload = g_strdup_printf("reload -s '%s'", path);
	g_auto(Run) words = run_vpnrctl(status, "/dev/null");
	g_auto(Run) as_it_came = run_vpnrctl(json, "/dev/null");
	g_auto(Run) table = run_vpnrctl(connections, "/dev/null");
	g_auto(Run) refused = run_vpnrctl(reload, "/dev/null");

	g_assert_cmpint(words.status, ==, 0);
	g_assert_nonnull(strstr(words.out, "vpnr-client"));
	g_assert_cmpint(as_it_came.status, ==, 0);
	g_assert_cmpstr(as_it_came.out, ==, "{\"role\":\"client\",\"connections\":[{\"id\":7}]}\n");
	g_assert_cmpint(table.status, ==, 0);
	g_assert_cmpstr(table.out, ==, "ID\n 7\n");
	g_assert_cmpint(refused.status, ==, 1);
	g_assert_nonnull(strstr(refused.err, "bad key?"));
}

static void
test_ask(void)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-ctl-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "test.sock", NULL);
	VpnrControl *control = vpnr_control_start(path, commands, NULL, NULL);
	Mainloop loop = { 0 };

	mainloop_start(&loop);
	ask_all(path);
	mainloop_stop(&loop);
	vpnr_control_stop(control);

	g_autofree char *line = g_strdup_printf("status --socket '%s'", path);
	g_auto(Run) nobody = run_vpnrctl(line, "/dev/null");
	g_assert_cmpint(nobody.status, ==, 1);
	g_assert_nonnull(strstr(nobody.err, path));
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vpnrctl/usage", test_usage);
	g_test_add_func("/vpnrctl/help", test_help);
	g_test_add_func("/vpnrctl/keys", test_keys);
	g_test_add_func("/vpnrctl/add-client", test_add_client);
	g_test_add_func("/vpnrctl/run-without-client", test_run_without_client);
	g_test_add_func("/vpnrctl/full-disk", test_full_disk);
	g_test_add_func("/vpnrctl/ask", test_ask);
	return g_test_run();
}
