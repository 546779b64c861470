/* SPDX-License-Identifier: MIT
 *
 * settings_confine: user and seccomp, and what is refused.
 */
#include "app/settings_confine.h"

#include <string.h>

static gboolean
read_from(const VpnrKeyfile *file, VpnrConfineSettings *settings, GError **error)
{
	const VpnrSection section = { file, "server" };

	return vpnr_settings_confine_read(&section, settings, error);
}

static void
test_values(void)
{
	static const char text[] = "[server]\nuser = no-such-user\nseccomp = no\n";
	g_autoptr(VpnrKeyfile) empty = vpnr_keyfile_parse("", 0, "/", NULL);
	g_autoptr(VpnrKeyfile) full = vpnr_keyfile_parse(text, strlen(text), "/", NULL);
	VpnrConfineSettings settings = { 0 };

	g_assert_true(read_from(empty, &settings, NULL));
	g_assert_null(settings.user);
	g_assert_true(settings.seccomp);
	g_assert_true(read_from(full, &settings, NULL));
	g_assert_cmpstr(settings.user, ==, "no-such-user");
	g_assert_false(settings.seccomp);
	vpnr_confine_settings_clear(&settings);
	g_assert_null(settings.user);
}

/* Who is on this machine is asked only for a file of this machine. */
static void
test_unknown_user(void)
{
	static const char text[] = "[server]\nuser = no-such-user\n";
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_preview("/x.conf", text, strlen(text), NULL);
	g_autoptr(GError) error = NULL;
	VpnrConfineSettings settings = { 0 };

	g_assert_false(read_from(file, &settings, &error));
	g_assert_nonnull(strstr(error->message, "/x.conf: [server] user"));
	g_assert_nonnull(strstr(error->message, "\"no-such-user\""));
	vpnr_confine_settings_clear(&settings);
}

static void
test_refused(void)
{
	static const char *const texts[] = { "[server]\nseccomp = maybe\n", "[server]\nuser =\n",
					     "[server]\nseccomp =\n" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(VpnrKeyfile) file =
		    vpnr_keyfile_parse(texts[i], strlen(texts[i]), "/", NULL);
		g_autoptr(GError) error = NULL;
		VpnrConfineSettings settings = { 0 };

		g_assert_false(read_from(file, &settings, &error));
		g_assert_nonnull(strstr(error->message, "[server]"));
		vpnr_confine_settings_clear(&settings);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary("who the program becomes, and whether system calls are filtered");
	g_test_add_func("/settings_confine/values", test_values);
	g_test_add_func("/settings_confine/unknown-user", test_unknown_user);
	g_test_add_func("/settings_confine/refused", test_refused);
	return g_test_run();
}
