/* SPDX-License-Identifier: MIT
 *
 * bytes: one bounded cursor for all parsing, and writers that append; big-endian.
 *
 * Reading past the end makes the cursor fail: it stays failed, and every later read gives zero or
 * NULL. So a decoder reads all its fields first and asks vpnr_cursor_ok() once.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const guint8 *bytes; /* not owned */
	gsize left;
	gboolean failed;
} VpnrCursor;

/* A cursor at the start of n bytes. */
VpnrCursor vpnr_cursor_init(const guint8 *bytes, gsize n);

/* The big-endian number in the next 1, 2, 3, 4 or 8 bytes. */
guint8 vpnr_cursor_u8(VpnrCursor *cursor);
guint16 vpnr_cursor_u16(VpnrCursor *cursor);
guint32 vpnr_cursor_u24(VpnrCursor *cursor);
guint32 vpnr_cursor_u32(VpnrCursor *cursor);
guint64 vpnr_cursor_u64(VpnrCursor *cursor);

/* n bytes in place (transfer none, valid as long as the buffer), or NULL. */
const guint8 *vpnr_cursor_take(VpnrCursor *cursor, gsize n);

/* TRUE if nothing failed. */
gboolean vpnr_cursor_ok(const VpnrCursor *cursor);

/* TRUE if nothing failed and nothing is left. */
gboolean vpnr_cursor_done(const VpnrCursor *cursor);

/* Append value in 1, 2, 3 (its low 24 bits), 4 or 8 bytes. */
void vpnr_put_u8(GByteArray *out, guint8 value);
void vpnr_put_u16(GByteArray *out, guint16 value);
void vpnr_put_u24(GByteArray *out, guint32 value);
void vpnr_put_u32(GByteArray *out, guint32 value);
void vpnr_put_u64(GByteArray *out, guint64 value);

G_END_DECLS
