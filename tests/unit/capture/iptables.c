/* SPDX-License-Identifier: MIT
 *
 * iptables: what both variants of iptables do in network namespaces of the test's own.
 */
#include "capture/iptables.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/capture/golden.h"
#include "tests/unit/capture/namespace.h"

static const char *const programs[] = { "iptables", "ip6tables" };
static const char *const tables[] = { "mangle", "nat", "filter" };

static const VpnrBackendOps *const ops = &vpnr_iptables_ops;

/* --- helpers ---------------------------------------------------------------------------------- */

/* What the command prints (transfer full), or NULL if it fails. */
static char *
run(const char *command)
{
	g_autofree char *complaint = NULL;
	g_autofree char *said = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!g_spawn_command_line_sync(command, &said, &complaint, &status, &error))
		return NULL;
	return status == 0 ? g_steal_pointer(&said) : NULL;
}

/* The rules of a variant, "nft" or "legacy", in all tables of both families (transfer full). NULL:
 * it does not work here. Asking for a table makes it, so there is the same before and after. */
static char *
list(const char *variant)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(programs) * G_N_ELEMENTS(tables); i++) {
		g_autofree char *command =
		    g_strdup_printf("%s-%s -w -t %s -S", programs[i / G_N_ELEMENTS(tables)],
				    variant, tables[i % G_N_ELEMENTS(tables)]);
		g_autofree char *rules = run(command);

		if (rules == NULL)
			return NULL;
		g_string_append(all, rules);
	}
	return g_string_free(g_steal_pointer(&all), FALSE);
}

static void
assert_list(const char *variant, const char *expected)
{
	g_autofree char *found = list(variant);

	g_assert_cmpstr(found, ==, expected);
}

/* A network namespace, and a folder in front of PATH where the test puts what is called iptables.
 */
typedef struct {
	const char *variant;
	char *path;
	char *folder;
	GPtrArray *files;
	char *before; /* the rules that were there */
	VpnrBackend *backend;
	VpnrRules *rules;
} Host;

/* The program that is found as name from now on: another one, or, if that is not installed, none of
 * ours. */
static void
call(Host *host, const char *name, const char *program)
{
	g_autofree char *target = g_find_program_in_path(program);
	char *path = g_build_filename(host->folder, name, NULL);

	g_assert_nonnull(target);
	g_assert_cmpint(symlink(target, path), ==, 0);
	g_ptr_array_add(host->files, path);
}

static void
call_by_default(Host *host)
{
	for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
		for (const char *const *what = (const char *const[]){ "save", "restore", NULL };
		     *what != NULL; what++) {
			g_autofree char *name = g_strconcat(programs[i], "-", *what, NULL);
			g_autofree char *program =
			    g_strconcat(programs[i], "-", host->variant, "-", *what, NULL);

			call(host, name, program);
		}
	}
}

/* FALSE: not here, and the test is skipped. */
static gboolean
host_init(Host *host, const char *variant)
{
	g_autofree char *path = NULL;
	g_autofree char *why = g_strdup_printf("iptables-%s does not work here", variant);
	g_autoptr(GError) error = NULL;

	if (!namespace_fresh())
		return FALSE;
	*host = (Host){ .variant = variant, .before = list(variant) };
	if (host->before == NULL) {
		g_test_skip(why);
		return FALSE;
	}
	host->folder = g_dir_make_tmp("vpnr-XXXXXX", &error);
	g_assert_no_error(error);
	host->files = g_ptr_array_new_with_free_func(g_free);
	call_by_default(host);
	host->path = g_strdup(g_getenv("PATH"));
	path = g_strconcat(host->folder, ":", host->path, NULL);
	g_setenv("PATH", path, TRUE);
	host->rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	host->backend = ops->open(&error);
	g_assert_no_error(error);
	return TRUE;
}

static void
host_clear(Host *host)
{
	ops->close(host->backend);
	vpnr_rules_free(host->rules);
	g_setenv("PATH", host->path, TRUE);
	for (guint i = 0; i < host->files->len; i++)
		g_unlink(g_ptr_array_index(host->files, i));
	g_rmdir(host->folder);
	g_ptr_array_unref(host->files);
	g_free(host->folder);
	g_free(host->path);
	g_free(host->before);
}

static void
install(Host *host)
{
	g_autoptr(GError) error = NULL;

	ops->install(host->backend, host->rules, &error);
	g_assert_no_error(error);
}

