/* SPDX-License-Identifier: MIT
 *
 * proxyreq: the two languages in which an application asks a proxy for a connection: SOCKS5
 * (RFC 1928) and HTTP CONNECT (RFC 9110, section 9.3.6).
 *
 * Every step looks at the bytes from the start of a unit and judges each part as soon as it is
 * whole, so the answer does not depend on how the bytes were cut on the way. Pure: any thread.
 */
#include "proto/proxyreq.h"

#include <string.h>

#include "proto/bytes.h"
#include "proto/socks5.h"

#define SOCKS_VERSION     5
#define SOCKS_NO_AUTH     0x00
#define SOCKS_NO_METHOD   0xff
#define SOCKS_CMD_CONNECT 1
#define SOCKS_CMD_UDP     3

/* Reply codes (RFC 1928, section 6). */
enum {
	SOCKS_SUCCEEDED = 0,
	SOCKS_FAILURE = 1,
	SOCKS_NOT_ALLOWED = 2,
	SOCKS_HOST_UNREACHABLE = 4,
	SOCKS_REFUSED = 5,
	SOCKS_TTL_EXPIRED = 6,
	SOCKS_BAD_COMMAND = 7,
	SOCKS_BAD_ADDRESS_TYPE = 8,
};

/* Bytes of a peer's text that a log line quotes. */
#define QUOTE_MAX 64

/* The n bytes in quotes, with whatever is not printable as an escape. */
static char *
quote(const guint8 *bytes, gsize n)
{
	GString *text = g_string_new("\"");

	for (gsize i = 0; i < MIN(n, QUOTE_MAX); i++) {
		if (bytes[i] >= 0x20 && bytes[i] <= 0x7e)
			g_string_append_c(text, (char)bytes[i]);
		else
			g_string_append_printf(text, "\\x%02x", bytes[i]);
	}
	g_string_append(text, n > QUOTE_MAX ? "...\"" : "\"");
	return g_string_free(text, FALSE);
}

static void
put_socks_reply(GByteArray *reply, guint8 code, const VpnrAddr *bound)
{
	vpnr_put_u8(reply, SOCKS_VERSION);
	vpnr_put_u8(reply, code);
	vpnr_put_u8(reply, 0);
	vpnr_socks5_put_addr(reply, bound);
}

/* The address that the server bound is not known here: zero says so, as other proxies do. */
static void
put_socks_code(GByteArray *reply, guint8 code)
{
	put_socks_reply(reply, code, &(VpnrAddr){ .type = VPNR_ADDR_NONE });
}

static VpnrProxyreqResult
refuse_socks(GByteArray *reply, guint8 code, char *explanation, char **why)
{
	put_socks_code(reply, code);
	*why = explanation;
	return VPNR_PROXYREQ_BAD;
}

/* RFC 1928, section 3: version, number of methods, methods. */
static VpnrProxyreqResult
step_greeting(VpnrProxyreq *request, const guint8 *bytes, gsize n, gsize *used, GByteArray *reply,
	      char **why)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	const guint8 *methods;
	guint8 count;

	vpnr_cursor_u8(&cursor);
	count = vpnr_cursor_u8(&cursor);
	methods = vpnr_cursor_take(&cursor, count);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_PROXYREQ_MORE;

	vpnr_put_u8(reply, SOCKS_VERSION);
	if (count == 0 || memchr(methods, SOCKS_NO_AUTH, count) == NULL) {
		vpnr_put_u8(reply, SOCKS_NO_METHOD);
		*why = g_strdup("SOCKS5 client insists on authentication");
		return VPNR_PROXYREQ_BAD;
	}
	vpnr_put_u8(reply, SOCKS_NO_AUTH);
	request->greeted = TRUE;
	*used = 2 + count;
	return VPNR_PROXYREQ_REPLY;
}

