/* SPDX-License-Identifier: MIT
 *
 * nftables: see nftables.h.
 */
#include "client/nftables.h"

#include <nftables/libnftables.h>
#include <string.h>

#include "client/nft_capture.h"
#include "client/nft_kill.h"

typedef struct nft_ctx NftContext;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NftContext, nft_ctx_free)

struct VpnrBackend {
	NftContext *context; /* its netlink socket owns the table */
	char *table;         /* that is installed; NULL: none */
};

static NftContext *
context_new(GError **error)
{
	g_autoptr(NftContext) context = nft_ctx_new(NFT_CTX_DEFAULT);

	if (context == NULL || nft_ctx_buffer_error(context) != 0 ||
	    nft_ctx_buffer_output(context) != 0) {
		g_set_error_literal(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED,
				    "libnftables does not start");
		return NULL;
	}
	return g_steal_pointer(&context);
}

/* Says the same of each rule that a failed transaction had; the first line is enough. */
static char *
first_line(const char *text)
{
	g_autofree char *line = g_strndup(text, strcspn(text, "\n"));

	return g_strdup(g_str_has_prefix(line, "Error: ") ? line + strlen("Error: ") : line);
}

static gboolean
run(NftContext *context, const char *commands, GError **error)
{
	if (nft_run_cmd_from_buffer(context, commands) == 0)
		return TRUE;

	g_autofree char *why = first_line(nft_ctx_get_error_buffer(context));
	g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED, "nftables: %s", why);
	return FALSE;
}

static gboolean
has_table(const char *name)
{
	g_autoptr(NftContext) context = context_new(NULL);
	g_autofree char *command = g_strdup_printf("list table inet %s", name);

	return context != NULL && run(context, command, NULL);
}

/* --- the table that captures ------------------------------------------------------------------ */

static VpnrBackend *
backend_open(GError **error)
{
	NftContext *context = context_new(error);
	VpnrBackend *backend;

	if (context == NULL)
		return NULL;
	backend = g_new0(VpnrBackend, 1);
	backend->context = context;
	return backend;
}

/* A table of the same name that is not ours is left alone: "create" fails where "add" would write
 * into it. */
static char *
make_transaction(const VpnrBackend *backend, const VpnrRules *rules)
{
	g_autofree char *text = vpnr_nft_capture_text(rules);
	GString *commands = g_string_new(NULL);

	if (backend->table != NULL)
		g_string_append_printf(commands, "delete table inet %s\n", backend->table);
	if (g_strcmp0(backend->table, rules->table) != 0)
		g_string_append_printf(commands, "create table inet %s { flags owner; }\n",
				       rules->table);
	g_string_append(commands, text);
	return g_string_free(commands, FALSE);
}

static gboolean
backend_install(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	g_autofree char *commands = make_transaction(backend, rules);
	g_autoptr(GError) why = NULL;

	if (run(backend->context, commands, &why)) {
		g_free(backend->table);
		backend->table = g_strdup(rules->table);
		return TRUE;
	}
	if (g_strcmp0(backend->table, rules->table) != 0 && has_table(rules->table))
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN,
			    "the table inet %s belongs to somebody else, such as another client: "
			    "choose another name for [capture] table (%s)",
			    rules->table, why->message);
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static gboolean
backend_remove(VpnrBackend *backend, GError **error)
{
	if (backend->table == NULL)
		return TRUE;

	g_autofree char *command = g_strdup_printf("delete table inet %s", backend->table);
	g_clear_pointer(&backend->table, g_free);
	return run(backend->context, command, error);
}

/* The kernel has done it. */
static gboolean
backend_clear(const VpnrRules *rules, GError **error)
{
	return TRUE;
}

static void
backend_close(VpnrBackend *backend)
{
	if (backend == NULL)
		return;
	nft_ctx_free(backend->context);
	g_free(backend->table);
	g_free(backend);
}

/* --- the kill switch -------------------------------------------------------------------------- */

/* Declared and deleted first: that is "replace", whether it is there or not. */
static gboolean
install_kill_switch(const VpnrRules *rules, GError **error)
{
	g_autoptr(NftContext) context = context_new(error);
	g_autofree char *name = vpnr_nft_kill_name(rules);
	g_autofree char *text = vpnr_nft_kill_text(rules);
	g_autofree char *commands =
	    g_strdup_printf("table inet %s\ndelete table inet %s\n%s", name, name, text);

	return context != NULL && run(context, commands, error);
}

static gboolean
clear_kill_switch(const VpnrRules *rules, GError **error)
{
	g_autoptr(NftContext) context = context_new(error);
	g_autofree char *name = vpnr_nft_kill_name(rules);
	g_autofree char *commands =
	    g_strdup_printf("table inet %s\ndelete table inet %s\n", name, name);

	return context != NULL && run(context, commands, error);
}

static gboolean
has_kill_switch(const VpnrRules *rules)
{
	g_autofree char *name = vpnr_nft_kill_name(rules);

	return has_table(name);
}

const VpnrBackendOps vpnr_nftables_ops = {
	.name = "nft",
	.open = backend_open,
	.install = backend_install,
	.remove = backend_remove,
	.clear = backend_clear,
	.describe = vpnr_nft_capture_text,
	.install_kill_switch = install_kill_switch,
	.clear_kill_switch = clear_kill_switch,
	.describe_kill_switch = vpnr_nft_kill_text,
	.has_kill_switch = has_kill_switch,
	.close = backend_close,
};
