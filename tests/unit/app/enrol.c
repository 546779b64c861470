/* SPDX-License-Identifier: MIT
 *
 * enrol: the section for the server, where clients find it, and what they are given.
 */
#include "app/enrol.h"

#include <string.h>

#include "app/settings.h"

/* RFC 8032, section 7.1, tests 1 and 2: public keys, and the private one of the first. */
#define KEY_A   "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B   "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define PRIVATE "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

static VpnrKey
make_key(const char *text)
{
	VpnrKey key;

	g_assert_true(vpnr_key_parse(text, &key));
	return key;
}

/* The addresses in a text that has them as a configuration would (transfer full). */
static GArray *
make_listen(const char *text)
{
	GArray *listen = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	g_auto(GStrv) parts = g_strsplit(text, ";", -1);

	for (guint i = 0; parts[i] != NULL; i++) {
		VpnrAddr addr;

		g_assert_true(vpnr_addr_parse(parts[i], 4334, &addr, NULL));
		g_array_append_val(listen, addr);
	}
	return listen;
}

static void
test_append(void)
{
	static const struct {
		const char *text;
		const char *result;
	} rows[] = {
		{ "", "\n[client bob]\npublic-key = " KEY_B "\n" },
		{ "# a\n[server]\n", "# a\n[server]\n\n[client bob]\npublic-key = " KEY_B "\n" },
		{ "[server]", "[server]\n\n[client bob]\npublic-key = " KEY_B "\n" },
	};
	const VpnrKey key = make_key(KEY_B);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) result =
		    vpnr_enrol_append(rows[i].text, strlen(rows[i].text), "bob", &key);

		g_assert_cmpstr(result->str, ==, rows[i].result);
	}
}

static void
test_place(void)
{
	static const struct {
		const char *listen;
		const char *given;
		const char *place; /* NULL: this host's name, with the port */
		guint16 port;
	} rows[] = {
		{ "192.0.2.1", NULL, "192.0.2.1:4334" },
		{ "127.0.0.1:1;0.0.0.0:2;[2001:db8::1]:3;192.0.2.1:4", NULL, "[2001:db8::1]:3" },
		{ "10.0.0.1:5;192.0.2.1:4", NULL, "10.0.0.1:5" },
		{ "0.0.0.0:4334;[::]:4334", NULL, NULL, 4334 },
		{ "[::1]:1;127.0.0.2:2;[::]:3", NULL, NULL, 3 },
		{ "127.0.0.1:1;[::1]:2", NULL, NULL, 1 },
		{ "0.0.0.0:7", "vpn.example.org", "vpn.example.org:7" },
		{ "127.0.0.1:1;192.0.2.1:4", "vpn.example.org", "vpn.example.org:4" },
		{ "192.0.2.1:4", "[2001:db8::7]:9", "[2001:db8::7]:9" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GArray) listen = make_listen(rows[i].listen);
		char text[VPNR_ADDR_STRLEN];
		VpnrEnrolPlace place;

		g_test_message("place %zu", i);
		if (!vpnr_enrol_place(listen, rows[i].given, &place, NULL)) {
			/* Not every host has a name that can be looked up. */
			g_assert_null(rows[i].place);
			continue;
		}
		g_assert_cmpint(place.guessed, ==, rows[i].place == NULL);
		if (rows[i].place != NULL)
			g_assert_cmpstr(vpnr_addr_format(&place.addr, text), ==, rows[i].place);
		else
			g_assert_cmpuint(place.addr.port, ==, rows[i].port);
	}
}

static void
test_place_refused(void)
{
	g_autoptr(GArray) listen = make_listen("192.0.2.1");
	g_autoptr(GError) error = NULL;
	VpnrEnrolPlace place;

	g_assert_false(vpnr_enrol_place(listen, "vpn example", &place, &error));
	g_assert_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "--server"));
	g_assert_nonnull(strstr(error->message, "\"vpn example\""));
}

static void
test_client(void)
{
	VpnrEnrolPlace place = { .guessed = FALSE };
	const VpnrKey key = make_key(KEY_A);
	g_autoptr(GError) error = NULL;
	char buf[VPNR_KEY_STRLEN];

	g_test_summary("With the private key at its end it is all that a client needs.");
	g_assert_true(vpnr_addr_parse("vpn.example.org", 4334, &place.addr, NULL));
	g_autofree char *head = vpnr_enrol_client("zo\xc3\xab d.", &place, &key);
	g_autofree char *text = g_strconcat(head, PRIVATE, "\n", NULL);
	g_autoptr(VpnrClientSettings) settings =
	    vpnr_client_settings_parse(text, strlen(text), "/", &error);
	g_assert_no_error(error);
	g_assert_true(vpnr_addr_equal(&settings->server, &place.addr));
	g_assert_true(vpnr_key_equal(&settings->server_public_key, &key));
	g_assert_cmpstr(vpnr_key_format(&settings->private_key, buf), ==, PRIVATE);
	g_assert_null(strstr(text, "change it"));

	place.guessed = TRUE;
	g_autofree char *guessed = vpnr_enrol_client("bob", &place, &key);
	g_assert_nonnull(strstr(guessed, "change it"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/enrol/append", test_append);
	g_test_add_func("/enrol/place", test_place);
	g_test_add_func("/enrol/place-refused", test_place_refused);
	g_test_add_func("/enrol/client", test_client);
	return g_test_run();
}