/* What is wrong with a command or an address type; NULL: nothing. */
static char *
judge_socks_request(guint8 version, guint8 command, guint8 type, guint8 *code)
{
	*code = SOCKS_FAILURE;
	if (version != SOCKS_VERSION)
		return g_strdup_printf("SOCKS5 request of version %u", version);
	*code = SOCKS_BAD_COMMAND;
	if (command != SOCKS_CMD_CONNECT && command != SOCKS_CMD_UDP)
		return g_strdup_printf("SOCKS5 command %u is neither CONNECT nor UDP ASSOCIATE",
				       command);
	*code = SOCKS_BAD_ADDRESS_TYPE;
	return vpnr_socks5_has_type(type) ? NULL : g_strdup_printf("SOCKS5 address type %u", type);
}

/* A name stands behind its length, and that behind the four bytes of the request's head. */
static VpnrProxyreqResult
refuse_name(const guint8 *bytes, GByteArray *reply, char **why)
{
	g_autofree char *name = quote(bytes + 5, bytes[4]);

	return refuse_socks(reply, SOCKS_FAILURE,
			    g_strdup_printf("SOCKS5 request for the impossible name %s", name),
			    why);
}

/* RFC 1928, section 4: version, command, reserved, address type, address, port. */
static VpnrProxyreqResult
step_socks_request(VpnrProxyreq *request, const guint8 *bytes, gsize n, gsize *used,
		   GByteArray *reply, char **why)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint8 version = vpnr_cursor_u8(&cursor);
	guint8 command = vpnr_cursor_u8(&cursor);
	guint8 type, code;
	gboolean possible;
	char *fault;

	vpnr_cursor_u8(&cursor);
	type = vpnr_cursor_u8(&cursor);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_PROXYREQ_MORE;
	fault = judge_socks_request(version, command, type, &code);
	if (fault != NULL)
		return refuse_socks(reply, code, fault, why);

	possible = vpnr_socks5_take_addr(&cursor, type, &request->dest);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_PROXYREQ_MORE;
	if (!possible)
		return refuse_name(bytes, reply, why);
	request->associate = command == SOCKS_CMD_UDP;
	if (request->dest.port == 0 && !request->associate)
		return refuse_socks(reply, SOCKS_FAILURE, g_strdup("SOCKS5 request for port 0"),
				    why);
	*used = n - cursor.left;
	return VPNR_PROXYREQ_REQUEST;
}

static void
put_http_status(GByteArray *reply, const char *status, const char *headers)
{
	g_autofree char *text =
	    g_strdup_printf("HTTP/1.1 %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n",
			    status, headers);

	g_byte_array_append(reply, (const guint8 *)text, (guint)strlen(text));
}

/* The bytes before the line's end (LF, or CR LF: RFC 9112, section 2.2), or -1 if the line is not
 * whole. *next is where the line after it starts. */
static gssize
line_length(const guint8 *bytes, gsize n, gsize *next)
{
	const guint8 *end = n > 0 ? memchr(bytes, '\n', n) : NULL;
	gssize length;

	if (end == NULL)
		return -1;
	length = end - bytes;
	*next = (gsize)length + 1;
	if (length > 0 && bytes[length - 1] == '\r')
		length--;
	return length;
}

/* CONNECT SP host:port SP HTTP/1.x. Returns NULL, or the status that refuses it. */
static const char *
parse_request_line(const guint8 *bytes, gsize n, VpnrAddr *dest)
{
	g_autofree char *line = g_strndup((const char *)bytes, n);
	g_auto(GStrv) words = NULL;

	if (strlen(line) != n)
		return "400 Bad Request";
	words = g_strsplit(line, " ", 4);
	if (g_strv_length(words) != 3 || !g_str_has_prefix(words[2], "HTTP/"))
		return "400 Bad Request";
	if (strcmp(words[2], "HTTP/1.0") != 0 && strcmp(words[2], "HTTP/1.1") != 0)
		return "505 HTTP Version Not Supported";
	if (strcmp(words[0], "CONNECT") != 0)
		return "405 Method Not Allowed";
	if (!vpnr_addr_parse(words[1], 0, dest, NULL))
		return "400 Bad Request";
	return NULL;
}

