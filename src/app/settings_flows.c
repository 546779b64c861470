/* SPDX-License-Identifier: MIT
 *
 * settings_flows: see settings_flows.h.
 */
#include "app/settings_flows.h"

#include "app/values.h"

/* Seconds. Protocols that live longer than a question and its answer send something before their
 * NAT forgets them, for which RFC 4787 allows it two minutes and most do after one. */
#define UDP_TIMEOUT_DEFAULT 60
#define UDP_TIMEOUT_LIMIT   86400

/* Half of the streams that a server allows by default, so that a flood of datagrams leaves the
 * other half to connections. A flow costs a thread, a socket and an eventfd. */
#define MAX_FLOWS_DEFAULT 8192
#define MAX_FLOWS_LIMIT   60000

static const VpnrNumberKey udp_timeout = { "udp-timeout", 1, UDP_TIMEOUT_LIMIT, FALSE };
static const VpnrNumberKey max_flows = { "max-flows", 1, MAX_FLOWS_LIMIT, FALSE };

static gboolean
read_dns_server(const VpnrSection *section, VpnrProtocol protocol, gboolean dns, VpnrDns *value,
		GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;

	if (!vpnr_section_get_text(section, "dns-server", &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	if (!vpnr_dns_parse(text, value, &why))
		return vpnr_section_fail_key(section, "dns-server", error, "%s", why->message);
	if (value->who != VPNR_DNS_ORIGINAL && !dns)
		return vpnr_section_fail_key(section, "dns-server", error,
					     "\"%s\" has no effect without dns = yes", text);
	if (value->who == VPNR_DNS_SERVER && protocol != VPNR_PROTOCOL_V2)
		return vpnr_section_fail_key(section, "dns-server", error,
					     "\"%s\" needs protocol 2: the protocol in [client] "
					     "carries addresses only",
					     text);
	return TRUE;
}

gboolean
vpnr_settings_flows_read(const VpnrSection *section, VpnrProtocol protocol, gboolean dns,
			 VpnrFlowSettings *flows, GError **error)
{
	*flows = (VpnrFlowSettings){ .udp_timeout_s = UDP_TIMEOUT_DEFAULT,
				     .max_flows = MAX_FLOWS_DEFAULT };
	return read_dns_server(section, protocol, dns, &flows->dns_server, error) &&
	       vpnr_section_get_number(section, &udp_timeout, &flows->udp_timeout_s, error) &&
	       vpnr_section_get_number(section, &max_flows, &flows->max_flows, error);
}
