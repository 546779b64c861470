/* SPDX-License-Identifier: MIT
 *
 * Goal: SOCKS5 and HTTP CONNECT requests are understood, however they are cut, and answered with
 * the right bytes; everything else is refused with the right code and a reason for the log.
 */
#include "proto/proxyreq.h"

#include <string.h>

/* What a conversation came to. */
typedef struct {
	VpnrProxyreqResult result;
	VpnrProxyreq request;
	GByteArray *reply;
	char *why;
	gsize used; /* of all bytes */
} Outcome;

static void
outcome_clear(Outcome *outcome)
{
	g_byte_array_unref(outcome->reply);
	g_free(outcome->why);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* Feeds the bytes in pieces, as a caller would, up to the first REQUEST or BAD. */
static Outcome
converse(const void *bytes, gsize n, gsize piece)
{
	Outcome outcome = { .result = VPNR_PROXYREQ_MORE, .reply = g_byte_array_new() };
	gsize end = 0;

	while (end < n && outcome.result <= VPNR_PROXYREQ_REPLY) {
		end = MIN(end + piece, n);
		do {
			gsize size = end - outcome.used;
			g_autofree guint8 *exact =
			    g_memdup2((const guint8 *)bytes + outcome.used, size);
			gsize used = 99999;

			outcome.result = vpnr_proxyreq_step(&outcome.request, exact, size, &used,
							    outcome.reply, &outcome.why);
			g_assert_cmpuint(used, <=, size);
			outcome.used += used;
		} while (outcome.result == VPNR_PROXYREQ_REPLY);
	}
	g_assert_cmpint(outcome.why != NULL, ==, outcome.result == VPNR_PROXYREQ_BAD);
	return outcome;
}

typedef struct {
	const char *bytes;
	gsize n;
	VpnrProxyreqResult result;
	const char *dest; /* or what why contains */
	const char *reply;
	gsize reply_n;
} Case;

#define LITERAL(text)     text, sizeof(text) - 1
#define SOCKS_REPLY(code) LITERAL("\5\0\5" code "\0\1\0\0\0\0\0\0")
#define SOCKS_GREETING    "\5\1\0"
#define HTTP_REPLY(s, more)                                                                        \
	LITERAL("HTTP/1.1 " s "\r\n" more "Content-Length: 0\r\nConnection: close\r\n\r\n")

static void
check_case(const Case *c, gsize piece)
{
	g_auto(Outcome) outcome = converse(c->bytes, c->n, piece);
	char dest[VPNR_ADDR_STRLEN];

	g_assert_cmpint(outcome.result, ==, c->result);
	g_assert_cmpmem(outcome.reply->data, outcome.reply->len, c->reply, c->reply_n);
	if (c->result == VPNR_PROXYREQ_REQUEST) {
		g_assert_cmpuint(outcome.used, ==, c->n);
		g_assert_cmpstr(vpnr_addr_format(&outcome.request.dest, dest), ==, c->dest);
	} else if (c->result == VPNR_PROXYREQ_BAD) {
		g_assert_nonnull(strstr(outcome.why, c->dest));
	}
}

static void
check_cases(const Case *cases, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_test_message("case %zu", i);
		for (gsize piece = 1; piece <= cases[i].n; piece++)
			check_case(&cases[i], piece);
	}
}

