/* SPDX-License-Identifier: MIT
 *
 * ctl_find: asks at each path for the status, which changes nothing.
 */
#include "app/ctl_find.h"

#include "app/control.h"

/* Stores the first path at which there is anybody, and where there is another one the second. A
 * path at which something else goes wrong, such as a lack of permission, stays in *why. */
static void
probe(const char *const *paths, const char *found[static 2], GError **why)
{
	for (; *paths != NULL && found[1] == NULL; paths++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *answer = vpnr_control_ask(*paths, "status", &error);

		if (answer != NULL ||
		    g_error_matches(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED))
			found[found[0] != NULL] = *paths;
		else if (*why == NULL &&
			 !g_error_matches(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT))
			*why = g_steal_pointer(&error);
	}
}

const char *
vpnr_ctl_find(const char *const *paths, GError **error)
{
	const char *found[2] = { NULL, NULL };
	g_autoptr(GError) why = NULL;

	probe(paths, found, &why);
	if (found[1] != NULL) {
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED,
			    "programs answer at both %s and %s; say which one with --socket",
			    found[0], found[1]);
		return NULL;
	}
	if (found[0] != NULL)
		return found[0];
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	g_autofree char *all = g_strjoinv(", ", (char **)paths);
	g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT,
		    "no vpnr program is running: nobody answers at %s", all);
	return NULL;
}
