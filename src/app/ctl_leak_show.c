/* SPDX-License-Identifier: MIT
 *
 * ctl_leak_show: see ctl_leak_show.h.
 */
#include "app/ctl_leak_show.h"

#include "app/ctl_format.h"
#include "app/report.h"

static guint
count(const VpnrLeakTrial *trials, gsize n, VpnrLeakVerdict verdict)
{
	guint found = 0;

	for (gsize i = 0; i < n; i++)
		found += vpnr_leak_judge(&trials[i].facts) == verdict;
	return found;
}

/* Why, and where the packet was seen if one was (transfer full). */
static char *
explain(const VpnrLeakTrial *trial)
{
	const char *text = vpnr_leak_explain(&trial->facts);

	return trial->facts.outside ? g_strdup_printf("%s by %s", text, trial->interface)
				    : g_strdup(text);
}

/* --- for people ------------------------------------------------------------------------------- */

static void
add_row(VpnrCtlTable *table, const VpnrLeakTrial *trial)
{
	char dest[VPNR_ADDR_STRLEN];
	g_autofree char *why = explain(trial);
	char *cells[] = { g_strdup(vpnr_leak_kind_name(trial->probe.kind)),
			  g_strdup(vpnr_addr_format(&trial->probe.dest, dest)),
			  g_strdup(vpnr_leak_verdict_name(vpnr_leak_judge(&trial->facts))),
			  vpnr_ctl_printable(why) };

	vpnr_ctl_table_add(table, cells);
}

static void
append_sum(const VpnrLeakTrial *trials, gsize n, GString *out)
{
	guint leaked = count(trials, n, VPNR_LEAK_LEAKED);
	guint unknown = count(trials, n, VPNR_LEAK_UNKNOWN);

	if (leaked > 0)
		g_string_append_printf(out, "\n%u of %zu probes leaked\n", leaked, n);
	else if (unknown > 0)
		g_string_append_printf(out, "\nof %u of %zu probes it cannot be told\n", unknown,
				       n);
	else
		g_string_append_printf(out, "\nnone of %zu probes leaked\n", n);
}

char *
vpnr_ctl_leak_show_table(const VpnrLeakTrial *trials, gsize n)
{
	static const VpnrCtlColumn heads[] = {
		{ "PROBE" }, { "DESTINATION" }, { "VERDICT" }, { "WHY" }
	};
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(heads, G_N_ELEMENTS(heads));
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize i = 0; i < n; i++)
		add_row(table, &trials[i]);
	vpnr_ctl_table_append(table, 0, out);
	append_sum(trials, n, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void
add_object(JsonBuilder *builder, const VpnrLeakTrial *trial)
{
	json_builder_begin_object(builder);
	vpnr_report_string(builder, "probe", vpnr_leak_kind_name(trial->probe.kind));
	vpnr_report_addr(builder, "destination", &trial->probe.dest);
	if (trial->source.type != VPNR_ADDR_NONE)
		vpnr_report_addr(builder, "source", &trial->source);
	vpnr_report_string(builder, "verdict",
			   vpnr_leak_verdict_name(vpnr_leak_judge(&trial->facts)));
	vpnr_report_string(builder, "why", vpnr_leak_explain(&trial->facts));
	if (trial->facts.outside)
		vpnr_report_string(builder, "interface", trial->interface);
	json_builder_end_object(builder);
}

char *
vpnr_ctl_leak_show_json(const VpnrLeakTrial *trials, gsize n)
{
	JsonBuilder *builder = json_builder_new();

	json_builder_begin_object(builder);
	for (int i = VPNR_LEAK_TUNNEL; i <= VPNR_LEAK_UNKNOWN; i++)
		vpnr_report_int(builder, vpnr_leak_verdict_name((VpnrLeakVerdict)i),
				count(trials, n, (VpnrLeakVerdict)i));
	json_builder_set_member_name(builder, "probes");
	json_builder_begin_array(builder);
	for (gsize i = 0; i < n; i++)
		add_object(builder, &trials[i]);
	json_builder_end_array(builder);
	return vpnr_report_end(builder);
}
