/* SPDX-License-Identifier: MIT
 *
 * ctl_request: command lines against a table of commands.
 */
#include "app/ctl_request.h"

#include <string.h>

static const VpnrCtlCommand commands[] = {
	{ "look", VPNR_CTL_SOCKET | VPNR_CTL_JSON, NULL, NULL, "look at it" },
	{ "rules show", VPNR_CTL_JSON, NULL, NULL, "show them" },
	{ "rules clear", VPNR_CTL_CONFIG | VPNR_CTL_KILL_SWITCH, NULL, NULL, "clear them" },
	{ "rules hold", VPNR_CTL_CONFIG_NEEDED, NULL, NULL, "hold them" },
	{ "start", VPNR_CTL_PROGRAM, NULL, NULL, "start it" },
	{ "admit", VPNR_CTL_CONFIG | VPNR_CTL_SERVER | VPNR_CTL_NAME, NULL, NULL, "admit it" },
	{ NULL },
};

/* Reads "vpnrctl" and these words, separated by spaces. */
static char *
parse(VpnrCtlRequest *request, const char *words)
{
	g_autofree char *line = g_strdup_printf("vpnrctl%s%s", *words != '\0' ? " " : "", words);
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);

	return vpnr_ctl_request_parse(request, commands, argv);
}

static void
test_command(void)
{
	static const struct {
		const char *words;
		const char *name;
		const char *socket;
		gboolean json;
	} rows[] = {
		{ "look", "look", NULL, FALSE },
		{ "look --json -s a.sock", "look", "a.sock", TRUE },
		{ "--socket=a.sock look", "look", "a.sock", FALSE },
		{ "rules show", "rules show", NULL, FALSE },
		{ "rules -j show", "rules show", NULL, TRUE },
		{ "rules clear", "rules clear", NULL, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(VpnrCtlRequest) request = { 0 };

		g_assert_null(parse(&request, rows[i].words));
		g_assert_cmpstr(request.command->name, ==, rows[i].name);
		g_assert_cmpstr(request.socket, ==, rows[i].socket);
		g_assert_cmpint(request.json, ==, rows[i].json);
		g_assert_null(request.program);
	}
}

static void
test_clear_options(void)
{
	g_auto(VpnrCtlRequest) request = { 0 };

	g_assert_null(parse(&request, "rules clear --kill-switch -c a.conf"));
	g_assert_true(request.kill_switch);
	g_assert_cmpstr(request.config, ==, "a.conf");
}

static void
test_hold_options(void)
{
	g_auto(VpnrCtlRequest) request = { 0 };

	g_assert_null(parse(&request, "rules hold -c a.conf"));
	g_assert_cmpstr(request.config, ==, "a.conf");
}

static void
test_name(void)
{
	g_auto(VpnrCtlRequest) request = { 0 };
	g_auto(VpnrCtlRequest) bare = { 0 };

	/* Whether that is a name, or text at all, is for the command to say. */
	g_assert_null(parse(&request, "admit --server=\xfc.example:5 alice -c a.conf"));
	g_assert_cmpstr(request.name, ==, "alice");
	g_assert_cmpstr(request.server, ==, "\xfc.example:5");
	g_assert_cmpstr(request.config, ==, "a.conf");
	g_assert_null(parse(&bare, "admit rules"));
	g_assert_cmpstr(bare.name, ==, "rules");
	g_assert_null(bare.server);
}

static void
test_wrong(void)
{
	static const struct {
		const char *words;
		const char *wrong;
	} rows[] = {
		{ "", "a command is missing" },
		{ "-- sh", "a command is missing" },
		{ "dance", "\"dance\" is no command" },
		{ "rules", "\"rules\" is no command" },
		{ "rules dance", "\"rules dance\" is no command" },
		{ "look twice", "\"twice\" is a word too many" },
		{ "rules show twice", "\"twice\" is a word too many" },
		{ "start sh", "\"start\" needs a program to start, behind \"--\"" },
		{ "start sh -- sh", "\"sh\" is a word too many" },
		{ "admit", "\"admit\" needs a name" },
		{ "admit alice bob", "\"bob\" is a word too many" },
		{ "look --server a", "\"look\" takes no --server" },
		{ "rules clear --json", "\"rules clear\" takes no --json" },
		{ "rules show -s a.sock", "\"rules show\" takes no --socket" },
		{ "rules show --config a.conf", "\"rules show\" takes no --config" },
		{ "rules hold", "\"rules hold\" needs --config" },
		{ "rules show --kill-switch", "\"rules show\" takes no --kill-switch" },
		{ "look -- sh", "\"look\" takes no \"--\"" },
		{ "look --", "\"look\" takes no \"--\"" },
		{ "start", "\"start\" needs a program to start, behind \"--\"" },
		{ "start --", "\"start\" needs a program to start, behind \"--\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(VpnrCtlRequest) request = { 0 };
		g_autofree char *wrong = parse(&request, rows[i].words);

		g_assert_cmpstr(wrong, ==, rows[i].wrong);
	}
}

static void
test_unknown_option(void)
{
	g_auto(VpnrCtlRequest) request = { 0 };
	g_autofree char *wrong = parse(&request, "look --closely");

	g_assert_nonnull(wrong);
	g_assert_nonnull(strstr(wrong, "--closely"));
}

static void
test_version(void)
{
	g_auto(VpnrCtlRequest) request = { 0 };

	g_assert_null(parse(&request, "--version"));
	g_assert_true(request.version);
	g_assert_null(request.command);
}

/* The program's own words are nobody else's, whatever they look like. */
static void
test_program(void)
{
	static const char *const rows[] = { "curl", "curl --json -s url", "-x --", "-- a", "" };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(VpnrCtlRequest) request = { 0 };
		g_autofree char *line = g_strdup_printf("start -- %s", rows[i]);

		g_assert_null(parse(&request, line));
		g_autofree char *program = g_strjoinv(" ", request.program);
		g_assert_cmpstr(program, ==, rows[i]);
		g_assert_false(request.json);
		g_assert_null(request.socket);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl_request/command", test_command);
	g_test_add_func("/ctl_request/clear-options", test_clear_options);
	g_test_add_func("/ctl_request/hold-options", test_hold_options);
	g_test_add_func("/ctl_request/name", test_name);
	g_test_add_func("/ctl_request/wrong", test_wrong);
	g_test_add_func("/ctl_request/unknown-option", test_unknown_option);
	g_test_add_func("/ctl_request/version", test_version);
	g_test_add_func("/ctl_request/program", test_program);
	return g_test_run();
}
