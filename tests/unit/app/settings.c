/* SPDX-License-Identifier: MIT
 *
 * settings: what files mean, their defaults, and that every error says where it is.
 */
#include "app/settings.h"

#include <glib/gstdio.h>
#include <string.h>

#define KEY_A "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

#define CLIENT                                                                                     \
	"[client]\nserver = vpn.example.org\nserver-public-key = " KEY_A                           \
	"\nprivate-key-file = client.key\n"
#define BARE   "[client]\nserver = vpn.example.org\nserver-public-key = " KEY_A "\n"
#define SERVER "[server]\nprivate-key-file = server.key\n"
#define V1     "[v1]\n"
#define ALICE  "[client alice]\npublic-key = " KEY_A "\n"
#define BOB    "[client bob]\npublic-key = " KEY_B "\n"

/* The largest memory-budget, in bytes and with a unit, and one more. */
#if GLIB_SIZEOF_VOID_P > 4
#define MOST         "9223372036854775807"
#define MOST_BYTES   G_GUINT64_CONSTANT(9223372036854775807)
#define MOST_G       "8589934591G"
#define MOST_G_BYTES G_GUINT64_CONSTANT(9223372035781033984)
#define TOO_MUCH     "8589934592G"
#else
#define MOST         "1073741824"
#define MOST_BYTES   G_GUINT64_CONSTANT(1073741824)
#define MOST_G       "1G"
#define MOST_G_BYTES G_GUINT64_CONSTANT(1073741824)
#define TOO_MUCH     "5G"
#endif

/* A text, and what its error must contain, separated by '|'. */
typedef struct {
	const char *text;
	const char *expected;
} Refusal;

static VpnrServerSettings *
parse_server(const char *text)
{
	g_autoptr(GError) error = NULL;
	VpnrServerSettings *settings =
	    vpnr_server_settings_parse(text, strlen(text), "/etc/vpnr", &error);

	g_assert_no_error(error);
	return settings;
}

static VpnrClientSettings *
parse_client(const char *text)
{
	g_autoptr(GError) error = NULL;
	VpnrClientSettings *settings =
	    vpnr_client_settings_parse(text, strlen(text), "/etc/vpnr", &error);

	g_assert_no_error(error);
	return settings;
}

static void
assert_addrs(const GArray *addrs, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < addrs->len; i++) {
		char buf[VPNR_ADDR_STRLEN];

		if (i > 0)
			g_string_append_c(text, ';');
		g_string_append(text, vpnr_addr_format(&g_array_index(addrs, VpnrAddr, i), buf));
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void
assert_addr(const VpnrAddr *addr, const char *expected)
{
	char buf[VPNR_ADDR_STRLEN];

	g_assert_cmpstr(vpnr_addr_format(addr, buf), ==, expected);
}

static gboolean
allows(const VpnrAcl *acl, const char *text)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(text, 0, &addr, NULL));
	return vpnr_acl_allows(acl, &addr, &addr);
}

static void
assert_mentions(const GError *error, const char *expected)
{
	g_auto(GStrv) parts = g_strsplit(expected, "|", -1);

	g_assert_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID);
	for (guint i = 0; parts[i] != NULL; i++) {
		if (strstr(error->message, parts[i]) == NULL)
			g_error("\"%s\" does not mention \"%s\"", error->message, parts[i]);
	}
}

static void
test_client_defaults(void)
{
	g_autoptr(VpnrClientSettings) settings = parse_client(CLIENT);
	char buf[VPNR_KEY_STRLEN];

	assert_addr(&settings->server, "vpn.example.org:4334");
	g_assert_cmpint(settings->protocol, ==, VPNR_PROTOCOL_V2);
	g_assert_cmpstr(vpnr_key_format(&settings->server_public_key, buf), ==, KEY_A);
	assert_addrs(settings->redirect, "127.0.0.1:4333;[::1]:4333");
	assert_addrs(settings->socks, "");
	g_assert_cmpstr(settings->control_socket, ==, "/run/vpnr/client.sock");
	g_assert_cmpuint(settings->resume_timeout_s, ==, 300);
	g_assert_cmpuint(settings->rotate_interval_s, ==, 3600);
	g_assert_cmpuint(settings->links, ==, 1);
	g_assert_cmpuint(settings->memory_budget, ==, 1073741824);
}

