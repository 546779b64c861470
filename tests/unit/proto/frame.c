/* SPDX-License-Identifier: MIT
 *
 * Goal: a new frame holds what it was made of, trimming it keeps that, freeing it frees what it
 * owns, and every type and reason has a name of its own.
 */
#include "proto/frame.h"

#include <malloc.h>
#include <string.h>

#include "proto/hello.h"

static void
test_new_data(void)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_DATA, 7, VPNR_DATA_MAX);

	g_assert_cmpint(frame->type, ==, VPNR_FRAME_DATA);
	g_assert_cmpuint(frame->stream, ==, 7);
	g_assert_cmpuint(frame->size, ==, VPNR_DATA_MAX);
	memset(frame->data, 0xff, VPNR_DATA_MAX);
}

static void
test_new_datagram(void)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, 7, VPNR_DATAGRAM_MAX);
	g_autoptr(VpnrFrame) empty = vpnr_frame_new(VPNR_FRAME_DATAGRAM, 7, 0);

	g_assert_cmpuint(frame->size, ==, VPNR_DATAGRAM_MAX);
	memset(frame->data, 0xff, VPNR_DATAGRAM_MAX);
	g_assert_cmpuint(empty->size, ==, 0);
	g_assert_false(empty->outbound);
}

static void
test_new_without_data(void)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_PING, 0, 0);

	g_assert_cmpuint(frame->size, ==, 0);
	g_assert_cmpuint(frame->cookie, ==, 0);
	g_assert_false(frame->answer);
	g_assert_false(frame->behind_data);
}

/* A frame's data has one bound, whoever asks for it. */
static void
test_new_too_large(void)
{
	if (g_test_subprocess()) {
		vpnr_frame_free(vpnr_frame_new(VPNR_FRAME_DATA, 1, VPNR_DATA_MAX + 1));
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*VPNR_DATA_MAX*");
}

static void
test_new_open(void)
{
	const VpnrAddr dest = { .type = VPNR_ADDR_NAME, .port = 443, .name = "example.org" };
	g_autoptr(VpnrFrame) frame = vpnr_frame_new_open(3, VPNR_KIND_UDP, &dest);
	VpnrAddr copy = vpnr_addr_unpack(frame->open.dest);

	g_assert_cmpint(frame->type, ==, VPNR_FRAME_OPEN);
	g_assert_cmpuint(frame->stream, ==, 3);
	g_assert_cmpint(frame->open.kind, ==, VPNR_KIND_UDP);
	g_assert_cmpuint(frame->open.priority, ==, 0);
	g_assert_false(frame->open.implied);
	g_assert_cmpstr(copy.name, ==, "example.org");
	g_assert_cmpuint(copy.port, ==, 443);
}

static void
test_new_others(void)
{
	g_autoptr(VpnrFrame) reset = vpnr_frame_new_reset(3, VPNR_REASON_DENIED);
	g_autoptr(VpnrFrame) window = vpnr_frame_new_window(4, G_MAXUINT64);

	g_assert_cmpint(reset->type, ==, VPNR_FRAME_RESET);
	g_assert_cmpuint(reset->stream, ==, 3);
	g_assert_cmpint(reset->reason, ==, VPNR_REASON_DENIED);
	g_assert_cmpint(window->type, ==, VPNR_FRAME_WINDOW);
	g_assert_cmpuint(window->stream, ==, 4);
	g_assert_cmpuint(window->limit, ==, G_MAXUINT64);
}

/* The leak checker is the judge of the first, the test itself of the second. */
static void
test_trim(void)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 7, VPNR_DATA_MAX);
	g_autoptr(VpnrFrame) trimmed = NULL;

	memcpy(frame->data, "hello", 5);
	frame->size = 5;
	trimmed = vpnr_frame_trim(frame);
	g_assert_cmpint(trimmed->type, ==, VPNR_FRAME_DATA);
	g_assert_cmpuint(trimmed->stream, ==, 7);
	g_assert_cmpmem(trimmed->data, trimmed->size, "hello", 5);
	g_assert_cmpuint(malloc_usable_size(trimmed), <, VPNR_DATA_MAX);
}

static void
test_free(void)
{
	VpnrHello hello = { .version = VPNR_HELLO_VERSION, .max_streams = 1 };
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);

	frame->hello = vpnr_hello_copy(&hello);
	g_assert_true(frame->hello != &hello);
	g_assert_cmpuint(frame->hello->max_streams, ==, 1);
	vpnr_frame_free(frame);
	vpnr_frame_free(vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0));
	vpnr_frame_free(vpnr_frame_new(VPNR_FRAME_OPEN, 1, 0));
	vpnr_frame_free(NULL);
}

/* 2.11.1: the types of streams but DATAGRAM; what only the writer sees is not one of them. */
static void
test_is_sequenced(void)
{
	for (guint type = 0; type <= 300; type++) {
		const VpnrFrame frame = { .type = type };

		g_assert_cmpint(vpnr_frame_is_sequenced(&frame), ==, type >= 16 && type <= 21);
	}
}

/* Counts the names that name() gives for 0 to 300, and asserts that none occurs twice. */
static guint
count_names(const char *(*name)(guint value), const char *unknown)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint value = 0; value <= 300; value++) {
		const char *text = name(value);

		g_assert_nonnull(text);
		if (strcmp(text, unknown) != 0)
			g_assert_true(g_hash_table_add(names, (gpointer)text));
	}
	return g_hash_table_size(names);
}

static const char *
type_name(guint value)
{
	return vpnr_frame_type_name(value);
}

static const char *
reason_text(guint value)
{
	return vpnr_reason_text(value);
}

static void
test_names(void)
{
	g_assert_cmpstr(vpnr_protocol_name(VPNR_PROTOCOL_V2), ==, "2");
	g_assert_cmpstr(vpnr_protocol_name(VPNR_PROTOCOL_V1), ==, "1");
	g_assert_cmpstr(vpnr_protocol_name(VPNR_PROTOCOL_V1_RUST), ==, "1-rust");
	g_assert_cmpuint(count_names(type_name, "?"), ==, 15);
	g_assert_cmpstr(vpnr_frame_type_name(VPNR_FRAME_GOAWAY), ==, "GOAWAY");
	g_assert_cmpstr(vpnr_frame_type_name(VPNR_FRAME_END), ==, "END");
	g_assert_cmpuint(count_names(reason_text, "unknown reason"), ==, 12);
	g_assert_cmpstr(vpnr_reason_text(VPNR_REASON_REFUSED), ==, "connection refused");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/frame/new-data", test_new_data);
	g_test_add_func("/proto/frame/new-datagram", test_new_datagram);
	g_test_add_func("/proto/frame/new-without-data", test_new_without_data);
	g_test_add_func("/proto/frame/new-too-large", test_new_too_large);
	g_test_add_func("/proto/frame/new-open", test_new_open);
	g_test_add_func("/proto/frame/new-others", test_new_others);
	g_test_add_func("/proto/frame/trim", test_trim);
	g_test_add_func("/proto/frame/free", test_free);
	g_test_add_func("/proto/frame/is-sequenced", test_is_sequenced);
	g_test_add_func("/proto/frame/names", test_names);
	return g_test_run();
}
