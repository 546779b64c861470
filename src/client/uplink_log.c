/* SPDX-License-Identifier: MIT
 *
 * uplink_log: see uplink_log.h.
 */
#include "client/uplink_log.h"

#include <stdarg.h>

#include "base/log.h"

static void
say(const VpnrUplinkLog *log, VpnrLogLevel level, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
say(const VpnrUplinkLog *log, VpnrLogLevel level, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (log->number > 0)
		vpnr_log(level, "link %u: %s", log->number, text);
	else
		vpnr_log(level, "%s", text);
}

void
vpnr_uplink_log_clear(VpnrUplinkLog *log)
{
	g_clear_pointer(&log->last_failure, g_free);
}

void
vpnr_uplink_log_connected(VpnrUplinkLog *log, const VpnrHello *hello, guint resumed, guint lost)
{
	char server[VPNR_ADDR_STRLEN];

	vpnr_bulletin_server(log->bulletin, server);
	if (lost > 0)
		say(log, VPNR_LOG_WARN,
		    "the server does not know the session any more: %u streams were reset", lost);
	if (hello->version == 0)
		say(log, VPNR_LOG_WARN,
		    "connected to %s by VPNr/1: IN THE CLEAR, without authentication", server);
	else if (resumed > 0)
		say(log, VPNR_LOG_INFO, "connected to %s again: %u streams go on", server, resumed);
	else
		say(log, VPNR_LOG_INFO, "connected to %s (%s)", server, hello->software);
	vpnr_uplink_log_clear(log);
}

/* The same failure over and over is one line, until something else happens. */
void
vpnr_uplink_log_failed(VpnrUplinkLog *log, const char *why)
{
	char server[VPNR_ADDR_STRLEN];
	gboolean again = g_strcmp0(why, log->last_failure) == 0;

	say(log, again ? VPNR_LOG_DEBUG : VPNR_LOG_WARN, "no link to %s: %s",
	    vpnr_bulletin_server(log->bulletin, server), why);
	g_free(log->last_failure);
	log->last_failure = g_strdup(why);
}

void
vpnr_uplink_log_kept(const VpnrUplinkLog *log, const char *why)
{
	say(log, VPNR_LOG_DEBUG, "the link was not replaced: %s", why);
}

void
vpnr_uplink_log_given_up(const VpnrUplinkLog *log, guint streams)
{
	if (streams > 0)
		say(log, VPNR_LOG_WARN, "no link came back in time: %u streams are reset", streams);
}

void
vpnr_uplink_log_unwatched(const VpnrUplinkLog *log, const char *why)
{
	say(log, VPNR_LOG_WARN, "changes of the network go unnoticed: %s", why);
}
