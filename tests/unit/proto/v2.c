/* SPDX-License-Identifier: MIT
 *
 * Goal: the frames of VPNr/2 are read and written as docs/protocol.md, 2.2, says, against the
 * vectors of 2.12 and 2.13.
 */
#include "proto/v2.h"

#include <string.h>

#include "tests/unit/proto/document.h"
#include "proto/bytes.h"
#include "proto/hello.h"

static VpnrFrame *
hello(guint32 max_streams, const char *software)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);
	VpnrHello message = { .version = VPNR_HELLO_VERSION,
			      .max_streams = max_streams,
			      .initial_window = 65536 };

	g_strlcpy(message.software, software, sizeof message.software);
	frame->hello = vpnr_hello_copy(&message);
	return frame;
}

static VpnrFrame *
hello_of_session(void)
{
	VpnrFrame *frame = hello(100, "vpnr 0.1.0");

	frame->hello->has_session = TRUE;
	for (guint8 i = 0; i < VPNR_SESSION_ID_SIZE; i++)
		frame->hello->session.bytes[i] = i;
	frame->hello->received = 4096;
	return frame;
}

static VpnrFrame *
hello_with_origin(void)
{
	VpnrFrame *frame = hello(100, "vpnr 0.1.0");

	frame->hello->has_origin = TRUE;
	for (guint8 i = 0; i < VPNR_ORIGIN_CLIENT_SIZE; i++)
		frame->hello->origin.client[i] = 0x10 + i;
	frame->hello->origin.number = 3;
	return frame;
}

static VpnrFrame *
goaway(VpnrReason reason)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	frame->reason = reason;
	return frame;
}

static VpnrFrame *
ping(VpnrFrameType type)
{
	VpnrFrame *frame = vpnr_frame_new(type, 0, 0);

	frame->cookie = 0x0102030405060708;
	return frame;
}

static VpnrFrame *
ack(guint64 count)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_ACK, 0, 0);

	frame->count = count;
	return frame;
}

static VpnrFrame *
open_to(guint32 stream, VpnrKind kind, guint8 priority, const char *host, guint16 port)
{
	VpnrAddr dest;
	VpnrFrame *frame;

	g_assert_true(vpnr_addr_from_host(host, strlen(host), port, &dest));
	frame = vpnr_frame_new_open(stream, kind, &dest);
	frame->open.priority = priority;
	return frame;
}

static VpnrFrame *
data(const char *text)
{
	gsize size = text != NULL ? strlen(text) : VPNR_DATA_MAX;
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, size);

	memset(frame->data, 'a', size);
	if (text != NULL)
		memcpy(frame->data, text, size);
	return frame;
}

static VpnrFrame *
datagram(const char *text)
{
	gsize size = text != NULL ? strlen(text) : VPNR_DATAGRAM_MAX;
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, 4, size);

	memset(frame->data, 'a', size);
	if (text != NULL)
		memcpy(frame->data, text, size);
	return frame;
}

static VpnrFrame *
hello_with_datagrams(void)
{
	VpnrFrame *frame = hello(100, "vpnr 0.1.0");

	frame->hello->capabilities = VPNR_CAPABILITY_DATAGRAM;
	return frame;
}

