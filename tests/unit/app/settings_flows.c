/* SPDX-License-Identifier: MIT
 *
 * settings_flows: dns-server, udp-timeout and max-flows, and what is refused.
 */
#include "app/settings_flows.h"

#include <string.h>

#include "app/settings.h"

#define KEY     "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define CLIENT  "[client]\nserver = a.example\nserver-public-key = " KEY "\nprivate-key-file = k\n"
#define V1      "[client]\nserver = a.example\nprotocol = 1\n"
#define CAPTURE "[capture]\n"

static VpnrClientSettings *
parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	VpnrClientSettings *settings =
	    vpnr_client_settings_parse(text, strlen(text), "/etc/vpnr", &error);

	g_assert_no_error(error);
	return settings;
}

static void
test_defaults(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(CLIENT);

	g_assert_cmpint(settings->flows.dns_server.who, ==, VPNR_DNS_ORIGINAL);
	g_assert_cmpuint(settings->flows.udp_timeout_s, ==, 60);
	g_assert_cmpuint(settings->flows.max_flows, ==, 8192);
}

static void
test_values(void)
{
	g_autoptr(VpnrClientSettings) server =
	    parse(CLIENT CAPTURE "dns-server = server\nudp-timeout = 5\nmax-flows = 7\n");
	g_autoptr(VpnrClientSettings) address = parse(V1 CAPTURE "dns-server = 9.9.9.9\n");
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpint(server->flows.dns_server.who, ==, VPNR_DNS_SERVER);
	g_assert_cmpuint(server->flows.udp_timeout_s, ==, 5);
	g_assert_cmpuint(server->flows.max_flows, ==, 7);
	g_assert_cmpint(address->flows.dns_server.who, ==, VPNR_DNS_ADDRESS);
	g_assert_cmpstr(vpnr_addr_format(&address->flows.dns_server.address, text), ==,
			"9.9.9.9:53");
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *wanted; /* parts of the message, separated by '|' */
	} bad[] = {
		{ CLIENT CAPTURE "dns-server = dns.example\n", "dns-server|\"dns.example\"" },
		{ CLIENT CAPTURE "dns = no\ndns-server = server\n",
		  "dns-server|\"server\"|dns = yes" },
		{ V1 CAPTURE "dns-server = server\n", "dns-server|\"server\"|protocol 2" },
		{ CLIENT CAPTURE "udp-timeout = 0\n", "udp-timeout|\"0\"" },
		{ CLIENT CAPTURE "udp-timeout = 86401\n", "udp-timeout|\"86401\"" },
		{ CLIENT CAPTURE "max-flows = 0\n", "max-flows|\"0\"" },
		{ CLIENT CAPTURE "max-flows = 60001\n", "max-flows|\"60001\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(GStrv) wanted = g_strsplit(bad[i].wanted, "|", -1);

		g_assert_null(vpnr_client_settings_parse(bad[i].text, strlen(bad[i].text),
							 "/etc/vpnr", &error));
		g_assert_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID);
		for (guint j = 0; wanted[j] != NULL; j++)
			g_assert_nonnull(strstr(error->message, wanted[j]));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/settings-flows/defaults", test_defaults);
	g_test_add_func("/settings-flows/values", test_values);
	g_test_add_func("/settings-flows/refused", test_refused);
	return g_test_run();
}