static void
test_client_full(void)
{
	g_autoptr(VpnrClientSettings) settings =
	    parse_client("# a comment\r\n[client]\r\nserver=[2001:db8::1]:99\r\n"
			 "protocol = 2\r\nserver-public-key=" KEY_B "\r\n"
			 "private-key-file = keys/client.key\r\n"
			 "redirect = 10.0.0.1 ; [2001:db8::2]:7 ;\r\nsocks = 127.0.0.1\r\n"
			 "control-socket = run/client.sock\r\nresume-timeout = 0\r\n"
			 "rotate-interval = 1\r\nlinks = 16\r\nmemory-budget = 256M\r\n\r\n"
			 "[capture]\r\nmode = off\r\n");

	assert_addr(&settings->server, "[2001:db8::1]:99");
	assert_addrs(settings->redirect, "10.0.0.1:4333;[2001:db8::2]:7");
	assert_addrs(settings->socks, "127.0.0.1:1080");
	g_assert_cmpstr(settings->control_socket, ==, "/etc/vpnr/run/client.sock");
	g_assert_cmpuint(settings->resume_timeout_s, ==, 0);
	g_assert_cmpuint(settings->rotate_interval_s, ==, 1);
	g_assert_cmpuint(settings->links, ==, 16);
	g_assert_cmpuint(settings->memory_budget, ==, 268435456);
}

static void
test_sizes(void)
{
	static const struct {
		const char *text;
		guint64 bytes;
	} rows[] = {
		{ "16777216", 16777216 }, { "16384K", 16777216 },   { "1G", 1073741824 },
		{ MOST, MOST_BYTES },     { MOST_G, MOST_G_BYTES },
	};

	g_test_summary("A size has a unit or none, and its largest value does not wrap.");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text =
		    g_strconcat(CLIENT "memory-budget = ", rows[i].text, "\n", NULL);
		g_autoptr(VpnrClientSettings) settings = parse_client(text);

		g_assert_cmpuint(settings->memory_budget, ==, rows[i].bytes);
	}
}

static void
test_never_rotate(void)
{
	g_autoptr(VpnrClientSettings) settings = parse_client(CLIENT "rotate-interval = none\n");

	g_assert_cmpuint(settings->rotate_interval_s, ==, 0);
}

static void
test_client_private_key(void)
{
	g_autoptr(VpnrClientSettings) settings =
	    parse_client("[client]\nserver = a.example\nserver-public-key = " KEY_A
			 "\nprivate-key = " KEY_B "\nsocks = 127.0.0.1\n");
	char buf[VPNR_KEY_STRLEN];

	g_assert_cmpstr(vpnr_key_format(&settings->private_key, buf), ==, KEY_B);
	assert_addrs(settings->socks, "127.0.0.1:1080");
}

static void
test_client_private_key_refused(void)
{
	static const Refusal refusals[] = {
		{ CLIENT "private-key = " KEY_B "\n", "[client] private-key|private-key-file" },
		{ BARE "private-key = " KEY_B "\nprivate-key = " KEY_B "\n", "line 5|twice" },
		{ BARE "private-key = " KEY_B KEY_B "\n",
		  "[client] private-key|not a private key" },
		{ BARE "private-key = \n", "[client] private-key|empty" },
		{ BARE "PrivateKey = " KEY_B "\n", "[client] PrivateKey|unknown key" },
		{ "\xef\xbb\xbfprivate-key = " KEY_B "\n", "line 1|private-key|first section" },
		{ BARE "private-key: " KEY_B "\n", "line 4|private-key" },
		{ BARE "private-key = " KEY_B "\n[capture]\nprivate-key = " KEY_B "\n",
		  "[capture] private-key|unknown key" },
		{ BARE "[capture]\nmode = off\n", "[client] private-key-file|private-key " },
	};

	g_test_summary("No error quotes a private key, whatever is wrong with it.");
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *text = refusals[i].text;
		g_autoptr(GError) error = NULL;

		g_test_message("refusal %zu: %s", i, refusals[i].expected);
		g_assert_null(vpnr_client_settings_parse(text, strlen(text), "/", &error));
		assert_mentions(error, refusals[i].expected);
		g_assert_null(strstr(error->message, "PUAX"));
	}
}