static void
remove_all(Host *host)
{
	g_autoptr(GError) error = NULL;

	ops->remove(host->backend, &error);
	g_assert_no_error(error);
}

/* As SIGKILL does: the rules stay, and the name is free. */
static void
kill_and_start(Host *host)
{
	g_autoptr(GError) error = NULL;

	ops->close(host->backend);
	host->backend = ops->open(&error);
	g_assert_no_error(error);
}

static void
set_rules(Host *host, VpnrRules *rules)
{
	vpnr_rules_free(host->rules);
	host->rules = rules;
}

/* --- tests, for each variant ------------------------------------------------------------------ */

static void
test_install(gconstpointer variant)
{
	const VpnrCaptureMode modes[] = { VPNR_CAPTURE_REDIRECT, VPNR_CAPTURE_TPROXY };
	Host host;

	g_test_summary("Nothing is different after install and remove.");
	if (!host_init(&host, variant))
		return;
	for (guint i = 0; i < 2 * G_N_ELEMENTS(modes); i++) {
		g_autofree char *installed = NULL;

		set_rules(&host, i % 2 == 0 ? golden_rules(modes[i / 2])
					    : golden_rules_full(modes[i / 2]));
		install(&host);
		installed = list(variant);
		g_assert_nonnull(strstr(installed, " -j vpnr.out\n"));
		remove_all(&host);
		assert_list(variant, host.before);
		remove_all(&host);
	}
	host_clear(&host);
}