/* The frames of 2.12, in order. */
static GPtrArray *
expected_frames(void)
{
	GPtrArray *frames = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_frame_free);

	g_ptr_array_add(frames, hello(100, "vpnr 0.1.0"));
	g_ptr_array_add(frames, hello(100, "unknown"));
	g_ptr_array_add(frames, hello(7, "unknown"));
	g_ptr_array_add(frames, goaway(VPNR_REASON_NONE));
	g_ptr_array_add(frames, goaway(VPNR_REASON_PROTOCOL));
	g_ptr_array_add(frames, ping(VPNR_FRAME_PING));
	g_ptr_array_add(frames, ping(VPNR_FRAME_PONG));
	g_ptr_array_add(frames, open_to(1, VPNR_KIND_TCP, 0, "192.0.2.1", 80));
	g_ptr_array_add(frames, open_to(2, VPNR_KIND_TCP, 7, "2001:db8::1", 443));
	g_ptr_array_add(frames, open_to(3, VPNR_KIND_TCP, 0, "example.org", 443));
	g_ptr_array_add(frames, open_to(4, VPNR_KIND_UDP, 0, "192.0.2.53", 53));
	g_ptr_array_add(frames, vpnr_frame_new(VPNR_FRAME_OPENED, 1, 0));
	g_ptr_array_add(frames, data("hello"));
	g_ptr_array_add(frames, data(NULL));
	g_ptr_array_add(frames, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	g_ptr_array_add(frames, vpnr_frame_new_reset(G_MAXUINT32, VPNR_REASON_REFUSED));
	g_ptr_array_add(frames, vpnr_frame_new_reset(1, 99));
	g_ptr_array_add(frames, vpnr_frame_new_window(1, 131072));
	g_ptr_array_add(frames, ack(1000));
	g_ptr_array_add(frames, hello_of_session());
	g_ptr_array_add(frames, hello_with_datagrams());
	g_ptr_array_add(frames, open_to(5, VPNR_KIND_UDP, 0, "resolver.invalid", 53));
	g_ptr_array_add(frames, datagram("hello"));
	g_ptr_array_add(frames, datagram(""));
	g_ptr_array_add(frames, datagram(NULL));
	g_ptr_array_add(frames, hello_with_origin());
	g_ptr_array_add(frames, goaway(VPNR_REASON_REVOKED));
	g_ptr_array_add(frames, goaway(99));
	return frames;
}

static void
assert_same_hello(const VpnrHello *a, const VpnrHello *b)
{
	g_assert_cmpuint(a->version, ==, b->version);
	g_assert_cmpuint(a->capabilities, ==, b->capabilities);
	g_assert_cmpuint(a->max_streams, ==, b->max_streams);
	g_assert_cmpuint(a->initial_window, ==, b->initial_window);
	g_assert_cmpstr(a->software, ==, b->software);
	g_assert_cmpint(a->has_session, ==, b->has_session);
	g_assert_true(vpnr_session_id_equal(&a->session, &b->session));
	g_assert_cmpuint(a->received, ==, b->received);
	g_assert_cmpint(a->has_origin, ==, b->has_origin);
	g_assert_true(vpnr_origin_same_client(&a->origin, &b->origin));
	g_assert_cmpuint(a->origin.number, ==, b->origin.number);
}

static void
assert_same_dest(const VpnrFrame *a, const VpnrFrame *b)
{
	const VpnrAddr a_dest = vpnr_addr_unpack(a->open.dest);
	const VpnrAddr b_dest = vpnr_addr_unpack(b->open.dest);

	g_assert_true(vpnr_addr_equal(&a_dest, &b_dest));
}

static void
assert_same(const VpnrFrame *a, const VpnrFrame *b)
{
	g_assert_cmpint(a->type, ==, b->type);
	g_assert_cmpuint(a->stream, ==, b->stream);
	g_assert_cmpmem(a->data, a->size, b->data, b->size);
	switch (a->type) {
	case VPNR_FRAME_HELLO:
		assert_same_hello(a->hello, b->hello);
		break;
	case VPNR_FRAME_OPEN:
		assert_same_dest(a, b);
		g_assert_cmpint(a->open.kind, ==, b->open.kind);
		g_assert_cmpuint(a->open.priority, ==, b->open.priority);
		g_assert_cmpint(a->open.implied, ==, b->open.implied);
		break;
	case VPNR_FRAME_RESET:
	case VPNR_FRAME_GOAWAY:
		g_assert_cmpint(a->reason, ==, b->reason);
		break;
	case VPNR_FRAME_WINDOW:
	case VPNR_FRAME_PING:
	case VPNR_FRAME_PONG:
	case VPNR_FRAME_ACK:
		g_assert_cmphex(a->cookie, ==, b->cookie);
		break;
	default:
		break;
	}
}