static void
test_client_v1(void)
{
	g_autoptr(VpnrClientSettings) settings =
	    parse_client("[client]\nserver = 192.0.2.1\nprotocol = 1\nredirect = none\n"
			 "socks = [::1]\ncontrol-socket = none\n");
	g_autoptr(VpnrClientSettings) rust =
	    parse_client("[client]\nserver = 192.0.2.1:9\nprotocol = 1-rust\n");

	g_assert_cmpint(settings->protocol, ==, VPNR_PROTOCOL_V1);
	assert_addr(&settings->server, "192.0.2.1:4335");
	assert_addrs(settings->redirect, "");
	assert_addrs(settings->socks, "[::1]:1080");
	g_assert_null(settings->control_socket);
	g_assert_cmpint(rust->protocol, ==, VPNR_PROTOCOL_V1_RUST);
	assert_addr(&rust->server, "192.0.2.1:9");
}

static void
test_server_defaults(void)
{
	g_autoptr(VpnrServerSettings) settings = parse_server(SERVER);

	assert_addrs(settings->listen, "0.0.0.0:4334;[::]:4334");
	assert_addrs(settings->v1_listen, "");
	g_assert_null(settings->v1_acl);
	g_assert_cmpuint(settings->clients->len, ==, 0);
	g_assert_cmpuint(settings->max_streams, ==, 16384);
	g_assert_cmpuint(settings->udp_timeout_s, ==, 300);
	g_assert_cmpuint(settings->resume_timeout_s, ==, 300);
	g_assert_cmpuint(settings->memory_budget, ==, 1073741824);
	g_assert_cmpstr(settings->control_socket, ==, "/run/vpnr/server.sock");
}

static void
test_server_clients(void)
{
	g_autoptr(VpnrServerSettings) settings = parse_server(
	    "[client zo\xc3\xab d.]\npublic-key = " KEY_B "\nallow = 10.0.0.0/8;\n"
	    "deny=10.9.0.0/16:25\n" SERVER "listen = 192.0.2.1\nmax-streams = 7\nudp-timeout = 60\n"
	    "control-socket = none\nresume-timeout = 86400\n"
	    "memory-budget = 20M\n" ALICE);
	const VpnrClientEntry *alice = g_ptr_array_index(settings->clients, 0);
	const VpnrClientEntry *zoe = g_ptr_array_index(settings->clients, 1);
	char buf[VPNR_KEY_STRLEN];

	assert_addrs(settings->listen, "192.0.2.1:4334");
	g_assert_null(settings->control_socket);
	g_assert_cmpuint(settings->max_streams, ==, 7);
	g_assert_cmpuint(settings->udp_timeout_s, ==, 60);
	g_assert_cmpuint(settings->resume_timeout_s, ==, 86400);
	g_assert_cmpuint(settings->memory_budget, ==, 20971520);
	g_assert_cmpuint(settings->clients->len, ==, 2);

	g_assert_cmpstr(alice->name, ==, "alice");
	g_assert_cmpstr(vpnr_key_format(&alice->public_key, buf), ==, KEY_A);
	g_assert_true(allows(alice->acl, "192.0.2.1:80"));
	g_assert_false(allows(alice->acl, "127.0.0.1:80"));

	g_assert_cmpstr(zoe->name, ==, "zo\xc3\xab d.");
	g_assert_true(allows(zoe->acl, "10.9.0.1:80"));
	g_assert_false(allows(zoe->acl, "10.9.0.1:25"));
	g_assert_false(allows(zoe->acl, "192.0.2.1:80"));
}

