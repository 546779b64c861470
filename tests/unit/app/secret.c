/* SPDX-License-Identifier: MIT
 *
 * secret: what is taken out of a text, what is left of it, and files of all sizes.
 */
#include "app/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* RFC 8032, section 7.1, tests 1 and 2 */
#define KEY_A "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define KEY_B "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs="
#define STARS "********************************************"

static void
test_take(void)
{
	static const struct {
		const char *text;
		const char *left;
		const char *secret; /* NULL: none */
	} rows[] = {
		{ "", "", NULL },
		{ "private-key", "private-key", NULL },
		{ "private-key = " KEY_A, "private-key = " STARS, KEY_A },
		{ "[client]\r\n\tprivate-key=" KEY_A " \r\nserver = a\n",
		  "[client]\r\n\tprivate-key=" STARS " \r\nserver = a\n", KEY_A },
		{ "private-key = " KEY_A "\nprivate-key = " KEY_B "\n",
		  "private-key = " STARS "\nprivate-key = " STARS "\n", KEY_A },
		{ "private-key = a b\nprivate-key = " KEY_B "\n",
		  "private-key = * *\nprivate-key = " STARS "\n", NULL },
		{ "private-key =\n" KEY_A "\n", "private-key =\n" KEY_A "\n", NULL },
		{ "PrivateKey = " KEY_A "\n", "PrivateKey = " STARS "\n", NULL },
		{ "private_key=" KEY_A "\n", "private_key=" STARS "\n", NULL },
		{ "private-key: " KEY_A "\n", "private-key* " STARS "\n", NULL },
		{ "private-key " KEY_A, "private-key " STARS, NULL },
		{ "private-key-file = a.key\n", "private-key-file = a.key\n", NULL },
		{ "public-key = " KEY_A "\n", "public-key = " KEY_A "\n", NULL },
		{ "# private-key = " KEY_A "\n", "# private-key = " KEY_A "\n", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup(rows[i].text);
		char buf[VPNR_KEY_STRLEN];
		VpnrKey key;

		gboolean taken = vpnr_secret_take(text, strlen(text), &key);
		g_assert_cmpstr(text, ==, rows[i].left);
		g_assert_cmpint(taken, ==, rows[i].secret != NULL);
		if (taken)
			g_assert_cmpstr(vpnr_key_format(&key, buf), ==, rows[i].secret);
	}
}

static void
test_take_bytes(void)
{
	char text[] = "private-key = \xff\0z\nx";
	VpnrKey key;

	g_test_summary("A text is n bytes, whatever they are.");
	g_assert_false(vpnr_secret_take(text, sizeof text - 1, &key));
	g_assert_cmpmem(text, sizeof text, "private-key = ***\nx", 20);
	g_assert_false(vpnr_secret_take(text, 5, &key));
}

static void
test_meant(void)
{
	g_assert_true(vpnr_secret_is_meant("private-key"));
	g_assert_true(vpnr_secret_is_meant("PrivateKey"));
	g_assert_false(vpnr_secret_is_meant("private-key-file"));
	g_assert_false(vpnr_secret_is_meant("public-key"));
	g_assert_false(vpnr_secret_is_meant(""));
}

/* An open file without a name that has this content. */
static int
make_file(const char *content, gsize n)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "vpnr-secret-XXXXXX", NULL);
	int fd = g_mkstemp(path);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(write(fd, content, n), ==, n);
	g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
	return fd;
}

static void
test_read(void)
{
	static const gsize sizes[] = { 0, 1, 16382, 16383, 16384, 16385, 70000 };
	g_autofree char *content = g_malloc(70000);

	for (gsize i = 0; i < 70000; i++)
		content[i] = (char)(i % 251);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_auto(VpnrFd) fd = make_file(content, sizes[i]);
		gsize n = 0;
		g_autofree char *text = vpnr_secret_read(fd, &n);

		g_assert_nonnull(text);
		g_assert_cmpmem(text, n, content, sizes[i]);
		g_assert_cmpint(text[n], ==, '\0');
	}
}

static void
test_read_fails(void)
{
	g_auto(VpnrFd) folder = open("/", O_RDONLY | O_CLOEXEC);
	g_auto(VpnrFd) endless = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	gsize n;

	g_assert_null(vpnr_secret_read(folder, &n));
	g_assert_cmpint(errno, ==, EISDIR);
	g_assert_null(vpnr_secret_read(endless, &n));
	g_assert_cmpint(errno, ==, EFBIG);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/secret/take", test_take);
	g_test_add_func("/secret/take-bytes", test_take_bytes);
	g_test_add_func("/secret/meant", test_meant);
	g_test_add_func("/secret/read", test_read);
	g_test_add_func("/secret/read-fails", test_read_fails);
	return g_test_run();
}
