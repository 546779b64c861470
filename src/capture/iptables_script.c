/* SPDX-License-Identifier: MIT
 *
 * iptables_script: see iptables_script.h.
 */
#include "capture/iptables_script.h"

#include <string.h>

static const char *const table_names[VPNR_IPTABLES_TABLES] = { "raw", "mangle", "nat", "filter" };

VpnrIptablesScript *
vpnr_iptables_script_new(void)
{
	VpnrIptablesScript *script = g_new0(VpnrIptablesScript, 1);

	for (guint i = 0; i < VPNR_IPTABLES_TABLES; i++) {
		script->chains[i] = g_ptr_array_new_with_free_func(g_free);
		script->rules[i] = g_ptr_array_new_with_free_func(g_free);
	}
	return script;
}

void
vpnr_iptables_script_free(VpnrIptablesScript *script)
{
	if (script == NULL)
		return;
	for (guint i = 0; i < VPNR_IPTABLES_TABLES; i++) {
		g_ptr_array_unref(script->chains[i]);
		g_ptr_array_unref(script->rules[i]);
	}
	g_free(script);
}

void
vpnr_iptables_script_chain(VpnrIptablesScript *script, VpnrIptablesTable table, const char *format,
			   ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(script->chains[table], g_strdup_vprintf(format, args));
	va_end(args);
}

void
vpnr_iptables_script_rule(VpnrIptablesScript *script, VpnrIptablesTable table, const char *format,
			  ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(script->rules[table], g_strdup_vprintf(format, args));
	va_end(args);
}

void
vpnr_iptables_script_detach(VpnrIptablesScript *script)
{
	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++) {
		GPtrArray *rules = script->rules[table];

		for (guint i = rules->len; i > 0; i--)
			if (g_str_has_prefix(g_ptr_array_index(rules, i - 1), "-I "))
				g_ptr_array_remove_index(rules, i - 1);
	}
}

/* --- what is there ---------------------------------------------------------------------------- */

/* The second word of ":CHAIN POLICY ..." or "-A CHAIN ..." (transfer full). */
static char *
chain_of(const char *line)
{
	const char *name = line[0] == ':' ? line + 1 : line + strlen("-A ");

	return g_strndup(name, strcspn(name, " "));
}

/* TRUE if the rule leads to a chain whose name matches. That a rule leads to a chain stands at its
 * end, behind everything that others may have put into a comment. */
static gboolean
leads_to(const char *rule, const char *pattern)
{
	const char *name = strrchr(rule, ' ');

	return name != NULL && name - rule >= 3 &&
	       (strncmp(name - 3, " -j", 3) == 0 || strncmp(name - 3, " -g", 3) == 0) &&
	       g_pattern_match_simple(pattern, name + 1);
}

/* What leads to the chains comes first, the last of it foremost, so that it ends up in the order in
 * which it was. */
static void
read_line(VpnrIptablesScript *script, VpnrIptablesTable table, const char *line,
	  const char *pattern)
{
	g_autofree char *chain = NULL;
	gboolean ours;

	if (line[0] != ':' && !g_str_has_prefix(line, "-A "))
		return;
	chain = chain_of(line);
	ours = g_pattern_match_simple(pattern, chain);
	if (ours && line[0] == ':')
		vpnr_iptables_script_chain(script, table, "%s", chain);
	else if (ours)
		vpnr_iptables_script_rule(script, table, "%s", line);
	else if (line[0] == '-' && leads_to(line, pattern))
		g_ptr_array_insert(script->rules[table], 0,
				   g_strconcat("-I ", line + strlen("-A "), NULL));
}

static VpnrIptablesTable
find_table(const char *name)
{
	guint table = 0;

	while (table < VPNR_IPTABLES_TABLES && !g_str_equal(name, table_names[table]))
		table++;
	return table;
}

VpnrIptablesScript *
vpnr_iptables_script_read(const char *saved, const char *pattern)
{
	VpnrIptablesScript *script = vpnr_iptables_script_new();
	g_auto(GStrv) lines = g_strsplit(saved, "\n", -1);
	VpnrIptablesTable table = VPNR_IPTABLES_TABLES; /* one that we do not use */

	for (char **line = lines; *line != NULL; line++) {
		if (**line == '*')
			table = find_table(*line + 1);
		else if (table < VPNR_IPTABLES_TABLES)
			read_line(script, table, *line, pattern);
	}
	return script;
}

