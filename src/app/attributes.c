/* SPDX-License-Identifier: MIT
 *
 * attributes: see attributes.h.
 */
#include "app/attributes.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACCESS_LIST "system.posix_acl_access"

static gboolean
fail(GError **error, const char *what)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
		    "cannot give another file its %s: %s", what, g_strerror(code));
	return FALSE;
}

/* These are sums over the file's bytes and its other attributes, which the kernel makes itself
 * (IMA and EVM, Documentation/ABI/testing/evm): copied, they would be wrong. */
static gboolean
is_checksum(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* What the file has already is not set again: not everybody may set a label of security modules.
 * Both values have room for XATTR_SIZE_MAX bytes. */
static gboolean
copy_one(int from, int to, const char *name, char *value, char *present)
{
	gssize n = fgetxattr(from, name, value, XATTR_SIZE_MAX);

	if (n < 0)
		return errno == ENODATA; /* it is gone by now */
	if (fgetxattr(to, name, present, XATTR_SIZE_MAX) == n &&
	    memcmp(value, present, (gsize)n) == 0)
		return TRUE;
	return fsetxattr(to, name, value, (gsize)n, 0) == 0;
}

static gboolean
copy_all(int from, int to, GError **error)
{
	g_autofree char *names = g_malloc(XATTR_LIST_MAX);
	g_autofree char *value = g_malloc(XATTR_SIZE_MAX);
	g_autofree char *present = g_malloc(XATTR_SIZE_MAX);
	gssize n = flistxattr(from, names, XATTR_LIST_MAX);

	if (n < 0)
		return errno == ENOTSUP || fail(error, "extended attributes");
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		if (!is_checksum(name) && !copy_one(from, to, name, value, present))
			return fail(error, name);
	}
	return TRUE;
}

/* A folder may have a list for what is made in it, with users whom nobody has let into this one
 * (acl(5)). */
static gboolean
drop_access_list(int to)
{
	return fremovexattr(to, ACCESS_LIST) == 0 || errno == ENODATA || errno == ENOTSUP;
}

/* The mode comes last: a change of the owner takes bits of it away, and an access control list
 * brings some of its own. */
gboolean
vpnr_attributes_copy(int from, int to, GError **error)
{
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0)
		return fail(error, "owner");
	if (!drop_access_list(to))
		return fail(error, "access control list");
	if (!copy_all(from, to, error))
		return FALSE;
	return fchmod(to, st.st_mode & 07777) == 0 || fail(error, "mode");
}
