/* SPDX-License-Identifier: MIT
 *
 * rewrite: see rewrite.h.
 */
#include "app/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/attributes.h"
#include "app/secret.h"
#include "base/fd.h"

struct VpnrRewrite {
	char *path; /* of the file itself, with no symbolic link in it; from realpath() */
	VpnrFd fd;  /* the file, locked */
	char *text;
	gsize n;
	char *temporary; /* its path while there is one */
	sigset_t mask;   /* signals that were blocked before it was there */
};

static gboolean
set_errno_error(GError **error, const char *path, const char *what)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "%s: %s: %s", path, what,
		    g_strerror(code));
	return FALSE;
}

static gboolean
lock(int fd)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return FALSE;
	}
	return TRUE;
}

/* Opens and locks the file. While the lock was another one's, that may have replaced the file: then
 * it is the new one that is wanted. */
static gboolean
open_locked(VpnrRewrite *rewrite, GError **error)
{
	struct stat st;
	struct stat now;

	do {
		vpnr_fd_close(vpnr_fd_steal(&rewrite->fd));
		rewrite->fd = open(rewrite->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (rewrite->fd < 0)
			return set_errno_error(error, rewrite->path, "cannot open it");
		if (!lock(rewrite->fd))
			return set_errno_error(error, rewrite->path, "cannot lock it");
		if (fstat(rewrite->fd, &st) < 0 || stat(rewrite->path, &now) < 0)
			return set_errno_error(error, rewrite->path, "cannot look at it");
	} while (st.st_dev != now.st_dev || st.st_ino != now.st_ino);

	if (S_ISREG(st.st_mode))
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: it is no regular file",
		    rewrite->path);
	return FALSE;
}

VpnrRewrite *
vpnr_rewrite_begin(const char *path, GError **error)
{
	g_autoptr(VpnrRewrite) rewrite = g_new0(VpnrRewrite, 1);

	rewrite->fd = -1;
	rewrite->path = realpath(path, NULL);
	if (rewrite->path == NULL) {
		set_errno_error(error, path, "cannot open it");
		return NULL;
	}
	if (!open_locked(rewrite, error))
		return NULL;
	rewrite->text = vpnr_secret_read(rewrite->fd, &rewrite->n);
	if (rewrite->text == NULL) {
		set_errno_error(error, rewrite->path, "cannot read it");
		return NULL;
	}
	return g_steal_pointer(&rewrite);
}

const char *
vpnr_rewrite_text(const VpnrRewrite *rewrite, gsize *n)
{
	*n = rewrite->n;
	return rewrite->text;
}

/* A file in the folder of the other that nobody but its user can open (transfer full), or -1 with
 * errno. */
static int
make_temporary(VpnrRewrite *rewrite)
{
	g_autofree char *folder = g_path_get_dirname(rewrite->path);
	g_autofree char *name = g_path_get_basename(rewrite->path);
	g_autofree char *path = g_strdup_printf("%s/.%s.XXXXXX", folder, name);
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, &rewrite->mask);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		rewrite->temporary = g_steal_pointer(&path);
	else
		pthread_sigmask(SIG_SETMASK, &rewrite->mask, NULL);
	return fd;
}

static gboolean
write_all(int fd, const char *text, gsize n)
{
	while (n > 0) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno != EINTR)
			return FALSE;
		if (put > 0) {
			text += put;
			n -= (gsize)put;
		}
	}
	return TRUE;
}

gboolean
vpnr_rewrite_prepare(VpnrRewrite *rewrite, const char *text, gsize n, GError **error)
{
	g_assert(rewrite->temporary == NULL);
	g_auto(VpnrFd) fd = make_temporary(rewrite);

	if (fd < 0)
		return set_errno_error(error, rewrite->path, "cannot make a file beside it");
	if (!vpnr_attributes_copy(rewrite->fd, fd, error)) {
		g_prefix_error(error, "%s: ", rewrite->path);
		return FALSE;
	}
	if (!write_all(fd, text, n) || fsync(fd) < 0)
		return set_errno_error(error, rewrite->path, "cannot write a file beside it");
	return TRUE;
}

/* Without it the old file could be back after a power failure, but then as it was. */
static void
sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_auto(VpnrFd) fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

static void
forget_temporary(VpnrRewrite *rewrite)
{
	g_clear_pointer(&rewrite->temporary, g_free);
	pthread_sigmask(SIG_SETMASK, &rewrite->mask, NULL);
}

gboolean
vpnr_rewrite_commit(VpnrRewrite *rewrite, GError **error)
{
	g_assert(rewrite->temporary != NULL);
	if (rename(rewrite->temporary, rewrite->path) < 0)
		return set_errno_error(error, rewrite->path, "cannot replace it");
	sync_folder(rewrite->path);
	forget_temporary(rewrite);
	return TRUE;
}

void
vpnr_rewrite_end(VpnrRewrite *rewrite)
{
	if (rewrite == NULL)
		return;
	if (rewrite->temporary != NULL) {
		unlink(rewrite->temporary);
		forget_temporary(rewrite);
	}
	vpnr_fd_close(rewrite->fd);
	free(rewrite->path);
	g_free(rewrite->text);
	g_free(rewrite);
}
