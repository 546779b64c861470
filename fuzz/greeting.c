/* SPDX-License-Identifier: MIT
 *
 * Target: the beginning of a link, of a peer that may say anything: HELLO, and what comes behind it
 * (docs/protocol.md, 2.5 and 2.11). How the network cuts it makes no difference, and nothing of it
 * is lost between the greeting and the link.
 *
 * What comes behind HELLO goes to the decoder, as the target v2 has it, and to threads: a session
 * without its writer and reader does nothing. So ACKs of any count are left to the unit tests.
 *
 * Input: how to cut (1 byte), bytes of the connection.
 */
#include "link/greeting.h"

#include <string.h>

#include "fuzz/pieces.h"
#include "fuzz/target.h"
#include "proto/v2.h"

/* A transport that has received the input and then the end. */
typedef struct {
	VpnrTransport base;
	const guint8 *bytes;
	gsize left;
	guint8 seed;
} Source;

static gssize
source_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	Source *source = (Source *)transport;
	gsize piece;

	if (source->left == 0)
		return VPNR_TRANSPORT_END;
	piece = MIN(piece_size(&source->seed, source->left), n);
	memcpy(bytes, source->bytes, piece);
	source->bytes += piece;
	source->left -= piece;
	return (gssize)piece;
}

static const VpnrTransportClass source_class = { .recv = source_recv };

/* Appends to behind all that follows HELLO. FALSE with an error as vpnr_greeting_receive() does. */
static gboolean
greet(const guint8 *data, gsize size, guint8 seed, VpnrHello *hello, GByteArray *behind,
      GError **error)
{
	Source source = { .base = { .class = &source_class, .fd = -1 },
			  .bytes = data,
			  .left = size,
			  .seed = seed };

	if (!vpnr_greeting_receive(&source.base, hello, behind, VPNR_GREETING_TIMEOUT_MS, -1,
				   error))
		return FALSE;
	g_byte_array_append(behind, source.bytes, (guint)source.left);
	return TRUE;
}

/* A HELLO that was taken is what the decoder finds in all the bytes at once. */
static void
check(const guint8 *data, gsize size, const VpnrHello *hello, const GByteArray *behind)
{
	g_autoptr(VpnrFrame) frame = NULL;
	const char *why = NULL;
	gsize used = 0;

	g_assert_cmpint(vpnr_v2_decode(data, size, &frame, &used, &why), ==, VPNR_DECODE_OK);
	g_assert_cmpint(frame->type, ==, VPNR_FRAME_HELLO);
	g_assert_cmpstr(frame->hello->software, ==, hello->software);
	g_assert_cmpuint(frame->hello->received, ==, hello->received);
	g_assert_cmpint(frame->hello->has_session, ==, hello->has_session);
	g_assert(vpnr_session_id_equal(&frame->hello->session, &hello->session));
	g_assert_cmpuint(behind->len, ==, size - used);
	g_assert(behind->len == 0 || memcmp(behind->data, data + used, behind->len) == 0);
}

/* TRUE if there was a HELLO. */
static gboolean
try_once(const guint8 *data, gsize size, guint8 seed)
{
	g_autoptr(GByteArray) behind = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	VpnrHello hello;

	if (!greet(data, size, seed, &hello, behind, &error)) {
		g_assert(error->domain == VPNR_GREETING_ERROR);
		return FALSE;
	}
	check(data, size, &hello, behind);
	return TRUE;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	if (size < 1)
		return 0;
	g_assert_cmpint(try_once(data + 1, size - 1, 0), ==, try_once(data + 1, size - 1, data[0]));
	return 0;
}
