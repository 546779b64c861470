/* SPDX-License-Identifier: MIT
 *
 * iptables_script: chains of our own and the rules in and to them, for iptables-restore(8), and the
 * text that puts them in the place of those that are there. Pure functions, any thread: nothing is
 * asked of the kernel.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The tables of iptables in the order in which packets meet them. */
typedef enum {
	VPNR_IPTABLES_RAW,
	VPNR_IPTABLES_MANGLE,
	VPNR_IPTABLES_NAT,
	VPNR_IPTABLES_FILTER,
	VPNR_IPTABLES_TABLES, /* how many there are */
} VpnrIptablesTable;

typedef struct {
	GPtrArray *chains[VPNR_IPTABLES_TABLES]; /* char *: names */
	GPtrArray *rules[VPNR_IPTABLES_TABLES];  /* char *: "-A CHAIN ...", and "-I HOOK ..." for
						  * those that lead to the chains */
} VpnrIptablesScript;

/* An empty script. */
VpnrIptablesScript *vpnr_iptables_script_new(void);

/* Takes NULL. */
void vpnr_iptables_script_free(VpnrIptablesScript *script);

/* Adds a chain, whose name is given by format, or a rule. */
void vpnr_iptables_script_chain(VpnrIptablesScript *script, VpnrIptablesTable table,
				const char *format, ...) G_GNUC_PRINTF(3, 4);
void vpnr_iptables_script_rule(VpnrIptablesScript *script, VpnrIptablesTable table,
			       const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Removes the rules that lead to the chains from outside. */
void vpnr_iptables_script_detach(VpnrIptablesScript *script);

/* The chains whose names match the pattern (g_pattern_match_simple()), their rules, and the rules
 * elsewhere that lead to them, in what iptables-save prints (transfer full). */
VpnrIptablesScript *vpnr_iptables_script_read(const char *saved, const char *pattern);

/* How many rules are in it. */
guint vpnr_iptables_script_size(const VpnrIptablesScript *script);

/* How many of the rules that lead to the chains of script are in found, which has been read. */
guint vpnr_iptables_script_jumps(const VpnrIptablesScript *script, const VpnrIptablesScript *found);

/* TRUE if each chain of script has rules in found, which has been read: as many as in script if
 * exactly, else any. What they say is not compared: iptables-save writes it in other words. */
gboolean vpnr_iptables_script_is_filled(const VpnrIptablesScript *script,
					const VpnrIptablesScript *found, gboolean exactly);

/* TRUE if there is no chain in it. */
gboolean vpnr_iptables_script_is_empty(const VpnrIptablesScript *script);

/* The text for iptables-restore --noflush that puts script in the place of old, which has been
 * read; "" if there is nothing to do (transfer full). Each table changes in one step. */
char *vpnr_iptables_script_replace(const VpnrIptablesScript *script, const VpnrIptablesScript *old);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrIptablesScript, vpnr_iptables_script_free)

G_END_DECLS
