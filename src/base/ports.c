/* SPDX-License-Identifier: MIT
 *
 * ports: see ports.h. Pure function, any thread.
 */
#include "base/ports.h"

gboolean
vpnr_ports_parse(const char *text, VpnrPortRange *range)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 3);
	guint n = g_strv_length(ends);
	guint64 ports[2] = { 0 };

	if (n != 1 && n != 2)
		return FALSE;
	for (guint i = 0; i < n; i++) {
		if (!g_ascii_string_to_unsigned(ends[i], 10, 1, G_MAXUINT16, &ports[i], NULL))
			return FALSE;
	}
	*range = (VpnrPortRange){ (guint16)ports[0], (guint16)ports[n - 1] };
	return range->first <= range->last;
}
