/* SPDX-License-Identifier: MIT
 *
 * iptables: see iptables.h.
 */
#include "capture/iptables.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "capture/claim.h"
#include "capture/iptables_capture.h"
#include "capture/iptables_kill.h"
#include "capture/iptables_run.h"
#include "capture/iptables_script.h"

static const int families[] = { AF_INET, AF_INET6 };

/* A script for each family. */
typedef struct {
	VpnrIptablesScript *of[G_N_ELEMENTS(families)];
} Scripts;

struct VpnrBackend {
	char *names;                 /* of the chains, which are ours; NULL: not yet */
	VpnrFd claim;                /* to them */
	VpnrIptablesVariant variant; /* that takes them */
	guint n_rules;               /* in them and towards them, as the kernel counts */
};

typedef VpnrIptablesScript *(*ScriptMake)(const VpnrRules *rules, int family);

static void
scripts_clear(Scripts *scripts)
{
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		g_clear_pointer(&scripts->of[i], vpnr_iptables_script_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scripts, scripts_clear)

static Scripts
scripts_make(ScriptMake make, const VpnrRules *rules)
{
	Scripts scripts;

	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		scripts.of[i] = make(rules, families[i]);
	return scripts;
}

/* --- the kernel's tables ---------------------------------------------------------------------- */

/* FALSE if the kernel was started without IPv6: then nothing of it can leave, either. */
static gboolean
has_family(int family)
{
	return family == AF_INET || access("/proc/thread-self/net/if_inet6", F_OK) == 0;
}

/* The chains with these names (transfer full). */
static VpnrIptablesScript *
read_chains(VpnrIptablesVariant variant, int family, const char *names, GError **error)
{
	g_autofree char *saved = vpnr_iptables_run_save(variant, family, error);

	return saved != NULL ? vpnr_iptables_script_read(saved, names) : NULL;
}

/* Puts the script in the place of the old one. */
static gboolean
replace(VpnrIptablesVariant variant, int family, const VpnrIptablesScript *script,
	const VpnrIptablesScript *old, GError **error)
{
	g_autofree char *text = vpnr_iptables_script_replace(script, old);

	return *text == '\0' || vpnr_iptables_run_restore(variant, family, text, error);
}

/* Brings old chains back, whatever is in their place now. */
static void
restore(VpnrIptablesVariant variant, int family, const VpnrIptablesScript *old, const char *names)
{
	g_autoptr(VpnrIptablesScript) now = read_chains(variant, family, names, NULL);

	if (now != NULL)
		(void)replace(variant, family, old, now, NULL);
}

static gboolean
read_all(VpnrIptablesVariant variant, const char *names, Scripts *scripts, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
		if (!has_family(families[i]))
			continue;
		scripts->of[i] = read_chains(variant, families[i], names, error);
		if (scripts->of[i] == NULL)
			return FALSE;
	}
	return TRUE;
}