static void
test_server_v1(void)
{
	g_autoptr(VpnrServerSettings) settings = parse_server(V1);
	g_autoptr(VpnrServerSettings) rust =
	    parse_server("[v1]\ndialect = rust\nlisten = 10.0.0.1;10.0.0.2:5\nallow=10.0.0.0/8\n");
	g_autoptr(VpnrServerSettings) off = parse_server(SERVER V1 "listen = none\n");
	g_autoptr(VpnrServerSettings) only = parse_server("[server]\nlisten = none\n" V1);
	g_autoptr(VpnrServerSettings) near = parse_server(
	    SERVER "listen = 0.0.0.0:5;10.0.0.1:6\n" V1 "listen = 10.0.0.2:6;[::]:5\n");

	assert_addrs(settings->listen, "");
	assert_addrs(settings->v1_listen, "127.0.0.1:4335");
	g_assert_cmpint(settings->v1_dialect, ==, VPNR_PROTOCOL_V1);
	g_assert_true(allows(settings->v1_acl, "192.0.2.1:80"));

	assert_addrs(rust->v1_listen, "10.0.0.1:4335;10.0.0.2:5");
	g_assert_cmpint(rust->v1_dialect, ==, VPNR_PROTOCOL_V1_RUST);
	g_assert_false(allows(rust->v1_acl, "192.0.2.1:80"));

	assert_addrs(off->v1_listen, "");
	g_assert_null(off->v1_acl);
	assert_addrs(only->listen, "");
	assert_addrs(only->v1_listen, "127.0.0.1:4335");
	assert_addrs(near->v1_listen, "10.0.0.2:6;[::]:5");
}

static void
test_windows(void)
{
	g_test_summary("A byte order mark and the line ends of Windows do not matter.");

	g_autoptr(VpnrServerSettings) settings =
	    parse_server("\xef\xbb\xbf[server]\r\nlisten = 192.0.2.1\r\n\r\n# none\r\n"
			 "private-key-file = server.key\r\n");

	assert_addrs(settings->listen, "192.0.2.1:4334");
}