/* The bytes around a header and around the end; every one in between would take too long. */
static gboolean
is_interesting(gsize n, gsize whole)
{
	return n < 300 || n + 2 > whole;
}

static void
check_decode(const GByteArray *vector, const VpnrFrame *wanted)
{
	for (gsize n = 0; n <= vector->len + 1; n++) {
		g_autofree guint8 *bytes = NULL;
		g_autoptr(VpnrFrame) frame = NULL;
		const char *why = NULL;
		gsize used = 99;
		VpnrDecode result;

		if (!is_interesting(n, vector->len))
			continue;
		bytes = g_malloc0(n);
		if (n > 0)
			memcpy(bytes, vector->data, MIN(n, vector->len));
		result = vpnr_v2_decode(bytes, n, &frame, &used, &why);
		if (n < vector->len) {
			g_assert_cmpint(result, ==, VPNR_DECODE_MORE);
			g_assert_null(frame);
			g_assert_cmpuint(used, ==, 0);
		} else {
			g_assert_cmpint(result, ==, VPNR_DECODE_OK);
			g_assert_cmpuint(used, ==, vector->len);
			assert_same(frame, wanted);
		}
	}
}

/* 2.12; 2.12.2 and 2.12.3 are HELLOs that this program reads and does not write. */
static void
test_vectors(void)
{
	g_autoptr(GPtrArray) frames = expected_frames();

	g_assert_cmpuint(document_count("2.12"), ==, frames->len);
	for (guint i = 0; i < frames->len; i++) {
		g_autoptr(GByteArray) vector = document_vector("2.12", i + 1);
		g_autoptr(GByteArray) out = g_byte_array_new();
		const VpnrFrame *frame = g_ptr_array_index(frames, i);

		g_test_message("2.12.%u", i + 1);
		check_decode(vector, frame);
		if (i == 1 || i == 2)
			continue;
		vpnr_put_u8(out, 0xff);
		vpnr_v2_encode(frame, out);
		g_assert_cmpmem(out->data + 1, out->len - 1, vector->data, vector->len);
	}
}

/* Those whose header alone says that they are wrong. */
static gboolean
has_bad_header(guint index)
{
	return index <= 7 || (index >= 32 && index <= 35);
}

/* 2.13; what the header does not show needs the message. */
static void
test_violations(void)
{
	guint n = document_count("2.13");

	g_assert_cmpuint(n, ==, 37);
	for (guint i = 1; i <= n; i++) {
		g_autoptr(GByteArray) vector = document_vector("2.13", i);
		VpnrFrame *frame = NULL;
		const char *why = NULL;
		gsize used;

		g_test_message("2.13.%u", i);
		g_assert_cmpint(vpnr_v2_decode(vector->data, VPNR_V2_HEADER, &frame, &used, &why),
				==, has_bad_header(i) ? VPNR_DECODE_BAD : VPNR_DECODE_MORE);
		g_assert_cmpint(vpnr_v2_decode(vector->data, vector->len, &frame, &used, &why), ==,
				VPNR_DECODE_BAD);
		g_assert_nonnull(why);
		g_assert_null(frame);
	}
}

/* Whether any size at all is allowed for this header. */
static gboolean
has_a_valid_size(guint8 type, guint8 stream)
{
	for (guint32 size = 0; size <= 512; size++) {
		guint8 header[] = { 0, (guint8)(size >> 8), (guint8)size, type, 0, 0, 0, stream };
		g_autoptr(VpnrFrame) frame = NULL;
		const char *why = NULL;
		gsize used;

		if (vpnr_v2_decode(header, sizeof header, &frame, &used, &why) != VPNR_DECODE_BAD)
			return TRUE;
	}
	return FALSE;
}