/* For all families that there are. If one fails, all become what they were. */
static gboolean
replace_all(VpnrIptablesVariant variant, const Scripts *scripts, const char *names, GError **error)
{
	g_auto(Scripts) old = { { NULL } };

	if (!read_all(variant, names, &old, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
		if (old.of[i] == NULL ||
		    replace(variant, families[i], scripts->of[i], old.of[i], error))
			continue;
		for (guint j = 0; j <= i; j++)
			if (old.of[j] != NULL)
				restore(variant, families[j], old.of[j], names);
		return FALSE;
	}
	return TRUE;
}

/* As replace_all(), by the first variant that can. The error is that of the first one. */
static gboolean
replace_by_any(VpnrIptablesVariant *variant, const Scripts *scripts, const char *names,
	       GError **error)
{
	g_autoptr(GError) why = NULL;

	for (guint i = 0; i < VPNR_IPTABLES_VARIANTS; i++) {
		if (replace_all(i, scripts, names, why == NULL ? &why : NULL)) {
			*variant = i;
			return TRUE;
		}
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static gboolean
purge_script(VpnrIptablesVariant variant, int family, const VpnrIptablesScript *old, GError **error)
{
	g_autoptr(VpnrIptablesScript) none = vpnr_iptables_script_new();

	return vpnr_iptables_script_is_empty(old) || replace(variant, family, none, old, error);
}

/* Removes the chains with these names from the tables of a variant that is in use. */
static gboolean
purge_used(VpnrIptablesVariant variant, const char *names, GError **error)
{
	g_auto(Scripts) old = { { NULL } };

	if (!read_all(variant, names, &old, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		if (old.of[i] != NULL && !purge_script(variant, families[i], old.of[i], error))
			return FALSE;
	return TRUE;
}

/* The same for all variants. What cannot be read is not in use. */
static gboolean
purge(const char *names, GError **error)
{
	for (guint i = 0; i < VPNR_IPTABLES_VARIANTS * G_N_ELEMENTS(families); i++) {
		VpnrIptablesVariant variant = i / G_N_ELEMENTS(families);
		int family = families[i % G_N_ELEMENTS(families)];
		g_autoptr(VpnrIptablesScript) old = read_chains(variant, family, names, NULL);

		if (old != NULL && !purge_script(variant, family, old, error))
			return FALSE;
	}
	return TRUE;
}

/* --- whose they are --------------------------------------------------------------------------- */

static int
claim(const char *table, GError **error)
{
	g_autofree char *name = g_strdup_printf("vpnr-iptables-%s", table);
	int fd = vpnr_claim(name);

	if (fd < 0 && errno == EADDRINUSE)
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN,
			    "the chains %s.* of iptables belong to another client that is running: "
			    "choose another name for [capture] table",
			    table);
	else if (fd < 0)
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED,
			    "the chains %s.* of iptables cannot be claimed: %s", table,
			    g_strerror(errno));
	return fd;
}

/* --- the chains that capture ------------------------------------------------------------------ */

static gboolean
can_be_read(GError **error)
{
	g_autoptr(GError) why = NULL;

	for (guint i = 0; i < VPNR_IPTABLES_VARIANTS; i++) {
		g_autofree char *saved =
		    vpnr_iptables_run_save(i, AF_INET, why == NULL ? &why : NULL);

		if (saved != NULL)
			return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static VpnrBackend *
backend_new(void)
{
	VpnrBackend *backend = g_new0(VpnrBackend, 1);

	backend->claim = -1;
	return backend;
}

static VpnrBackend *
backend_open(GError **error)
{
	return can_be_read(error) ? backend_new() : NULL;
}

/* Takes away what leads to the chains, so that no packet comes to them. */
static void
scripts_detach(Scripts *scripts)
{
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		vpnr_iptables_script_detach(scripts->of[i]);
}

/* Removes what a killed client has left in any variant, and has the first one that can take all
 * chains, and give them back. */
static gboolean
choose_variant(VpnrIptablesVariant *variant, const VpnrRules *rules, const char *names,
	       GError **error)
{
	g_auto(Scripts) scripts = scripts_make(vpnr_iptables_capture, rules);

	scripts_detach(&scripts);
	return purge(names, error) && replace_by_any(variant, &scripts, names, error) &&
	       purge_used(*variant, names, error);
}

static gboolean
backend_check(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	g_autofree char *names = vpnr_iptables_capture_names(rules);
	g_auto(VpnrFd) fd = -1;

	if (backend->names != NULL)
		return TRUE;
	fd = claim(rules->table, error);
	if (fd < 0 || !choose_variant(&backend->variant, rules, names, error))
		return FALSE;
	backend->claim = vpnr_fd_steal(&fd);
	backend->names = g_steal_pointer(&names);
	return TRUE;
}

/* 0 if that cannot be read. */
static guint
count_rules(VpnrIptablesVariant variant, const char *names)
{
	g_auto(Scripts) scripts = { { NULL } };
	guint n = 0;

	if (!read_all(variant, names, &scripts, NULL))
		return 0;
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		if (scripts.of[i] != NULL)
			n += vpnr_iptables_script_size(scripts.of[i]);
	return n;
}

static gboolean
backend_install(VpnrBackend *backend, const VpnrRules *rules, GError **error)
{
	g_auto(Scripts) scripts = scripts_make(vpnr_iptables_capture, rules);

	if (!backend_check(backend, rules, error) ||
	    !replace_all(backend->variant, &scripts, backend->names, error))
		return FALSE;
	backend->n_rules = count_rules(backend->variant, backend->names);
	return TRUE;
}

static gboolean
backend_is_intact(VpnrBackend *backend)
{
	return count_rules(backend->variant, backend->names) == backend->n_rules;
}

static gboolean
backend_remove(VpnrBackend *backend, GError **error)
{
	g_autofree char *names = g_steal_pointer(&backend->names);
	gboolean removed =
	    names == NULL || (purge_used(backend->variant, names, error) && purge(names, error));

	vpnr_fd_close(backend->claim);
	backend->claim = -1;
	return removed;
}

static void
backend_close(VpnrBackend *backend)
{
	if (backend == NULL)
		return;
	vpnr_fd_close(backend->claim);
	g_free(backend->names);
	g_free(backend);
}

static gboolean
backend_clear(const VpnrRules *rules, GError **error)
{
	g_autofree char *names = vpnr_iptables_capture_names(rules);
	g_auto(VpnrFd) fd = claim(rules->table, error);

	return fd >= 0 && purge(names, error);
}

static char *
describe_scripts(ScriptMake make, const VpnrRules *rules)
{
	g_auto(Scripts) scripts = scripts_make(make, rules);
	g_autoptr(VpnrIptablesScript) none = vpnr_iptables_script_new();
	g_autofree char *text4 = vpnr_iptables_script_replace(scripts.of[0], none);
	g_autofree char *text6 = vpnr_iptables_script_replace(scripts.of[1], none);

	return g_strconcat("# iptables-restore --noflush\n", text4,
			   "# ip6tables-restore --noflush\n", text6, NULL);
}

static char *
describe(const VpnrRules *rules)
{
	return describe_scripts(vpnr_iptables_capture, rules);
}

/* --- the kill switch -------------------------------------------------------------------------- */

/* A firewall that empties a chain of the kernel's leaves ours, to which no packet comes then; and
 * one of ours that was emptied lets all of them pass. */
static VpnrKillSwitch
find_in_variant(VpnrIptablesVariant variant, const VpnrRules *rules, const Scripts *scripts,
		const char *names)
{
	guint wanted = 0, there = 0;
	gboolean filled = TRUE;

	for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
		g_autoptr(VpnrIptablesScript) found = NULL;

		if (!has_family(families[i]))
			continue;
		wanted += vpnr_iptables_script_jumps(scripts->of[i], scripts->of[i]);
		found = read_chains(variant, families[i], names, NULL);
		if (found == NULL)
			continue;
		there += vpnr_iptables_script_jumps(scripts->of[i], found);
		filled = filled &&
			 vpnr_iptables_script_is_filled(scripts->of[i], found, rules->kill_switch);
	}
	if (there == 0)
		return VPNR_KILL_SWITCH_OFF;
	return there == wanted && filled ? VPNR_KILL_SWITCH_ON : VPNR_KILL_SWITCH_PART;
}

static VpnrKillSwitch
find_kill_switch(const VpnrRules *rules)
{
	g_auto(Scripts) scripts = scripts_make(vpnr_iptables_kill, rules);
	g_autofree char *names = vpnr_iptables_kill_names(rules);
	VpnrKillSwitch most = VPNR_KILL_SWITCH_OFF;

	for (guint i = 0; i < VPNR_IPTABLES_VARIANTS && most != VPNR_KILL_SWITCH_ON; i++)
		most = MAX(most, find_in_variant(i, rules, &scripts, names));
	return most;
}

static gboolean
install_kill_switch(const VpnrRules *rules, GError **error)
{
	g_auto(Scripts) scripts = scripts_make(vpnr_iptables_kill, rules);
	g_autofree char *names = vpnr_iptables_kill_names(rules);
	VpnrIptablesVariant variant;

	return replace_by_any(&variant, &scripts, names, error);
}

static gboolean
clear_kill_switch(const VpnrRules *rules, GError **error)
{
	g_autofree char *names = vpnr_iptables_kill_names(rules);

	return purge(names, error);
}

static char *
describe_kill_switch(const VpnrRules *rules)
{
	return describe_scripts(vpnr_iptables_kill, rules);
}

const VpnrBackendOps vpnr_iptables_ops = {
	.kind = VPNR_BACKEND_IPTABLES,
	.name = "iptables",
	.open = backend_open,
	.check = backend_check,
	.install = backend_install,
	.is_intact = backend_is_intact,
	.remove = backend_remove,
	.clear = backend_clear,
	.describe = describe,
	.install_kill_switch = install_kill_switch,
	.clear_kill_switch = clear_kill_switch,
	.describe_kill_switch = describe_kill_switch,
	.find_kill_switch = find_kill_switch,
	.close = backend_close,
};