static void
test_client_refused(void)
{
	static const Refusal refusals[] = {
		{ "", "configuration|[client]|server" },
		{ "[client]\n", "configuration|[client] server|missing" },
		{ "[client]\nserver = a.example\n", "[client] server-public-key|missing" },
		{ "[client]\nserver = a.example\nserver-public-key=" KEY_A "\n",
		  "[client] private-key-file|missing" },
		{ CLIENT "[wrong]\n", "[wrong]|unknown section" },
		{ CLIENT "[server]\n", "[server]|unknown section" },
		{ CLIENT "socs = 127.0.0.1\n", "[client] socs|unknown key|\"127.0.0.1\"" },
		{ CLIENT "socks[de] = 127.0.0.1\n", "line 5|socks[de]|name of a key" },
		{ CLIENT "so]cks = 127.0.0.1\n", "line 5|so]cks|name of a key" },
		{ CLIENT "[capture]\nmode = tunnel\n", "[capture] mode|\"tunnel\"|off, redirect" },
		{ CLIENT "[capture]\nunknown = no\n", "[capture] unknown|unknown key|\"no\"" },
		{ CLIENT "protocol = 3\n", "[client] protocol|\"3\"|2, 1, 1-rust" },
		{ CLIENT "protocol = 2 # or 1\n", "[client] protocol|\"2 # or 1\"" },
		{ CLIENT "server = b.example\n", "line 5|server = b.example|twice" },
		{ CLIENT "[client]\nsocks = 127.0.0.1\n", "line 5|[client]|twice" },
		{ CLIENT "redirect = 127.0.0.1:0\n", "[client] redirect|127.0.0.1:0" },
		{ CLIENT "redirect = localhost\n", "[client] redirect|\"localhost\"|name" },
		{ CLIENT "redirect =\n", "[client] redirect|empty" },
		{ CLIENT "redirect = ;\n", "[client] redirect|\";\"|empty" },
		{ CLIENT "redirect = 127.0.0.1;;[::1]\n", "[client] redirect|empty" },
		{ CLIENT "redirect = 127.0.0.1;none\n", "[client] redirect|\"none\"" },
		{ CLIENT "redirect = 127.0.0.1;127.0.0.1:4333\n", "[client] redirect|twice" },
		{ CLIENT "redirect = none\n", "[client]|redirect and socks" },
		{ CLIENT "redirect = 0.0.0.0;127.0.0.2\n",
		  "[client] redirect|\"127.0.0.2:4333\"|beside \"0.0.0.0:4333\"" },
		{ CLIENT "redirect = [::1]:5;[::]:5\n",
		  "[client] redirect|\"[::]:5\"|beside \"[::1]:5\"" },
		{ CLIENT "redirect = 10.0.0.1:5\nsocks = 10.0.0.1:5\n",
		  "[client] socks|\"10.0.0.1:5\"|beside \"10.0.0.1:5\" in redirect" },
		{ CLIENT "socks = 0.0.0.0:4333\n",
		  "[client] socks|\"0.0.0.0:4333\"|beside \"127.0.0.1:4333\" in redirect" },
		{ CLIENT "socks = 127.0.0.1:99999\n", "[client] socks|127.0.0.1:99999" },
		{ CLIENT "socks = 127.0.0.1\\n\n", "[client] socks|\"127.0.0.1\\n\"" },
		{ CLIENT "socks = 127.0.0.1\x1b\n", "[client] socks|control character" },
		{ CLIENT "resume-timeout = 86401\n",
		  "[client] resume-timeout|\"86401\"|0 to 86400" },
		{ CLIENT "resume-timeout = none\n", "[client] resume-timeout|\"none\"" },
		{ CLIENT "resume-timeout = 5m\n", "[client] resume-timeout|\"5m\"" },
		{ CLIENT "rotate-interval = 0\n",
		  "[client] rotate-interval|\"0\"|none or a number from 1 to 86400" },
		{ CLIENT "rotate-interval = 86401\n", "[client] rotate-interval|\"86401\"" },
		{ CLIENT "links = 0\n", "[client] links|\"0\"|1 to 16" },
		{ CLIENT "links = 17\n", "[client] links|\"17\"" },
		{ CLIENT "links = four\n", "[client] links|\"four\"" },
		{ CLIENT "links = 4\nmemory-budget = 63M\n",
		  "[client] links|\"4\"|memory-budget of at least 64M" },
		{ CLIENT "memory-budget = 16777215\n",
		  "[client] memory-budget|\"16777215\"|from 16777216" },
		{ CLIENT "memory-budget = 15M\n", "[client] memory-budget|\"15M\"" },
		{ CLIENT "memory-budget = M\n", "[client] memory-budget|\"M\"" },
		{ CLIENT "memory-budget = 64MB\n", "[client] memory-budget|\"64MB\"" },
		{ CLIENT "memory-budget = 64 M\n", "[client] memory-budget|\"64 M\"" },
		{ CLIENT "memory-budget = -64M\n", "[client] memory-budget|\"-64M\"" },
		{ CLIENT "memory-budget = 1GG\n", "[client] memory-budget|\"1GG\"" },
		{ CLIENT "memory-budget = " TOO_MUCH "\n",
		  "[client] memory-budget|\"" TOO_MUCH "\"|to " MOST },
		{ CLIENT "memory-budget = 8589934592G\n", "[client] memory-budget|to " MOST },
		{ CLIENT "memory-budget = 9223372036854775808\n", "[client] memory-budget" },
		{ CLIENT "socks\n", "line 5|\"socks\"" },
		{ CLIENT "= 1\n", "line 5|no key" },
		{ CLIENT "[capture\n", "line 5|\"[capture\"" },
		{ "server = a.example\n", "line 1|before the first section" },
		{ CLIENT "[]\n", "line 5|\"[]\"|name of a section" },
		{ CLIENT "[cap]ture]\n", "line 5|\"[cap]ture]\"|name of a section" },
		{ CLIENT "[cap\ture]\n", "line 5|name of a section" },
		{ CLIENT "socks = \xff\n", "UTF-8|byte" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *text = refusals[i].text;
		g_autoptr(GError) error = NULL;

		g_test_message("refusal %zu: %s", i, refusals[i].expected);
		g_assert_null(vpnr_client_settings_parse(text, strlen(text), "/", &error));
		assert_mentions(error, refusals[i].expected);
	}
}

static void
test_server_refused(void)
{
	static const Refusal refusals[] = {
		{ "", "[server]|nothing to listen on" },
		{ "[server]\nlisten = none\n", "[server]|nothing to listen on" },
		{ "[server]\n", "[server] private-key-file|missing" },
		{ SERVER "[client]\npublic-key = " KEY_A "\n", "[client]|unknown section" },
		{ SERVER "private-key = " KEY_B "\n", "[server] private-key|unknown key" },
		{ SERVER "listen = example.org\n", "[server] listen|\"example.org\"" },
		{ SERVER "listen = 0.0.0.0:4335\n" V1,
		  "[v1] listen|\"127.0.0.1:4335\"|beside \"0.0.0.0:4335\" in [server] listen" },
		{ SERVER V1 "listen = [2001:db8::1]:4334\n",
		  "[v1] listen|\"[2001:db8::1]:4334\"|beside \"[::]:4334\" in [server] listen" },
		{ SERVER "max-streams = 0\n", "[server] max-streams|\"0\"" },
		{ SERVER "max-streams = 1000001\n", "[server] max-streams|\"1000001\"" },
		{ SERVER "max-streams = many\n", "[server] max-streams|\"many\"" },
		{ SERVER "max-streams = -1\n", "[server] max-streams|\"-1\"" },
		{ SERVER "udp-timeout = 0\n", "[server] udp-timeout|\"0\"" },
		{ SERVER "udp-timeout = 86401\n", "[server] udp-timeout|\"86401\"" },
		{ SERVER "resume-timeout = -1\n", "[server] resume-timeout|\"-1\"|0 to 86400" },
		{ SERVER "memory-budget = 1M\n", "[server] memory-budget|\"1M\"" },
		{ SERVER "links = 2\n", "[server] links|unknown key|\"2\"" },
		{ SERVER "rotate-interval = 60\n", "[server] rotate-interval|unknown key|\"60\"" },
		{ SERVER "control-socket = /0123456789012345678901234567890123456789012345678901234"
			 "56789012345678901234567890123456789012345678901234567890123\n",
		  "[server] control-socket|longer" },
		{ SERVER V1 "dialect = go\n", "[v1] dialect|\"go\"|readme, rust" },
		{ SERVER V1 "listen = 127.0.0.1:x\n", "[v1] listen|127.0.0.1:x" },
		{ SERVER V1 "allow = *\n", "[v1] allow|\"*\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *text = refusals[i].text;
		g_autoptr(GError) error = NULL;

		g_test_message("refusal %zu: %s", i, refusals[i].expected);
		g_assert_null(vpnr_server_settings_parse(text, strlen(text), "/", &error));
		assert_mentions(error, refusals[i].expected);
	}
}

static void
test_nul(void)
{
	static const char text[] = CLIENT "\0[capture]\n";
	g_autoptr(GError) error = NULL;

	g_test_summary("What stands behind a NUL byte is not silently left out.");
	g_assert_null(vpnr_client_settings_parse(text, sizeof text - 1, "/", &error));
	assert_mentions(error, "UTF-8");
}

/* A folder with a configuration and a private key in it. */
typedef struct {
	char *folder;
	char *config;
	char *key;
} Files;

static void
files_set_up(Files *files, gconstpointer config)
{
	files->folder = g_dir_make_tmp("vpnr-settings-XXXXXX", NULL);
	files->config = g_build_filename(files->folder, "vpnr.conf", NULL);
	files->key = g_build_filename(files->folder, "server.key", NULL);
	g_assert_true(g_file_set_contents(files->config, config, -1, NULL));
	g_assert_true(g_file_set_contents(files->key, KEY_B "\n", -1, NULL));
	g_assert_cmpint(g_chmod(files->key, 0600), ==, 0);
}

static void
files_tear_down(Files *files, gconstpointer config)
{
	g_unlink(files->config);
	g_unlink(files->key);
	g_assert_cmpint(g_rmdir(files->folder), ==, 0);
	g_free(files->config);
	g_free(files->key);
	g_free(files->folder);
}

static void
test_load(Files *files, gconstpointer config)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrServerSettings) settings =
	    vpnr_server_settings_load(files->config, NULL, &error);
	g_autofree char *path = g_build_filename(files->folder, "s.sock", NULL);
	char buf[VPNR_KEY_STRLEN];

	g_assert_no_error(error);
	g_assert_cmpstr(vpnr_key_format(&settings->private_key, buf), ==, KEY_B);
	g_assert_cmpstr(settings->control_socket, ==, path);
}

