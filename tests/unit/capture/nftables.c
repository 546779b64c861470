/* SPDX-License-Identifier: MIT
 *
 * nftables: what is in the kernel of a namespace of the test's own after each step.
 */
#include "capture/nftables.h"

#include <nftables/libnftables.h>
#include <string.h>

#include "tests/unit/capture/golden.h"
#include "tests/unit/capture/namespace.h"

static const VpnrBackendOps *ops = &vpnr_nftables_ops;

/* What the kernel has (transfer full). */
static char *
list(const char *what)
{
	struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
	g_autofree char *command = g_strconcat("list ", what, NULL);
	char *text;

	nft_ctx_buffer_output(context);
	nft_ctx_buffer_error(context);
	nft_run_cmd_from_buffer(context, command);
	text = g_strdup(nft_ctx_get_output_buffer(context));
	nft_ctx_free(context);
	return text;
}

static void
assert_tables(const char *expected)
{
	g_autofree char *tables = list("tables");

	g_assert_cmpstr(tables, ==, expected);
}

static gboolean
has(const char *part)
{
	g_autofree char *ruleset = list("ruleset");

	return strstr(ruleset, part) != NULL;
}

static VpnrBackend *
open_backend(void)
{
	g_autoptr(GError) error = NULL;
	VpnrBackend *backend = ops->open(&error);

	g_assert_no_error(error);
	return backend;
}

static void
install(VpnrBackend *backend, const VpnrRules *rules)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ops->install(backend, rules, &error));
	g_assert_no_error(error);
}

static void
test_install(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(GError) error = NULL;
	VpnrBackend *backend;

	if (namespace_skip())
		return;
	backend = open_backend();
	assert_tables("");
	g_assert_true(ops->check(backend, rules, &error));
	assert_tables("table inet vpnr\n");
	g_assert_false(has("chain"));
	install(backend, rules);
	g_assert_true(has("redirect to :4333"));

	rules->port4 = 99;
	install(backend, rules);
	g_assert_true(has("redirect to :99"));
	g_assert_true(ops->remove(backend, &error));
	assert_tables("");
	g_assert_true(ops->remove(backend, &error));
	ops->close(backend);
}

static void
test_bound(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);
	VpnrBackend *backend;

	g_test_summary("Without its socket the kernel has no table either.");
	if (namespace_skip())
		return;
	backend = open_backend();
	install(backend, rules);
	assert_tables("table inet vpnr\n");
	ops->close(backend);
	assert_tables("");
}

static void
assert_taken(const VpnrRules *rules)
{
	g_autoptr(GError) error = NULL;
	VpnrBackend *backend = open_backend();

	g_assert_false(ops->check(backend, rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);
	g_assert_nonnull(strstr(error->message, "inet vpnr "));
	ops->close(backend);
}

static void
test_taken(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) others = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(GError) error = NULL;
	VpnrBackend *backend, *other;

	if (namespace_skip())
		return;
	backend = open_backend();
	install(backend, rules);
	assert_taken(rules);
	g_assert_false(ops->clear(rules, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);

	g_free(others->table);
	others->table = g_strdup("other");
	other = open_backend();
	install(other, others);
	assert_tables("table inet vpnr\ntable inet other\n");
	ops->close(other);
	assert_tables("table inet vpnr\n");
	ops->close(backend);
	g_clear_error(&error);
	g_assert_true(ops->clear(rules, &error));
}

static void
test_refused(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) bad = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(GError) error = NULL;
	VpnrBackend *backend;

	g_test_summary("What the kernel does not take changes nothing, and is named.");
	if (namespace_skip())
		return;
	g_ptr_array_add(bad->exclude.cgroups, g_strdup("no/such/cgroup"));
	backend = open_backend();
	install(backend, rules);
	g_assert_false(ops->install(backend, bad, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, ": socket cgroupv2 level 3 \"no/such/cgroup\" "));
	g_assert_true(has("redirect to :4333"));
	ops->close(backend);
}

static void
test_kill_switch(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(GError) error = NULL;

	if (namespace_skip())
		return;
	g_assert_cmpint(ops->find_kill_switch(rules), ==, VPNR_KILL_SWITCH_OFF);
	g_assert_true(ops->clear_kill_switch(rules, &error));
	g_assert_true(ops->install_kill_switch(rules, &error));
	g_assert_cmpint(ops->find_kill_switch(rules), ==, VPNR_KILL_SWITCH_ON);
	assert_tables("table inet vpnr-killswitch\n");
	rules->link_mark = 0x99;
	g_assert_true(ops->install_kill_switch(rules, &error));
	g_assert_true(has("meta mark 0x00000099 accept"));
	g_assert_false(has("meta mark 0x00007670 accept"));
	g_assert_true(ops->clear_kill_switch(rules, &error));
	g_assert_cmpint(ops->find_kill_switch(rules), ==, VPNR_KILL_SWITCH_OFF);
	assert_tables("");
}

static void
run(const char *command)
{
	struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);

	g_assert_cmpint(nft_run_cmd_from_buffer(context, command), ==, 0);
	nft_ctx_free(context);
}

static void
test_kill_switch_flushed(void)
{
	static const struct {
		const char *command;
		VpnrKillSwitch found;
	} rows[] = {
		{ "flush chain inet vpnr-killswitch leaving", VPNR_KILL_SWITCH_PART },
		{ "flush chain inet vpnr-killswitch allowed", VPNR_KILL_SWITCH_PART },
		{ "insert rule inet vpnr-killswitch leaving accept", VPNR_KILL_SWITCH_PART },
		{ "flush table inet vpnr-killswitch", VPNR_KILL_SWITCH_OFF },
	};
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);
	g_autoptr(GError) error = NULL;

	g_test_summary("A table is no kill switch: its rules are, and they can be put back.");
	if (namespace_skip())
		return;
	rules->kill_switch = TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_true(ops->install_kill_switch(rules, &error));
		g_assert_cmpint(ops->find_kill_switch(rules), ==, VPNR_KILL_SWITCH_ON);
		run(rows[i].command);
		g_assert_cmpint(ops->find_kill_switch(rules), ==, rows[i].found);
	}
	g_assert_true(ops->clear_kill_switch(rules, &error));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	namespace_enter();
	g_test_add_func("/nftables/install", test_install);
	g_test_add_func("/nftables/bound", test_bound);
	g_test_add_func("/nftables/taken", test_taken);
	g_test_add_func("/nftables/refused", test_refused);
	g_test_add_func("/nftables/kill-switch", test_kill_switch);
	g_test_add_func("/nftables/kill-switch-flushed", test_kill_switch_flushed);
	return g_test_run();
}
