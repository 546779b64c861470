/* SPDX-License-Identifier: MIT
 *
 * hello: the message of VPNr/2's HELLO frame (docs/protocol.md, 2.4): a version, then parameters of
 * type, length and value, so that a later version can add some and this one skips them.
 *
 * Pure: any thread.
 */
#include "proto/hello.h"

#include <string.h>

#include "proto/bytes.h"

enum {
	PARAM_SOFTWARE = 1,
	PARAM_MAX_STREAMS = 2,
	PARAM_INITIAL_WINDOW = 3,
	PARAM_CAPABILITIES = 4,
	PARAM_SESSION = 5,
	PARAM_RECEIVED = 6,
	PARAM_ORIGIN = 7,
	PARAM_LAST = PARAM_ORIGIN,
};

/* What a peer that says nothing is taken to offer (docs/protocol.md, 2.4.6). */
static const VpnrHello defaults = {
	.version = VPNR_HELLO_VERSION,
	.max_streams = 100,
	.initial_window = 65536,
	.software = "unknown",
};

gboolean
vpnr_session_id_equal(const VpnrSessionId *a, const VpnrSessionId *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

gboolean
vpnr_origin_same_client(const VpnrOrigin *a, const VpnrOrigin *b)
{
	return memcmp(a->client, b->client, sizeof a->client) == 0;
}

VpnrHello *
vpnr_hello_copy(const VpnrHello *hello)
{
	VpnrHello *copy = g_new(VpnrHello, 1);

	*copy = *hello;
	return copy;
}

static void
encode_session(const VpnrHello *hello, GByteArray *out)
{
	vpnr_put_u8(out, PARAM_SESSION);
	vpnr_put_u8(out, VPNR_SESSION_ID_SIZE);
	g_byte_array_append(out, hello->session.bytes, VPNR_SESSION_ID_SIZE);
	vpnr_put_u8(out, PARAM_RECEIVED);
	vpnr_put_u8(out, 8);
	vpnr_put_u64(out, hello->received);
}

static void
encode_origin(const VpnrOrigin *origin, GByteArray *out)
{
	vpnr_put_u8(out, PARAM_ORIGIN);
	vpnr_put_u8(out, VPNR_ORIGIN_CLIENT_SIZE + 1);
	g_byte_array_append(out, origin->client, VPNR_ORIGIN_CLIENT_SIZE);
	vpnr_put_u8(out, origin->number);
}

gboolean
vpnr_hello_takes_datagrams(const VpnrHello *hello)
{
	return (hello->capabilities & VPNR_CAPABILITY_DATAGRAM) != 0;
}

void
vpnr_hello_encode(const VpnrHello *hello, GByteArray *out)
{
	guint software = (guint)strlen(hello->software);

	vpnr_put_u8(out, hello->version);
	/* An empty value is not allowed; the peer's default says the same. */
	if (software > 0) {
		vpnr_put_u8(out, PARAM_SOFTWARE);
		vpnr_put_u8(out, (guint8)software);
		g_byte_array_append(out, (const guint8 *)hello->software, software);
	}
	vpnr_put_u8(out, PARAM_MAX_STREAMS);
	vpnr_put_u8(out, 4);
	vpnr_put_u32(out, hello->max_streams);
	vpnr_put_u8(out, PARAM_INITIAL_WINDOW);
	vpnr_put_u8(out, 8);
	vpnr_put_u64(out, hello->initial_window);
	vpnr_put_u8(out, PARAM_CAPABILITIES);
	vpnr_put_u8(out, 4);
	vpnr_put_u32(out, hello->capabilities);
	if (hello->has_session)
		encode_session(hello, out);
	if (hello->has_origin)
		encode_origin(&hello->origin, out);
}

/* The software version goes to logs and terminals: nothing but printable ASCII gets that far. */
static const char *
decode_software(VpnrCursor *value, VpnrHello *hello)
{
	gsize n = value->left;
	const guint8 *bytes = vpnr_cursor_take(value, n);

	if (n < 1 || n > VPNR_SOFTWARE_MAX)
		return "HELLO's software version has a bad length";
	for (gsize i = 0; i < n; i++)
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return "HELLO's software version is not printable";
	memcpy(hello->software, bytes, n);
	hello->software[n] = '\0';
	return NULL;
}

static void
decode_session(VpnrCursor *value, VpnrHello *hello)
{
	const guint8 *bytes = vpnr_cursor_take(value, VPNR_SESSION_ID_SIZE);

	if (bytes == NULL)
		return; /* the cursor remembers */
	memcpy(hello->session.bytes, bytes, VPNR_SESSION_ID_SIZE);
	hello->has_session = TRUE;
}

static void
decode_origin(VpnrCursor *value, VpnrHello *hello)
{
	const guint8 *bytes = vpnr_cursor_take(value, VPNR_ORIGIN_CLIENT_SIZE);

	if (bytes == NULL)
		return; /* the cursor remembers */
	memcpy(hello->origin.client, bytes, VPNR_ORIGIN_CLIENT_SIZE);
	hello->origin.number = vpnr_cursor_u8(value);
	hello->has_origin = TRUE;
}

/* value spans exactly the bytes of the parameter. */
static const char *
decode_param(guint8 type, VpnrCursor *value, VpnrHello *hello)
{
	switch (type) {
	case PARAM_SOFTWARE:
		return decode_software(value, hello);
	case PARAM_MAX_STREAMS:
		hello->max_streams = vpnr_cursor_u32(value);
		break;
	case PARAM_INITIAL_WINDOW:
		hello->initial_window = vpnr_cursor_u64(value);
		break;
	case PARAM_CAPABILITIES:
		hello->capabilities = vpnr_cursor_u32(value);
		break;
	case PARAM_SESSION:
		decode_session(value, hello);
		break;
	case PARAM_RECEIVED:
		hello->received = vpnr_cursor_u64(value);
		break;
	case PARAM_ORIGIN:
		decode_origin(value, hello);
		break;
	default:
		return NULL;
	}
	if (!vpnr_cursor_done(value))
		return "HELLO has a parameter of the wrong length";
	if (hello->max_streams == 0)
		return "HELLO allows no streams";
	return NULL;
}

const char *
vpnr_hello_decode(const guint8 *bytes, gsize n, VpnrHello *hello)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint seen = 0;

	*hello = defaults;
	hello->version = vpnr_cursor_u8(&cursor);
	if (!vpnr_cursor_ok(&cursor))
		return "HELLO is empty";
	if (hello->version != VPNR_HELLO_VERSION)
		return "HELLO has an unknown version";

	while (!vpnr_cursor_done(&cursor)) {
		guint8 type = vpnr_cursor_u8(&cursor);
		guint8 size = vpnr_cursor_u8(&cursor);
		VpnrCursor value = vpnr_cursor_init(vpnr_cursor_take(&cursor, size), size);
		const char *why;

		if (!vpnr_cursor_ok(&cursor))
			return "HELLO ends inside a parameter";
		if (type <= PARAM_LAST && (seen & 1u << type) != 0)
			return "HELLO has a parameter twice";
		if (type <= PARAM_LAST)
			seen |= 1u << type;
		why = decode_param(type, &value, hello);
		if (why != NULL)
			return why;
	}
	/* Neither means anything alone, and a position that was taken for 0 by default would have
	 * the peer send again what has come. */
	if ((seen & 1u << PARAM_SESSION) == 0 && (seen & 1u << PARAM_RECEIVED) != 0)
		return "HELLO has received frames of no session";
	if ((seen & 1u << PARAM_SESSION) != 0 && (seen & 1u << PARAM_RECEIVED) == 0)
		return "HELLO does not say what it has received of its session";
	return NULL;
}