static void
test_load_overrides(Files *files, gconstpointer config)
{
	const char *const overrides[] = { "server.listen=192.0.2.7:1",
					  "client alice.allow=10.0.0.0/8",
					  "client b.c=d.public-key=" KEY_B, "v1.listen=127.0.0.1:2",
					  NULL };
	const char *const good[] = { overrides[0], overrides[1], overrides[3], NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrServerSettings) settings =
	    vpnr_server_settings_load(files->config, good, &error);

	g_assert_no_error(error);
	assert_addrs(settings->listen, "192.0.2.7:1");
	assert_addrs(settings->v1_listen, "127.0.0.1:2");
	const VpnrClientEntry *alice = g_ptr_array_index(settings->clients, 0);
	g_assert_false(allows(alice->acl, "192.0.2.1:80"));
	g_assert_true(allows(alice->acl, "10.0.0.1:80"));

	/* The first '=' ends the key, whatever the section is called. */
	g_assert_null(vpnr_server_settings_load(files->config, overrides, &error));
	assert_mentions(error, "[client b] c|(from -o)|\"d.public-key=" KEY_B "\"");
}

static void
test_load_bad_overrides(Files *files, gconstpointer config)
{
	static const Refusal refusals[] = {
		{ "", "-o|\"\"" },
		{ "listen", "-o|\"listen\"" },
		{ "listen=1", "-o|\"listen=1\"" },
		{ ".listen=1", "-o|\".listen=1\"" },
		{ "server.=1", "-o|\"server.=1\"" },
		{ "a]b.listen=1", "-o|\"a]b.listen=1\"" },
		{ "server.listen=\xff", "-o|UTF-8" },
		{ "server.listen=192.0.2.1\nx=y", "-o" },
		{ "server.listen=", "vpnr.conf: [server] listen (from -o)|empty" },
		{ "server.listen=nowhere:0", "[server] listen (from -o)|nowhere:0" },
		{ "wrong.key=1", "[wrong]|unknown section" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *const overrides[] = { refusals[i].text, NULL };
		g_autoptr(GError) error = NULL;

		g_test_message("refusal %zu: %s", i, refusals[i].expected);
		g_assert_null(vpnr_server_settings_load(files->config, overrides, &error));
		assert_mentions(error, refusals[i].expected);
	}
}

static void
test_load_private_key(Files *files, gconstpointer config)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_chmod(files->key, 0644), ==, 0);
	g_assert_null(vpnr_server_settings_load(files->config, NULL, &error));
	assert_mentions(error, files->config);
	assert_mentions(error, "[server] private-key-file|0644");
	assert_mentions(error, files->key);
	g_clear_error(&error);

	g_assert_cmpint(g_unlink(files->key), ==, 0);
	g_assert_null(vpnr_server_settings_load(files->config, NULL, &error));
	assert_mentions(error, "[server] private-key-file");
	assert_mentions(error, files->key);
}

