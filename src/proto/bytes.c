/* SPDX-License-Identifier: MIT
 *
 * bytes: the cursor that every decoder reads with, and the writers that every encoder appends with.
 *
 * Pure: any thread. No other file of this program takes a number out of a peer's bytes.
 */
#include "proto/bytes.h"

VpnrCursor
vpnr_cursor_init(const guint8 *bytes, gsize n)
{
	return (VpnrCursor){ .bytes = bytes, .left = n };
}

const guint8 *
vpnr_cursor_take(VpnrCursor *cursor, gsize n)
{
	const guint8 *taken = cursor->bytes;

	if (cursor->failed || n > cursor->left) {
		cursor->failed = TRUE;
		return NULL;
	}
	/* An empty buffer may be NULL, and C does not allow NULL + 0. */
	if (n > 0)
		cursor->bytes += n;
	cursor->left -= n;
	return taken;
}

/* The big-endian number in the next n bytes, n <= 8; 0 if they are not there. */
static guint64
take_number(VpnrCursor *cursor, gsize n)
{
	const guint8 *bytes = vpnr_cursor_take(cursor, n);
	guint64 value = 0;

	if (bytes == NULL)
		return 0;
	for (gsize i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

guint8
vpnr_cursor_u8(VpnrCursor *cursor)
{
	return (guint8)take_number(cursor, 1);
}

guint16
vpnr_cursor_u16(VpnrCursor *cursor)
{
	return (guint16)take_number(cursor, 2);
}

guint32
vpnr_cursor_u24(VpnrCursor *cursor)
{
	return (guint32)take_number(cursor, 3);
}

guint32
vpnr_cursor_u32(VpnrCursor *cursor)
{
	return (guint32)take_number(cursor, 4);
}

guint64
vpnr_cursor_u64(VpnrCursor *cursor)
{
	return take_number(cursor, 8);
}

gboolean
vpnr_cursor_ok(const VpnrCursor *cursor)
{
	return !cursor->failed;
}

gboolean
vpnr_cursor_done(const VpnrCursor *cursor)
{
	return !cursor->failed && cursor->left == 0;
}

/* Appends the low n bytes of value, n <= 8. */
static void
put_number(GByteArray *out, guint64 value, guint n)
{
	guint8 bytes[8];

	for (guint i = 0; i < n; i++)
		bytes[i] = (guint8)(value >> 8 * (n - 1 - i));
	g_byte_array_append(out, bytes, n);
}

void
vpnr_put_u8(GByteArray *out, guint8 value)
{
	put_number(out, value, 1);
}

void
vpnr_put_u16(GByteArray *out, guint16 value)
{
	put_number(out, value, 2);
}

void
vpnr_put_u24(GByteArray *out, guint32 value)
{
	put_number(out, value, 3);
}

void
vpnr_put_u32(GByteArray *out, guint32 value)
{
	put_number(out, value, 4);
}

void
vpnr_put_u64(GByteArray *out, guint64 value)
{
	put_number(out, value, 8);
}
