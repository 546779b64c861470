/* SPDX-License-Identifier: MIT
 *
 * replay: the main() of the fuzz targets in a build without libFuzzer: it feeds the target every
 * file that its arguments name, and every file of the folders that they name. Options ("-runs=0")
 * are libFuzzer's and ignored, so both builds are called alike.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/target.h"

/* The data is copied to a block of its own size, so that ASan and valgrind see a read past its
 * end, which they would not see past the NUL that GLib appends. */
static gboolean
replay_file(const char *path)
{
	g_autofree char *contents = NULL;
	g_autofree guint8 *data = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;

	if (!g_file_get_contents(path, &contents, &size, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return FALSE;
	}
	data = g_memdup2(contents, size);
	LLVMFuzzerTestOneInput(data, size);
	return TRUE;
}

static gboolean
replay_folder(const char *path, guint *n)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const char *name;

	if (dir == NULL) {
		fprintf(stderr, "%s\n", error->message);
		return FALSE;
	}
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (!replay_file(file))
			return FALSE;
		(*n)++;
	}
	return TRUE;
}

int
main(int argc, char **argv)
{
	guint n = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (g_file_test(argv[i], G_FILE_TEST_IS_DIR)) {
			if (!replay_folder(argv[i], &n))
				return EXIT_FAILURE;
		} else {
			if (!replay_file(argv[i]))
				return EXIT_FAILURE;
			n++;
		}
	}
	printf("%u inputs\n", n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
