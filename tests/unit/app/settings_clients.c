/* SPDX-License-Identifier: MIT
 *
 * settings_clients: the sections [client NAME], and what is refused in them.
 */
#include "app/settings_clients.h"

#include <string.h>

#include "server/clients.h"

#define KEY_A "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

#define SERVER "[server]\nprivate-key-file = server.key\n"
#define ALICE  "[client alice]\npublic-key = " KEY_A "\n"
#define BOB    "[client bob]\npublic-key = " KEY_B "\n"

/* The clients (VpnrClientEntry) of a text. */
static GPtrArray *
read_clients(const char *text, gboolean allowed, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_parse(text, strlen(text), "/", error);
	g_autoptr(GPtrArray) clients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);

	if (file == NULL || !vpnr_settings_clients_read(file, allowed, clients, error))
		return NULL;
	return g_steal_pointer(&clients);
}

static const VpnrClientEntry *
nth(const GPtrArray *clients, guint i)
{
	return g_ptr_array_index(clients, i);
}

static void
test_sorted(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) clients =
	    read_clients(BOB "allow = 10.0.0.0/8\n" SERVER ALICE, TRUE, &error);
	char buf[VPNR_KEY_STRLEN];

	g_assert_no_error(error);
	g_assert_cmpuint(clients->len, ==, 2);
	g_assert_cmpstr(nth(clients, 0)->name, ==, "alice");
	g_assert_cmpstr(vpnr_key_format(&nth(clients, 0)->public_key, buf), ==, KEY_A);
	g_assert_cmpstr(nth(clients, 1)->name, ==, "bob");
	g_assert_nonnull(nth(clients, 1)->acl);
}

static void
test_not_allowed(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) none = read_clients("[v1]\nlisten = none\n", FALSE, NULL);

	g_assert_null(read_clients(ALICE, FALSE, &error));
	g_assert_nonnull(strstr(error->message, "[client alice]"));
	g_assert_nonnull(strstr(error->message, "no [server]"));
	g_assert_cmpuint(none->len, ==, 0);
}

/* A text, and what its error must contain, separated by '|'. */
static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} refusals[] = {
		{ SERVER "[client ]\npublic-key = " KEY_A "\n", "[client ]|1 to 64" },
		{ SERVER "[client  a]\npublic-key = " KEY_A "\n", "space" },
		{ SERVER "[client 0123456789012345678901234567890123456789012345678901234567890123"
			 "4]\npublic-key = " KEY_A "\n",
		  "1 to 64" },
		{ SERVER "[client a\xe2\x80\xae]\npublic-key = " KEY_A "\n", "printable" },
		{ SERVER "[client a\x1b]\npublic-key = " KEY_A "\n", "configuration" },
		{ SERVER "[client a]\n", "[client a] public-key|missing" },
		{ SERVER "[client a]\npublic-key = abc\n", "[client a] public-key|\"abc\"|44" },
		{ SERVER ALICE "[client eve]\npublic-key = " KEY_A "\n",
		  "[client eve] public-key|" KEY_A "|[client alice]" },
		{ SERVER ALICE BOB ALICE, "line 7|[client alice]|twice" },
		{ SERVER ALICE "allow = 10.0.0.0/8;10.0.0.1/8\n",
		  "[client alice] allow|\"10.0.0.1/8\"" },
		{ SERVER ALICE "deny = x y\n", "[client alice] deny|\"x y\"" },
		{ SERVER ALICE "deny = [::ffff:0:0/96]:25\n",
		  "[client alice] deny|\"[::ffff:0:0/96]:25\"|is an IPv4 network" },
		{ SERVER ALICE "allow =\n", "[client alice] allow|empty" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_auto(GStrv) parts = g_strsplit(refusals[i].expected, "|", -1);
		g_autoptr(GError) error = NULL;

		g_assert_null(read_clients(refusals[i].text, TRUE, &error));
		for (guint j = 0; parts[j] != NULL; j++)
			if (strstr(error->message, parts[j]) == NULL)
				g_error("\"%s\" does not mention \"%s\"", error->message, parts[j]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary("names, keys and access lists of clients");
	g_test_add_func("/settings_clients/sorted", test_sorted);
	g_test_add_func("/settings_clients/not-allowed", test_not_allowed);
	g_test_add_func("/settings_clients/refused", test_refused);
	return g_test_run();
}