/* The request line is judged at once, the header lines are passed over up to the empty one. */
static VpnrProxyreqResult
step_http(VpnrProxyreq *request, const guint8 *bytes, gsize n, gsize *used, GByteArray *reply,
	  char **why)
{
	gsize bounded = MIN(n, VPNR_PROXYREQ_MAX);
	gsize at = 0;
	gsize next = 0;
	gssize length = line_length(bytes, bounded, &next);

	if (length >= 0) {
		const char *status = parse_request_line(bytes, (gsize)length, &request->dest);

		if (status != NULL) {
			g_autofree char *line = quote(bytes, (gsize)length);

			put_http_status(reply, status,
					g_str_has_prefix(status, "405") ? "Allow: CONNECT\r\n"
									: "");
			*why = g_strdup_printf("HTTP request %s: %s", line, status);
			return VPNR_PROXYREQ_BAD;
		}
	}
	while (length > 0) {
		at += next;
		length = line_length(bytes + at, bounded - at, &next);
	}
	if (length == 0) {
		*used = at + next;
		return VPNR_PROXYREQ_REQUEST;
	}
	if (n < VPNR_PROXYREQ_MAX)
		return VPNR_PROXYREQ_MORE;
	put_http_status(reply, "431 Request Header Fields Too Large", "");
	*why = g_strdup_printf("HTTP request of more than %d bytes", VPNR_PROXYREQ_MAX);
	return VPNR_PROXYREQ_BAD;
}

VpnrProxyreqResult
vpnr_proxyreq_step(VpnrProxyreq *request, const guint8 *bytes, gsize n, gsize *used,
		   GByteArray *reply, char **why)
{
	*used = 0;
	if (n == 0)
		return VPNR_PROXYREQ_MORE;
	if (request->kind == VPNR_PROXY_UNKNOWN && bytes[0] == SOCKS_VERSION)
		request->kind = VPNR_PROXY_SOCKS5;
	else if (request->kind == VPNR_PROXY_UNKNOWN && g_ascii_isupper(bytes[0]))
		request->kind = VPNR_PROXY_HTTP;

	switch (request->kind) {
	case VPNR_PROXY_SOCKS5:
		if (request->greeted)
			return step_socks_request(request, bytes, n, used, reply, why);
		return step_greeting(request, bytes, n, used, reply, why);
	case VPNR_PROXY_HTTP:
		return step_http(request, bytes, n, used, reply, why);
	case VPNR_PROXY_UNKNOWN:
		break;
	}
	*why = g_strdup_printf("neither SOCKS5 nor HTTP: the first byte is 0x%02x", bytes[0]);
	return VPNR_PROXYREQ_BAD;
}

static guint8
socks_code(VpnrReason reason)
{
	switch (reason) {
	case VPNR_REASON_NONE:
		return SOCKS_SUCCEEDED;
	case VPNR_REASON_REFUSED:
		return SOCKS_REFUSED;
	case VPNR_REASON_UNREACHABLE:
	case VPNR_REASON_NOT_FOUND:
		return SOCKS_HOST_UNREACHABLE;
	/* No code says "no answer"; this one keeps it apart from "unreachable". */
	case VPNR_REASON_TIMED_OUT:
		return SOCKS_TTL_EXPIRED;
	case VPNR_REASON_DENIED:
		return SOCKS_NOT_ALLOWED;
	default:
		return SOCKS_FAILURE;
	}
}

static const char *
http_status(VpnrReason reason)
{
	switch (reason) {
	case VPNR_REASON_DENIED:
		return "403 Forbidden";
	case VPNR_REASON_LIMIT:
		return "503 Service Unavailable";
	case VPNR_REASON_TIMED_OUT:
		return "504 Gateway Timeout";
	default:
		return "502 Bad Gateway";
	}
}

void
vpnr_proxyreq_answer(const VpnrProxyreq *request, VpnrReason reason, GByteArray *reply)
{
	static const char connected[] = "HTTP/1.1 200 Connection established\r\n\r\n";

	if (request->kind == VPNR_PROXY_SOCKS5)
		put_socks_code(reply, socks_code(reason));
	else if (reason == VPNR_REASON_NONE)
		g_byte_array_append(reply, (const guint8 *)connected, sizeof connected - 1);
	else
		put_http_status(reply, http_status(reason), "");
}

void
vpnr_proxyreq_answer_associate(const VpnrAddr *relay, GByteArray *reply)
{
	put_socks_reply(reply, SOCKS_SUCCEEDED, relay);
}