static void
test_load_secret(Files *files, gconstpointer config)
{
	static const char text[] = BARE "private-key = " KEY_B "\n";
	const char *const overrides[] = { "client.private-key=" KEY_B, NULL };
	g_autoptr(GError) error = NULL;
	char buf[VPNR_KEY_STRLEN];

	g_assert_true(g_file_set_contents(files->config, text, -1, NULL));
	g_assert_cmpint(g_chmod(files->config, 0640), ==, 0);
	g_assert_null(vpnr_client_settings_load(files->config, NULL, &error));
	assert_mentions(error, "vpnr.conf: [client] private-key: |mode 0640");
	g_assert_null(strstr(strstr(error->message, "vpnr.conf") + 1, "vpnr.conf"));
	g_clear_error(&error);

	g_assert_cmpint(g_chmod(files->config, 0600), ==, 0);
	g_autoptr(VpnrClientSettings) settings =
	    vpnr_client_settings_load(files->config, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(vpnr_key_format(&settings->private_key, buf), ==, KEY_B);

	/* Everybody has read it there already; it is kept out of the log at least. */
	g_assert_null(vpnr_client_settings_load(files->config, overrides, &error));
	assert_mentions(error, "-o|\"client.private-key\"|command line");
	g_assert_null(strstr(error->message, KEY_B));
}

static void
test_load_missing(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_client_settings_load("/nonexistent/client.conf", NULL, &error));
	assert_mentions(error, "/nonexistent/client.conf");
}

