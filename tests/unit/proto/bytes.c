/* SPDX-License-Identifier: MIT
 *
 * Goal: the cursor reads big-endian numbers, never past the end, and stays failed once it did.
 */
#include "proto/bytes.h"

#include <string.h>

static const guint8 counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 };

static void
test_numbers(void)
{
	VpnrCursor cursor = vpnr_cursor_init(counting, sizeof counting);

	g_assert_cmphex(vpnr_cursor_u8(&cursor), ==, 0x01);
	g_assert_cmphex(vpnr_cursor_u16(&cursor), ==, 0x0203);
	g_assert_cmphex(vpnr_cursor_u24(&cursor), ==, 0x040506);
	g_assert_cmphex(vpnr_cursor_u32(&cursor), ==, 0x0708090a);
	g_assert_false(vpnr_cursor_done(&cursor));
	g_assert_cmphex(vpnr_cursor_u64(&cursor), ==, 0x0b0c0d0e0f101112);
	g_assert_true(vpnr_cursor_done(&cursor));
}

static void
test_take(void)
{
	VpnrCursor cursor = vpnr_cursor_init(counting, sizeof counting);

	g_assert_true(vpnr_cursor_take(&cursor, 5) == counting);
	g_assert_true(vpnr_cursor_take(&cursor, 0) == counting + 5);
	g_assert_cmpuint(cursor.left, ==, sizeof counting - 5);
	g_assert_null(vpnr_cursor_take(&cursor, sizeof counting - 4));
	g_assert_false(vpnr_cursor_ok(&cursor));
}

/* A read that does not fit gives zero even if a part of it is there, and so do all after it, even
 * those that would fit. */
static void
test_past_the_end(void)
{
	VpnrCursor cursor = vpnr_cursor_init(counting, 3);

	g_assert_cmphex(vpnr_cursor_u32(&cursor), ==, 0);
	g_assert_false(vpnr_cursor_ok(&cursor));
	g_assert_cmphex(vpnr_cursor_u8(&cursor), ==, 0);
	g_assert_null(vpnr_cursor_take(&cursor, 0));
	g_assert_false(vpnr_cursor_done(&cursor));
}

static void
test_huge_take(void)
{
	VpnrCursor cursor = vpnr_cursor_init(counting, sizeof counting);

	vpnr_cursor_u8(&cursor);
	g_assert_null(vpnr_cursor_take(&cursor, G_MAXSIZE));
	g_assert_false(vpnr_cursor_ok(&cursor));
}

static void
test_empty(void)
{
	VpnrCursor cursor = vpnr_cursor_init(NULL, 0);

	g_assert_true(vpnr_cursor_done(&cursor));
	g_assert_null(vpnr_cursor_take(&cursor, 0));
	g_assert_true(vpnr_cursor_ok(&cursor));
	g_assert_cmphex(vpnr_cursor_u8(&cursor), ==, 0);
	g_assert_false(vpnr_cursor_ok(&cursor));
}

static void
test_put(void)
{
	g_autoptr(GByteArray) out = g_byte_array_new();

	vpnr_put_u8(out, 0x01);
	vpnr_put_u16(out, 0x0203);
	vpnr_put_u24(out, 0x040506);
	vpnr_put_u32(out, 0x0708090a);
	vpnr_put_u64(out, 0x0b0c0d0e0f101112);
	g_assert_cmpmem(out->data, out->len, counting, sizeof counting);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/bytes/numbers", test_numbers);
	g_test_add_func("/proto/bytes/take", test_take);
	g_test_add_func("/proto/bytes/past-the-end", test_past_the_end);
	g_test_add_func("/proto/bytes/huge-take", test_huge_take);
	g_test_add_func("/proto/bytes/empty", test_empty);
	g_test_add_func("/proto/bytes/put", test_put);
	return g_test_run();
}
