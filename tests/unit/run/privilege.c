/* SPDX-License-Identifier: MIT
 *
 * privilege: nothing is left, and nothing comes back.
 */
#include "run/privilege.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/run/apart.h"

/* As /proc/self/status shows a set of which nothing is left. */
static gboolean
is_empty(const char *status, const char *set)
{
	g_autofree char *line = g_strdup_printf("%s:\t0000000000000000\n", set);

	return strstr(status, line) != NULL;
}

static gboolean
check_drop(void)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	g_autoptr(GError) error = NULL;
	g_autofree char *status = NULL;
	uid_t user = geteuid();

	if (user != 0 && !apart_enter_netns())
		return FALSE;
	g_assert_true(vpnr_privilege_drop(&error));
	g_assert_no_error(error);
	g_assert_cmpint(geteuid(), ==, user);
	g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
		g_assert_true(is_empty(status, sets[i]));
	return TRUE;
}

static void
test_drop(void)
{
	apart(check_drop);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/privilege/drop", test_drop);
	return g_test_run();
}