/* 2.2.2 and 2.2.3: types that exist, each in its scope only. */
static void
test_every_type(void)
{
	for (guint type = 0; type <= 255; type++) {
		gboolean of_link = type >= VPNR_FRAME_HELLO && type <= VPNR_FRAME_ACK;
		gboolean of_stream = type >= VPNR_FRAME_OPEN && type <= VPNR_FRAME_DATAGRAM;

		g_assert_cmpint(has_a_valid_size((guint8)type, 0), ==, of_link);
		g_assert_cmpint(has_a_valid_size((guint8)type, 1), ==, of_stream);
	}
}

/* The longest name of 2.2.9 makes the longest OPEN of 2.2.2. */
static void
test_longest_name(void)
{
	g_autofree char *label = g_strnfill(63, 'a');
	g_autofree char *name = g_strdup_printf("%s.%s.%s.%.61s", label, label, label, label);
	g_autoptr(VpnrFrame) frame = open_to(1, VPNR_KIND_TCP, 0, name, 1);
	g_autoptr(VpnrFrame) back = NULL;
	g_autoptr(GByteArray) out = g_byte_array_new();
	const char *why = NULL;
	gsize used;

	g_assert_cmpuint(strlen(name), ==, VPNR_NAME_MAX);
	vpnr_v2_encode(frame, out);
	g_assert_cmpuint(out->len, ==, VPNR_V2_HEADER + 259);
	g_assert_cmpint(vpnr_v2_decode(out->data, out->len, &back, &used, &why), ==,
			VPNR_DECODE_OK);
	assert_same(back, frame);
}

static VpnrFrame *
filled(VpnrFrameType type, guint32 stream, gsize size)
{
	VpnrFrame *frame = vpnr_frame_new(type, stream, size);

	for (gsize i = 0; i < size; i++)
		frame->data[i] = (guint8)(i * 7 >> 3);
	return frame;
}

/* What is encoded where it lies has the form that is appended, also if the frame has become
 * smaller; only long frames with data are. */
static void
test_in_place(void)
{
	static const struct {
		VpnrFrameType type;
		gsize room, size;
		gboolean is_long;
	} cases[] = {
		{ VPNR_FRAME_DATA, VPNR_DATA_MAX, VPNR_DATA_MAX, TRUE },
		{ VPNR_FRAME_DATA, VPNR_DATA_MAX, 5000, TRUE },
		{ VPNR_FRAME_DATA, VPNR_DATA_MAX, VPNR_V2_LONG, TRUE },
		{ VPNR_FRAME_DATA, VPNR_DATA_MAX, VPNR_V2_LONG - 1, FALSE },
		{ VPNR_FRAME_DATAGRAM, VPNR_DATAGRAM_MAX, VPNR_DATAGRAM_MAX, TRUE },
		{ VPNR_FRAME_DATAGRAM, VPNR_V2_LONG, 0, FALSE },
		{ VPNR_FRAME_FIN, 0, 0, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VpnrFrame) frame = filled(cases[i].type, 0x12345678, cases[i].room);
		g_autoptr(GByteArray) out = g_byte_array_new();
		const guint8 *bytes;
		gsize n;

		frame->size = (guint32)cases[i].size;
		vpnr_v2_encode(frame, out);
		for (guint times = 0; times < 2; times++) {
			bytes = vpnr_v2_encode_in_place(frame, &n);
			g_assert_cmpint(bytes != NULL, ==, cases[i].is_long);
			if (bytes != NULL)
				g_assert_cmpmem(bytes, n, out->data, out->len);
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/v2/vectors", test_vectors);
	g_test_add_func("/proto/v2/violations", test_violations);
	g_test_add_func("/proto/v2/every-type", test_every_type);
	g_test_add_func("/proto/v2/longest-name", test_longest_name);
	g_test_add_func("/proto/v2/in-place", test_in_place);
	return g_test_run();
}