guint
vpnr_iptables_script_size(const VpnrIptablesScript *script)
{
	guint n = 0;

	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++)
		n += script->rules[table]->len;
	return n;
}

gboolean
vpnr_iptables_script_is_empty(const VpnrIptablesScript *script)
{
	for (guint i = 0; i < VPNR_IPTABLES_TABLES; i++)
		if (script->chains[i]->len > 0)
			return FALSE;
	return TRUE;
}

static gboolean
has(const GPtrArray *lines, const char *wanted)
{
	for (guint i = 0; i < lines->len; i++)
		if (g_str_equal(g_ptr_array_index(lines, i), wanted))
			return TRUE;
	return FALSE;
}

guint
vpnr_iptables_script_jumps(const VpnrIptablesScript *script, const VpnrIptablesScript *found)
{
	guint n = 0;

	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++) {
		const GPtrArray *rules = script->rules[table];

		for (guint i = 0; i < rules->len; i++) {
			const char *rule = g_ptr_array_index(rules, i);

			n += g_str_has_prefix(rule, "-I ") && has(found->rules[table], rule);
		}
	}
	return n;
}

static guint
count_rules(const GPtrArray *rules, const char *chain)
{
	guint n = 0;

	for (guint i = 0; i < rules->len; i++) {
		const char *rule = g_ptr_array_index(rules, i);
		g_autofree char *name = chain_of(rule);

		n += g_str_has_prefix(rule, "-A ") && g_str_equal(name, chain);
	}
	return n;
}

gboolean
vpnr_iptables_script_is_filled(const VpnrIptablesScript *script, const VpnrIptablesScript *found,
			       gboolean exactly)
{
	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++) {
		const GPtrArray *chains = script->chains[table];

		for (guint i = 0; i < chains->len; i++) {
			const char *chain = g_ptr_array_index(chains, i);
			guint n = count_rules(found->rules[table], chain);

			if (exactly ? n != count_rules(script->rules[table], chain) : n == 0)
				return FALSE;
		}
	}
	return TRUE;
}

/* --- text ------------------------------------------------------------------------------------- */

/* A command for each chain of old that is not among chains. */
static void
append_stale(GString *text, const char *command, const GPtrArray *old, const GPtrArray *chains)
{
	for (guint i = 0; i < old->len; i++)
		if (!has(chains, g_ptr_array_index(old, i)))
			g_string_append_printf(text, "%s %s\n", command,
					       (const char *)g_ptr_array_index(old, i));
}

/* Removes what leads to the chains. */
static void
append_deletions(GString *text, const GPtrArray *rules)
{
	for (guint i = 0; i < rules->len; i++) {
		const char *rule = g_ptr_array_index(rules, i);

		if (g_str_has_prefix(rule, "-I "))
			g_string_append_printf(text, "-D %s\n", rule + strlen("-I "));
	}
}

/* To name a chain makes it, or empties the one that is there; only an empty one that nothing leads
 * to can be removed. */
static void
append_table(GString *text, VpnrIptablesTable table, const VpnrIptablesScript *script,
	     const VpnrIptablesScript *old)
{
	const GPtrArray *chains = script->chains[table];
	const GPtrArray *rules = script->rules[table];

	if (chains->len == 0 && old->chains[table]->len == 0)
		return;
	g_string_append_printf(text, "*%s\n", table_names[table]);
	for (guint i = 0; i < chains->len; i++)
		g_string_append_printf(text, ":%s - [0:0]\n",
				       (const char *)g_ptr_array_index(chains, i));
	append_deletions(text, old->rules[table]);
	append_stale(text, "-F", old->chains[table], chains);
	for (guint i = 0; i < rules->len; i++)
		g_string_append_printf(text, "%s\n", (const char *)g_ptr_array_index(rules, i));
	append_stale(text, "-X", old->chains[table], chains);
	g_string_append(text, "COMMIT\n");
}

char *
vpnr_iptables_script_replace(const VpnrIptablesScript *script, const VpnrIptablesScript *old)
{
	GString *text = g_string_new(NULL);

	for (VpnrIptablesTable table = 0; table < VPNR_IPTABLES_TABLES; table++)
		append_table(text, table, script, old);
	return g_string_free(text, FALSE);
}