static void
test_check(gconstpointer variant)
{
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary(
	    "A check leaves nothing but the claim, and tells what the kernel will not take.");
	if (!host_init(&host, variant))
		return;
	g_ptr_array_add(host.rules->exclude.cgroups, g_strdup("not/there"));
	g_assert_false(ops->check(host.backend, host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, "\"not/there\""));
	g_clear_error(&error);
	assert_list(variant, host.before);
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	ops->check(host.backend, host.rules, &error);
	g_assert_no_error(error);
	assert_list(variant, host.before);
	g_assert_false(ops->clear(host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);
	install(&host);
	remove_all(&host);
	assert_list(variant, host.before);
	host_clear(&host);
}

static void
test_again(gconstpointer variant)
{
	g_autofree char *full = NULL;
	g_autofree char *plain = NULL;
	Host host;

	g_test_summary("Other rules leave nothing of those in whose place they come.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	plain = list(variant);
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	install(&host);
	full = list(variant);
	g_assert_cmpstr(full, !=, plain);
	install(&host);
	assert_list(variant, full);
	set_rules(&host, golden_rules(VPNR_CAPTURE_REDIRECT));
	install(&host);
	assert_list(variant, plain);
	host_clear(&host);
}

static void
test_others(gconstpointer variant)
{
	g_autofree char *command =
	    g_strdup_printf("iptables-%s -w -A OUTPUT -p tcp -j ACCEPT", (const char *)variant);
	g_autofree char *before = NULL;
	g_autofree char *installed = NULL;
	Host host;

	g_test_summary("Rules of others stay, and ours come first.");
	if (!host_init(&host, variant))
		return;
	g_free(run(command));
	before = list(variant);
	install(&host);
	installed = list(variant);
	g_assert_nonnull(strstr(installed, "-j vpnr.out\n-A OUTPUT -p tcp -j ACCEPT\n"));
	remove_all(&host);
	assert_list(variant, before);
	host_clear(&host);
}

static void
test_left_over(gconstpointer variant)
{
	g_autofree char *plain = NULL;
	Host host;

	g_test_summary("What a killed client has left makes no difference to the next one.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	plain = list(variant);
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	install(&host);
	kill_and_start(&host);
	set_rules(&host, golden_rules(VPNR_CAPTURE_REDIRECT));
	install(&host);
	assert_list(variant, plain);
	remove_all(&host);
	assert_list(variant, host.before);
	host_clear(&host);
}

static void
test_clear(gconstpointer variant)
{
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary(
	    "What a killed client has left can be cleared; what a running one has, not.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	g_assert_false(ops->clear(host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);
	g_clear_error(&error);
	kill_and_start(&host);
	ops->clear(host.rules, &error);
	g_assert_no_error(error);
	assert_list(variant, host.before);
	ops->clear(host.rules, &error);
	g_assert_no_error(error);
	host_clear(&host);
}

static void
test_remove_fails(gconstpointer variant)
{
	g_autofree char *installed = NULL;
	g_autoptr(GError) error = NULL;
	struct rlimit before, none;
	Host host;

	g_test_summary("Without a descriptor for the programs nothing is removed, and it is told.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	installed = list(variant);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_false(ops->remove(host.backend, &error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	assert_list(variant, installed);
	g_clear_error(&error);
	g_assert_true(ops->clear(host.rules, &error));
	assert_list(variant, host.before);
	host_clear(&host);
}

static void
test_taken(gconstpointer variant)
{
	g_autofree char *installed = NULL;
	g_autoptr(GError) error = NULL;
	VpnrBackend *second;
	Host host;

	g_test_summary("A second client with the same name is refused, one with another is not.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	installed = list(variant);
	second = ops->open(&error);
	g_assert_no_error(error);
	g_assert_false(ops->install(second, host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);
	g_assert_nonnull(strstr(error->message, "vpnr.*"));
	g_clear_error(&error);
	assert_list(variant, installed);
	g_free(host.rules->table);
	host.rules->table = g_strdup("vpnr-2");
	ops->install(second, host.rules, &error);
	g_assert_no_error(error);
	ops->remove(second, &error);
	g_assert_no_error(error);
	assert_list(variant, installed);
	ops->close(second);
	host_clear(&host);
}

static void
test_damaged(gconstpointer variant)
{
	g_autofree char *installed = NULL;
	g_autofree char *flush = NULL;
	g_autofree char *flushed = NULL;
	Host host;

	g_test_summary("Rules that somebody else has removed are missed, and can be brought back.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	installed = list(variant);
	g_assert_true(ops->is_intact(host.backend));
	flush = g_strdup_printf("iptables-%s -w -t nat -F OUTPUT", (const char *)variant);
	flushed = run(flush);
	g_assert_nonnull(flushed);
	g_assert_false(ops->is_intact(host.backend));
	install(&host);
	g_assert_true(ops->is_intact(host.backend));
	assert_list(variant, installed);
	host_clear(&host);
}

static void
test_kill_switch(gconstpointer variant)
{
	g_autofree char *held = NULL;
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary("The kill switch stays when all else goes, until it is cleared.");
	if (!host_init(&host, variant))
		return;
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_OFF);
	ops->install_kill_switch(host.rules, &error);
	g_assert_no_error(error);
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_ON);
	held = list(variant);
	ops->install_kill_switch(host.rules, &error);
	g_assert_no_error(error);
	assert_list(variant, held);
	install(&host);
	remove_all(&host);
	assert_list(variant, held);
	ops->clear(host.rules, &error);
	g_assert_no_error(error);
	assert_list(variant, held);
	ops->clear_kill_switch(host.rules, &error);
	g_assert_no_error(error);
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_OFF);
	assert_list(variant, host.before);
	host_clear(&host);
}

/* Somebody else changes the rules. */
static void
change(const char *program, const char *variant, const char *what)
{
	g_autofree char *command = g_strdup_printf("%s-%s -w %s", program, variant, what);
	g_autofree char *said = run(command);

	g_assert_nonnull(said);
}

static void
test_kill_switch_changed(gconstpointer variant)
{
	static const char *const changes[][2] = {
		{ "iptables", "-F OUTPUT" },
		{ "iptables", "-F FORWARD" },
		{ "ip6tables", "-F OUTPUT" },
		{ "ip6tables", "-t mangle -F POSTROUTING" },
		{ "iptables", "-F vpnr/kill.out" },
		{ "iptables", "-F vpnr/kill.fwd" },
		{ "ip6tables", "-F vpnr/kill.no" },
		{ "ip6tables", "-t mangle -F vpnr/kill.no" },
		{ "iptables", "-t mangle -D vpnr/kill.out 1" },
		{ "iptables", "-t mangle -I vpnr/kill.out -j ACCEPT" },
	};
	g_autofree char *held = NULL;
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary("The kill switch is on only where packets come to all of it, and can be put "
		       "back.");
	if (!host_init(&host, variant))
		return;
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	host.rules->kill_switch = TRUE;
	ops->install_kill_switch(host.rules, &error);
	g_assert_no_error(error);
	held = list(variant);
	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		change(changes[i][0], variant, changes[i][1]);
		g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_PART);
		ops->install_kill_switch(host.rules, &error);
		g_assert_no_error(error);
		g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_ON);
		assert_list(variant, held);
	}
	for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
		change(programs[i], variant, "-F");
		change(programs[i], variant, "-t mangle -F");
	}
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_OFF);
	host_clear(&host);
}

