/* SPDX-License-Identifier: MIT
 *
 * nftables: see nftables.h.
 */
#include "capture/nftables.h"

#include <nftables/libnftables.h>
#include <string.h>

#include "base/fd.h"
#include "capture/nft_capture.h"
#include "capture/nft_kill.h"
#include "capture/text_file.h"

typedef struct nft_ctx NftContext;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NftContext, nft_ctx_free)

struct VpnrBackend {
	NftContext *context; /* its netlink socket owns the table */
	char *table;         /* that is ours, empty or not; NULL: none */
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

/* "PLACE: Error: COMPLAINT", the line that is to blame, and a third that points at the word. The
 * same follows for every other rule of a failed transaction; the first is enough. */
static gboolean
fail(const char *said, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(said, "\n", 3);
	const char *complaint = lines[0] != NULL ? lines[0] : "";
	const char *why = strstr(complaint, "Error: ");
	const char *line = lines[0] != NULL && lines[1] != NULL ? g_strstrip(lines[1]) : "";

	g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED, "nftables: %s%s%s",
		    why != NULL ? why + strlen("Error: ") : complaint, *line != '\0' ? ": " : "",
		    line);
	return FALSE;
}

/* From a file: of a buffer libnftables quotes the first line, whichever is to blame. */
static gboolean
run(NftContext *context, const char *commands, GError **error)
{
	g_auto(VpnrFd) file = vpnr_text_file(commands, error);
	g_autofree char *path = g_strdup_printf("/proc/thread-self/fd/%d", file);

	if (file < 0)
		return FALSE;
	return nft_run_cmd_from_filename(context, path) == 0 ||
	       fail(nft_ctx_get_error_buffer(context), error);
}

/* What the kernel has of a table (transfer full), or NULL. */
static char *
list_table(const char *name)
{
	g_autoptr(NftContext) context = context_new(NULL);
	g_autofree char *command = g_strdup_printf("list table inet %s", name);

	if (context == NULL || !run(context, command, NULL))
		return NULL;
	return g_strdup(nft_ctx_get_output_buffer(context));
}

static gboolean
has_table(const char *name)
{
	g_autofree char *listed = list_table(name);

	return listed != NULL;
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
static gboolean
take_name(VpnrBackend *backend, const char *name, GError **error)
{
	g_autofree char *command = g_strdup_printf("create table inet %s { flags owner; }\n", name);
	g_autoptr(GError) why = NULL;

	if (run(backend->context, command, &why)) {
		backend->table = g_strdup(name);
		return TRUE;
	}
	if (has_table(name))
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN,
			    "the table inet %s is there already and belongs to somebody else, such "
			    "as another client: choose another name for [capture] table",
			    name);
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

/* The old rules go and the new ones come in one transaction. */
static gboolean
load(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	g_autofree char *text = vpnr_nft_capture_text(rules);
	g_autofree char *commands =
	    g_strdup_printf("delete table inet %s\n%s", backend->table, text);

	return run(backend->context, commands, error);
}

static gboolean
backend_check(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	gboolean ok;

	if (!take_name(backend, rules->table, error))
		return FALSE;
	nft_ctx_set_dry_run(backend->context, true);
	ok = load(backend, rules, error);
	nft_ctx_set_dry_run(backend->context, false);
	return ok;
}

static gboolean
backend_install(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	if (backend->table == NULL && !take_name(backend, rules->table, error))
		return FALSE;
	return load(backend, rules, error);
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

/* The kernel has done it. A table that is there has an owner who lives. */
static gboolean
backend_clear(const VpnrRules *rules, GError **error)
{
	if (!has_table(rules->table))
		return TRUE;
	g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN,
		    "the table inet %s belongs to a client that is running, or to somebody else",
		    rules->table);
	return FALSE;
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

static VpnrKillSwitch
find_kill_switch(const VpnrRules *rules)
{
	g_autofree char *name = vpnr_nft_kill_name(rules);
	g_autofree char *listed = list_table(name);

	return listed != NULL ? vpnr_nft_kill_find(rules, listed) : VPNR_KILL_SWITCH_OFF;
}

const VpnrBackendOps vpnr_nftables_ops = {
	.kind = VPNR_BACKEND_NFT,
	.name = "nft",
	.open = backend_open,
	.check = backend_check,
	.install = backend_install,
	.remove = backend_remove,
	.clear = backend_clear,
	.describe = vpnr_nft_capture_text,
	.install_kill_switch = install_kill_switch,
	.clear_kill_switch = clear_kill_switch,
	.describe_kill_switch = vpnr_nft_kill_text,
	.find_kill_switch = find_kill_switch,
	.close = backend_close,
};