/* The text of an example with a key in the place of the words in capitals. */
static char *
read_example(const char *name)
{
	const char *top = g_getenv("VPNR_SRCDIR");
	g_autofree char *path =
	    g_build_filename(top != NULL ? top : ".", "contrib", "examples", name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++) {
		char *word = strstr(lines[i], "PUBLIC-KEY-OF-");

		if (word == NULL)
			continue;
		char *line = g_strdup_printf("%.*s" KEY_A, (int)(word - lines[i]), lines[i]);
		g_free(lines[i]);
		lines[i] = line;
	}
	return g_strjoinv("\n", lines);
}

/* With every key that is commented out, too. */
static char *
uncomment(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i] != NULL; i++) {
		if (lines[i][0] == '#' && lines[i][1] != ' ')
			lines[i][0] = ' ';
	}
	return g_strjoinv("\n", lines);
}

static void
test_examples(void)
{
	g_autofree char *server_text = read_example("server.conf");
	g_autofree char *client_text = read_example("client.conf");
	g_autofree char *full_server_text = uncomment(server_text);
	g_autofree char *full_client_text = uncomment(client_text);

	g_test_summary("The examples are good, as they are and with all that they offer.");
	g_autoptr(VpnrServerSettings) server = parse_server(server_text);
	g_autoptr(VpnrServerSettings) full_server = parse_server(full_server_text);
	g_autoptr(VpnrClientSettings) client = parse_client(client_text);
	g_autoptr(VpnrClientSettings) full_client = parse_client(full_client_text);
	g_assert_cmpuint(server->v1_listen->len, ==, 0);
	g_assert_cmpuint(full_server->v1_listen->len, ==, 1);
	g_assert_cmpuint(client->socks->len, ==, 0);
	g_assert_cmpuint(full_client->socks->len, ==, 1);
	g_assert_cmpint(client->rules->mode, ==, VPNR_CAPTURE_OFF);
	g_assert_cmpint(full_client->rules->mode, ==, VPNR_CAPTURE_TPROXY);
}

static void
test_free_null(void)
{
	vpnr_server_settings_free(NULL);
	vpnr_client_settings_free(NULL);
}

static void
add_files_test(const char *path, void (*test)(Files *files, gconstpointer config))
{
	static const char config[] = SERVER "control-socket = s.sock\n" ALICE;

	g_test_add(path, Files, config, files_set_up, test, files_tear_down);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/settings/client/defaults", test_client_defaults);
	g_test_add_func("/settings/client/full", test_client_full);
	g_test_add_func("/settings/client/v1", test_client_v1);
	g_test_add_func("/settings/client/private-key", test_client_private_key);
	g_test_add_func("/settings/client/private-key-refused", test_client_private_key_refused);
	g_test_add_func("/settings/client/sizes", test_sizes);
	g_test_add_func("/settings/client/never-rotate", test_never_rotate);
	g_test_add_func("/settings/client/refused", test_client_refused);
	g_test_add_func("/settings/server/defaults", test_server_defaults);
	g_test_add_func("/settings/server/clients", test_server_clients);
	g_test_add_func("/settings/server/v1", test_server_v1);
	g_test_add_func("/settings/server/refused", test_server_refused);
	g_test_add_func("/settings/windows", test_windows);
	g_test_add_func("/settings/nul", test_nul);
	add_files_test("/settings/load", test_load);
	add_files_test("/settings/load/overrides", test_load_overrides);
	add_files_test("/settings/load/bad-overrides", test_load_bad_overrides);
	add_files_test("/settings/load/private-key", test_load_private_key);
	add_files_test("/settings/load/secret", test_load_secret);
	g_test_add_func("/settings/load/missing", test_load_missing);
	g_test_add_func("/settings/examples", test_examples);
	g_test_add_func("/settings/free-null", test_free_null);
	return g_test_run();
}