static void
test_kill_switch_unknown(gconstpointer variant)
{
	g_autoptr(VpnrRules) others = golden_rules_full(VPNR_CAPTURE_TPROXY);
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary("One with other conditions is on unless one of its chains is empty.");
	if (!host_init(&host, variant))
		return;
	ops->install_kill_switch(others, &error);
	g_assert_no_error(error);
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_ON);
	change("iptables", variant, "-t mangle -F vpnr/kill.no");
	g_assert_cmpint(ops->find_kill_switch(host.rules), ==, VPNR_KILL_SWITCH_PART);
	host_clear(&host);
}

/* No ip6tables can restore from now on. */
static void
break_ipv6(Host *host)
{
	static const char *const names[] = { "ip6tables-restore", "ip6tables-nft-restore",
					     "ip6tables-legacy-restore" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(host->folder, names[i], NULL);

		g_unlink(path);
		call(host, names[i], "false");
	}
}

static void
test_undo(gconstpointer variant)
{
	g_autofree char *installed = NULL;
	g_autoptr(GError) error = NULL;
	Host host;

	g_test_summary("Where one family fails, the other is as it was.");
	if (!host_init(&host, variant))
		return;
	install(&host);
	installed = list(variant);
	break_ipv6(&host);
	set_rules(&host, golden_rules_full(VPNR_CAPTURE_TPROXY));
	g_assert_false(ops->install(host.backend, host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	g_assert_true(g_str_has_prefix(error->message, "ip6tables-restore"));
	assert_list(variant, installed);
	host_clear(&host);
}

static void
test_undo_first(gconstpointer variant)
{
	g_autoptr(GError) error = NULL;
	Host host;

	if (!host_init(&host, variant))
		return;
	break_ipv6(&host);
	g_assert_false(ops->install(host.backend, host.rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	g_clear_error(&error);
	g_assert_false(ops->install_kill_switch(host.rules, &error));
	assert_list(variant, host.before);
	host_clear(&host);
}

/* --- for all ---------------------------------------------------------------------------------- */

static void
test_other_variant(void)
{
	g_autofree char *before = NULL;
	Host host;

	g_test_summary(
	    "What a client of one variant has left goes when the other one is installed.");
	if (!host_init(&host, "legacy"))
		return;
	before = list("nft");
	if (before == NULL) {
		g_test_skip("iptables-nft does not work here");
		host_clear(&host);
		return;
	}
	install(&host);
	kill_and_start(&host);
	for (guint i = 0; i < host.files->len; i++)
		g_unlink(g_ptr_array_index(host.files, i));
	host.variant = "nft";
	call_by_default(&host);
	install(&host);
	assert_list("legacy", host.before);
	remove_all(&host);
	assert_list("nft", before);
	host_clear(&host);
}

static void
test_describe(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autofree char *text = ops->describe(rules);
	g_autofree char *kill = ops->describe_kill_switch(rules);

	g_assert_true(g_str_has_prefix(text, "# iptables-restore --noflush\n*raw\n:vpnr.own"));
	g_assert_nonnull(strstr(text, "\nCOMMIT\n# ip6tables-restore --noflush\n*raw\n"));
	g_assert_true(g_str_has_suffix(text, "\nCOMMIT\n"));
	g_assert_nonnull(strstr(kill, "vpnr/kill.out"));
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		GTestDataFunc test;
	} tests[] = {
		{ "install", test_install },
		{ "check", test_check },
		{ "again", test_again },
		{ "others", test_others },
		{ "left-over", test_left_over },
		{ "clear", test_clear },
		{ "remove-fails", test_remove_fails },
		{ "taken", test_taken },
		{ "kill-switch", test_kill_switch },
		{ "undo", test_undo },
		{ "undo-first", test_undo_first },
		{ "damaged", test_damaged },
		{ "kill-switch-changed", test_kill_switch_changed },
		{ "kill-switch-unknown", test_kill_switch_unknown },
	};
	static const char *const variants[] = { "nft", "legacy" };

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(tests) * G_N_ELEMENTS(variants); i++) {
		const char *variant = variants[i / G_N_ELEMENTS(tests)];
		g_autofree char *path = g_strdup_printf("/iptables/%s/%s", variant,
							tests[i % G_N_ELEMENTS(tests)].name);

		g_test_add_data_func(path, variant, tests[i % G_N_ELEMENTS(tests)].test);
	}
	g_test_add_func("/iptables/other-variant", test_other_variant);
	g_test_add_func("/iptables/describe", test_describe);
	return g_test_run();
}
