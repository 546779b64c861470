/* SPDX-License-Identifier: MIT
 *
 * keys: against the vectors of RFC 8032, and the files that are refused.
 */
#include "app/keys.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* A 32-bit program meets longer numbers, too: its kernel may be one of 64 bits. */
G_STATIC_ASSERT(sizeof((struct stat){ 0 }.st_ino) == 8);
G_STATIC_ASSERT(sizeof(off_t) == 8);

/* RFC 8032, section 7.1, tests 1 to 3, in base64. */
static const struct {
	const char *private_key;
	const char *public_key;
} vectors[] = {
	{ "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
	  "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
	{ "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=",
	  "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=" },
	{ "xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc=",
	  "/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=" },
};

/* A file with this text and mode in a folder of its own; the path (transfer full). */
static char *
make_file(const char *text, mode_t mode)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-keys-XXXXXX", NULL);
	char *path = g_build_filename(folder, "test.key", NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_assert_cmpint(chmod(path, mode), ==, 0);
	return path;
}

static void
drop_file(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);

	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_vectors(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
		VpnrKey private_key;
		VpnrKey public_key;
		char buf[VPNR_KEY_STRLEN];
		g_autoptr(GError) error = NULL;

		g_assert_true(vpnr_key_parse(vectors[i].private_key, &private_key));
		g_assert_true(vpnr_keys_derive_public(&private_key, &public_key, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(vpnr_key_format(&public_key, buf), ==, vectors[i].public_key);
	}
}

static void
test_generate(void)
{
	VpnrKey a = { 0 };
	VpnrKey b = { 0 };
	VpnrKey zero = { 0 };
	VpnrKey public_key;

	g_assert_true(vpnr_keys_generate(&a, NULL));
	g_assert_true(vpnr_keys_generate(&b, NULL));
	g_assert_false(vpnr_key_equal(&a, &b));
	g_assert_false(vpnr_key_equal(&a, &zero));
	g_assert_true(vpnr_keys_derive_public(&a, &public_key, NULL));
	g_assert_false(vpnr_key_equal(&a, &public_key));
}

static void
test_load(void)
{
	g_autofree char *text = g_strdup_printf(" %s \n", vectors[0].private_key);
	g_autofree char *path = make_file(text, 0400);
	g_autoptr(GError) error = NULL;
	char buf[VPNR_KEY_STRLEN];
	VpnrKey key;

	g_assert_true(vpnr_keys_load_private(path, &key, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(vpnr_key_format(&key, buf), ==, vectors[0].private_key);
	drop_file(path);
}

static void
test_load_mode(void)
{
	static const mode_t modes[] = { 0640, 0604, 0610, 0601, 0620, 0644 };

	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autofree char *path = make_file(vectors[0].private_key, modes[i]);
		g_autofree char *octal = g_strdup_printf("%04o", (unsigned)modes[i]);
		g_autoptr(GError) error = NULL;
		VpnrKey key;

		g_assert_false(vpnr_keys_load_private(path, &key, &error));
		g_assert_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_PERMISSION);
		g_assert_nonnull(strstr(error->message, path));
		g_assert_nonnull(strstr(error->message, octal));
		drop_file(path);
	}
}

static void
test_load_folder(void)
{
	g_autofree char *folder = g_dir_make_tmp("vpnr-keys-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;
	VpnrKey key;

	g_test_summary("Nobody is advised to take the right to enter from a folder.");
	g_assert_cmpint(chmod(folder, 0755), ==, 0);
	g_assert_false(vpnr_keys_load_private(folder, &key, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
	g_assert_nonnull(strstr(error->message, folder));
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_load_no_file(void)
{
	g_autofree char *path = make_file("", 0600);
	const char *const paths[] = { path, "/dev/null", "/dev/zero" };

	g_test_summary("Nobody waits for the other end of a FIFO, nor is told to change the mode "
		       "of a device.");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;
		VpnrKey key;

		g_assert_false(vpnr_keys_load_private(paths[i], &key, &error));
		g_assert_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, paths[i]));
		g_assert_nonnull(strstr(error->message, "no regular file"));
	}
	drop_file(path);
}

static void
test_load_invalid(void)
{
	g_autofree char *twice =
	    g_strdup_printf("%s\n%s\n", vectors[0].private_key, vectors[1].private_key);
	g_autofree char *padded = g_strdup_printf("%s%*s", vectors[0].private_key, 200, "");
	const char *const texts[] = { "", "\n", "secret", twice, padded };

	g_test_summary("What is in the file is never quoted: it may be a key with a slip.");
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *path = make_file(texts[i], 0600);
		g_autoptr(GError) error = NULL;
		VpnrKey key;

		g_assert_false(vpnr_keys_load_private(path, &key, &error));
		g_assert_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, path));
		g_assert_null(strstr(error->message, "secret"));
		g_assert_null(strstr(error->message, vectors[0].private_key));
		drop_file(path);
	}
}

static void
test_load_missing(void)
{
	g_autoptr(GError) error = NULL;
	VpnrKey key;

	g_assert_false(vpnr_keys_load_private("/nonexistent/vpnr.key", &key, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	g_assert_nonnull(strstr(error->message, "/nonexistent/vpnr.key"));
	g_clear_error(&error);

	g_assert_false(vpnr_keys_load_private("/proc/self", &key, &error));
	g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keys/vectors", test_vectors);
	g_test_add_func("/keys/generate", test_generate);
	g_test_add_func("/keys/load", test_load);
	g_test_add_func("/keys/load/mode", test_load_mode);
	g_test_add_func("/keys/load/folder", test_load_folder);
	g_test_add_func("/keys/load/no-file", test_load_no_file);
	g_test_add_func("/keys/load/invalid", test_load_invalid);
	g_test_add_func("/keys/load/missing", test_load_missing);
	return g_test_run();
}
