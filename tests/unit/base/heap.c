/* SPDX-License-Identifier: MIT
 *
 * heap: lists are malloc's, and what is free goes back to the system.
 */
#include "base/heap.h"

#include <malloc.h>

#define BLOCKS 4096
#define BLOCK  4096

/* GLib since 2.76 has no slices and no settings for them. */
static void
test_slices(void)
{
	vpnr_heap_prepare();
	if (glib_check_version(2, 76, 0) == NULL) {
		g_test_skip("this GLib has no slices");
		return;
	}
	G_GNUC_BEGIN_IGNORE_DEPRECATIONS
	g_assert_cmpint(g_slice_get_config(G_SLICE_CONFIG_ALWAYS_MALLOC), ==, TRUE);
	G_GNUC_END_IGNORE_DEPRECATIONS
}

static gsize
resident(void)
{
	g_autofree char *statm = NULL;
	g_auto(GStrv) fields = NULL;

	g_assert_true(g_file_get_contents("/proc/self/statm", &statm, NULL, NULL));
	fields = g_strsplit(statm, " ", 3);
	return g_ascii_strtoull(fields[1], NULL, 10) * 4096;
}

/* The last block keeps malloc from giving back by itself. */
static void
test_trim(void)
{
	static char *blocks[BLOCKS];
	gsize before;

	for (guint i = 0; i < BLOCKS; i++)
		blocks[i] = g_malloc0(BLOCK);
	for (guint i = 0; i < BLOCKS - 1; i++)
		g_free(blocks[i]);
	before = resident();
	vpnr_heap_trim();
	if (before - resident() < BLOCKS * BLOCK / 2)
		g_test_skip("not the allocator of the C library");
	g_free(blocks[BLOCKS - 1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary("The heap is malloc's, and what is free in it goes back to the system.");
	g_test_add_func("/heap/slices", test_slices);
	g_test_add_func("/heap/trim", test_trim);
	return g_test_run();
}