static void
test_socks(void)
{
	static const Case cases[] = {
		{ LITERAL(SOCKS_GREETING "\5\1\0\1\300\0\2\1\0\120"), VPNR_PROXYREQ_REQUEST,
		  "192.0.2.1:80", LITERAL("\5\0") },
		{ LITERAL("\5\3\2\1\0\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\1\273"),
		  VPNR_PROXYREQ_REQUEST, "[2001:db8::1]:443", LITERAL("\5\0") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\13example.org\1\273"), VPNR_PROXYREQ_REQUEST,
		  "example.org:443", LITERAL("\5\0") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\14example.org.\1\273"), VPNR_PROXYREQ_REQUEST,
		  "example.org:443", LITERAL("\5\0") },
		/* Some clients put literals where names belong. */
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\11"
					 "192.0.2.1\0\120"),
		  VPNR_PROXYREQ_REQUEST, "192.0.2.1:80", LITERAL("\5\0") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\13example"), VPNR_PROXYREQ_MORE, NULL,
		  LITERAL("\5\0") },
	};

	check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_socks_refused(void)
{
	static const Case cases[] = {
		{ LITERAL("\5\0"), VPNR_PROXYREQ_BAD, "authentication", LITERAL("\5\377") },
		{ LITERAL("\5\2\1\2"), VPNR_PROXYREQ_BAD, "authentication", LITERAL("\5\377") },
		{ LITERAL(SOCKS_GREETING "\4\1\0\1"), VPNR_PROXYREQ_BAD, "version 4",
		  SOCKS_REPLY("\1") },
		{ LITERAL(SOCKS_GREETING "\5\2\0\1"), VPNR_PROXYREQ_BAD, "command 2",
		  SOCKS_REPLY("\7") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\2"), VPNR_PROXYREQ_BAD, "address type 2",
		  SOCKS_REPLY("\10") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\1\300\0\2\1\0\0"), VPNR_PROXYREQ_BAD, "port 0",
		  SOCKS_REPLY("\1") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\0\0\120"), VPNR_PROXYREQ_BAD, "name \"\"",
		  SOCKS_REPLY("\1") },
		{ LITERAL(SOCKS_GREETING "\5\1\0\3\6a\033[2Jb\0\120"), VPNR_PROXYREQ_BAD,
		  "name \"a\\x1b[2Jb\"", SOCKS_REPLY("\1") },
		{ LITERAL("\4\1\0\120\300\0\2\1\0"), VPNR_PROXYREQ_BAD, "0x04", LITERAL("") },
		{ LITERAL("\026\3\1"), VPNR_PROXYREQ_BAD, "0x16", LITERAL("") },
	};

	check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_associate(void)
{
	g_test_summary("UDP ASSOCIATE: an application that does not know its address says zero.");

	static const Case cases[] = {
		{ LITERAL(SOCKS_GREETING "\5\3\0\1\0\0\0\0\0\0"), VPNR_PROXYREQ_REQUEST,
		  "0.0.0.0:0", LITERAL("\5\0") },
		{ LITERAL(SOCKS_GREETING "\5\3\0\1\300\0\2\1\0\120"), VPNR_PROXYREQ_REQUEST,
		  "192.0.2.1:80", LITERAL("\5\0") },
		{ LITERAL(SOCKS_GREETING "\5\3\0\3\0\0\0"), VPNR_PROXYREQ_BAD, "name \"\"",
		  SOCKS_REPLY("\1") },
	};
	g_auto(Outcome) associate = converse(cases[0].bytes, cases[0].n, cases[0].n);
	g_auto(Outcome) connect = converse(LITERAL(SOCKS_GREETING "\5\1\0\1\300\0\2\1\0\120"), 1);
	g_autoptr(GByteArray) answer = g_byte_array_new();
	VpnrAddr relay = { .type = VPNR_ADDR_IPV6, .port = 0x1234, .ip6 = { [15] = 1 } };

	check_cases(cases, G_N_ELEMENTS(cases));
	g_assert_true(associate.request.associate);
	g_assert_false(connect.request.associate);
	vpnr_proxyreq_answer_associate(&relay, answer);
	g_assert_cmpmem(answer->data, answer->len, "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\22\64",
			22);
}

static void
test_http(void)
{
	static const Case cases[] = {
		{ LITERAL("CONNECT example.org:443 HTTP/1.1\r\n\r\n"), VPNR_PROXYREQ_REQUEST,
		  "example.org:443", LITERAL("") },
		{ LITERAL("CONNECT [2001:db8::1]:443 HTTP/1.0\r\nHost: x\r\nA: b\r\n\r\n"),
		  VPNR_PROXYREQ_REQUEST, "[2001:db8::1]:443", LITERAL("") },
		{ LITERAL("CONNECT 192.0.2.1:80 HTTP/1.1\nHost: x\n\n"), VPNR_PROXYREQ_REQUEST,
		  "192.0.2.1:80", LITERAL("") },
		{ LITERAL("CONNECT 192.0.2.1:80 HTTP/1.1\r\nHost: x\r\n"), VPNR_PROXYREQ_MORE, NULL,
		  LITERAL("") },
	};

	check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_http_refused(void)
{
	static const Case cases[] = {
		{ LITERAL("GET http://example.org/ HTTP/1.1\r\n"), VPNR_PROXYREQ_BAD, "\"GET http",
		  HTTP_REPLY("405 Method Not Allowed", "Allow: CONNECT\r\n") },
		{ LITERAL("CONNECT example.org:443 HTTP/2.0\r\n"), VPNR_PROXYREQ_BAD, "HTTP/2.0",
		  HTTP_REPLY("505 HTTP Version Not Supported", "") },
		{ LITERAL("CONNECT example.org HTTP/1.1\r\n"), VPNR_PROXYREQ_BAD, "example.org",
		  HTTP_REPLY("400 Bad Request", "") },
		{ LITERAL("CONNECT example.org:0 HTTP/1.1\r\n"), VPNR_PROXYREQ_BAD, ":0",
		  HTTP_REPLY("400 Bad Request", "") },
		{ LITERAL("CONNECT example.org:443\r\n"), VPNR_PROXYREQ_BAD, ":443",
		  HTTP_REPLY("400 Bad Request", "") },
		{ LITERAL("CONNECT a:443 HTTP/1.1 x\r\n"), VPNR_PROXYREQ_BAD, "x\"",
		  HTTP_REPLY("400 Bad Request", "") },
		{ LITERAL("CONNECT a:443 HTTP/1.1\0\r\n"), VPNR_PROXYREQ_BAD, "\\x00",
		  HTTP_REPLY("400 Bad Request", "") },
		{ LITERAL("SSH-2.0-OpenSSH_9.2\r\n"), VPNR_PROXYREQ_BAD, "SSH-2.0",
		  HTTP_REPLY("400 Bad Request", "") },
	};

	check_cases(cases, G_N_ELEMENTS(cases));
}

/* A request is whole at VPNR_PROXYREQ_MAX bytes, or refused then; never kept beyond. */
static void
test_http_too_long(void)
{
	static const char line[] = "CONNECT a:1 HTTP/1.1\r\n", refusal[] = "HTTP/1.1 431 ";
	g_autofree char *text = g_strnfill(VPNR_PROXYREQ_MAX + 10, 'x');

	memcpy(text, line, sizeof line - 1);
	memcpy(text + VPNR_PROXYREQ_MAX - 4, "\r\n\r\n", 4);
	for (gsize extra = 0; extra <= 10; extra += 10) {
		g_auto(Outcome) fits = converse(text, VPNR_PROXYREQ_MAX + extra, 4096);

		g_assert_cmpint(fits.result, ==, VPNR_PROXYREQ_REQUEST);
		g_assert_cmpuint(fits.used, ==, VPNR_PROXYREQ_MAX);
	}
	memcpy(text + VPNR_PROXYREQ_MAX - 4, "x\r\n\r\n", 5);
	for (gsize extra = 0; extra <= 10; extra += 10) {
		g_auto(Outcome) outcome = converse(text, VPNR_PROXYREQ_MAX + extra, 10000);

		g_assert_cmpint(outcome.result, ==, VPNR_PROXYREQ_BAD);
		g_assert_nonnull(strstr(outcome.why, "8192"));
		g_assert_cmpuint(outcome.reply->len, >, strlen(refusal));
		g_assert_cmpmem(outcome.reply->data, strlen(refusal), refusal, strlen(refusal));
	}
}

/* What stands behind a request belongs to the stream. */
static void
test_data_behind(void)
{
	static const char socks[] = SOCKS_GREETING "\5\1\0\1\300\0\2\1\0\120behind";
	static const char http[] = "CONNECT a:1 HTTP/1.1\r\n\r\nbehind";
	g_auto(Outcome) a = converse(socks, sizeof socks - 1, sizeof socks);
	g_auto(Outcome) b = converse(http, sizeof http - 1, sizeof http);

	g_assert_cmpint(a.result, ==, VPNR_PROXYREQ_REQUEST);
	g_assert_cmpstr(socks + a.used, ==, "behind");
	g_assert_cmpint(b.result, ==, VPNR_PROXYREQ_REQUEST);
	g_assert_cmpstr(http + b.used, ==, "behind");
}

/* A log line quotes a bounded part of what a peer sent. */
static void
test_quote_is_bounded(void)
{
	g_autofree char *text = g_strnfill(4000, 'G');
	g_auto(Outcome) outcome = { 0 };

	text[3999] = '\n';
	outcome = converse(text, 4000, 4000);
	g_assert_cmpint(outcome.result, ==, VPNR_PROXYREQ_BAD);
	g_assert_cmpuint(strlen(outcome.why), <, 200);
}

typedef struct {
	VpnrReason reason;
	guint8 socks;
	const char *http;
} Answer;

static void
test_answers(void)
{
	static const Answer answers[] = {
		{ VPNR_REASON_NONE, 0, "HTTP/1.1 200 " },
		{ VPNR_REASON_REFUSED, 5, "HTTP/1.1 502 " },
		{ VPNR_REASON_UNREACHABLE, 4, "HTTP/1.1 502 " },
		{ VPNR_REASON_TIMED_OUT, 6, "HTTP/1.1 504 " },
		{ VPNR_REASON_NOT_FOUND, 4, "HTTP/1.1 502 " },
		{ VPNR_REASON_DENIED, 2, "HTTP/1.1 403 " },
		{ VPNR_REASON_LIMIT, 1, "HTTP/1.1 503 " },
		{ VPNR_REASON_INTERNAL, 1, "HTTP/1.1 502 " },
		{ VPNR_REASON_LINK_LOST, 1, "HTTP/1.1 502 " },
		{ 99, 1, "HTTP/1.1 502 " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GByteArray) socks = g_byte_array_new();
		g_autoptr(GByteArray) http = g_byte_array_new();
		const guint8 wanted[] = { 5, answers[i].socks, 0, 1, 0, 0, 0, 0, 0, 0 };

		vpnr_proxyreq_answer(&(VpnrProxyreq){ .kind = VPNR_PROXY_SOCKS5 },
				     answers[i].reason, socks);
		g_assert_cmpmem(socks->data, socks->len, wanted, sizeof wanted);
		vpnr_proxyreq_answer(&(VpnrProxyreq){ .kind = VPNR_PROXY_HTTP }, answers[i].reason,
				     http);
		g_assert_cmpmem(http->data, strlen(answers[i].http), answers[i].http,
				strlen(answers[i].http));
		g_assert_cmpmem(http->data + http->len - 4, 4, "\r\n\r\n", 4);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/proxyreq/socks", test_socks);
	g_test_add_func("/proto/proxyreq/socks-refused", test_socks_refused);
	g_test_add_func("/proto/proxyreq/associate", test_associate);
	g_test_add_func("/proto/proxyreq/http", test_http);
	g_test_add_func("/proto/proxyreq/http-refused", test_http_refused);
	g_test_add_func("/proto/proxyreq/http-too-long", test_http_too_long);
	g_test_add_func("/proto/proxyreq/data-behind", test_data_behind);
	g_test_add_func("/proto/proxyreq/quote-is-bounded", test_quote_is_bounded);
	g_test_add_func("/proto/proxyreq/answers", test_answers);
	return g_test_run();
}
