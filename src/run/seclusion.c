/* SPDX-License-Identifier: MIT
 *
 * seclusion: see seclusion.h.
 */
#include "run/seclusion.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

/* systemd-resolved by nss-resolve, and the name service cache, whose folder has two names. */
static const char *const services[] = { "/run/systemd/resolve/io.systemd.Resolve",
					"/run/nscd/socket", "/var/run/nscd/socket", NULL };

static gboolean
set_errno_error(GError **error, const char *path, const char *what)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "%s: %s: %s", path,
		    what, g_strerror(code));
	return FALSE;
}

static gboolean
any_exists(const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (access(*paths, F_OK) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What the host mounts later is seen here, what happens here is not seen there. */
static gboolean
leave_the_host(GError **error)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return TRUE;
	return set_errno_error(error, "/", "cannot make a mount namespace");
}

gboolean
vpnr_seclusion_enter(const char *const *paths, GError **error)
{
	if (paths == NULL)
		paths = services;
	if (!any_exists(paths))
		return TRUE;
	if (!leave_the_host(error))
		return FALSE;
	for (; *paths != NULL; paths++) {
		if (access(*paths, F_OK) == 0 &&
		    mount("/dev/null", *paths, NULL, MS_BIND, NULL) < 0)
			return set_errno_error(error, *paths, "cannot hide this service");
	}
	return TRUE;
}
