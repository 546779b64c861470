/* SPDX-License-Identifier: MIT
 *
 * echo: see echo.h.
 */
#include "tests/thread/echo.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/loopback.h"

/* Bytes that the asker has under way: more than a frame, less than a window, so that asker and
 * answerer never wait for each other. */
#define CHUNK 100000

/* FALSE if the peer has left. */
static gboolean
send_all(int fd, const guint8 *bytes, gsize n)
{
	while (n > 0) {
		gssize sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0) {
			g_assert_true(errno == ECONNRESET || errno == EPIPE);
			return FALSE;
		}
		bytes += sent;
		n -= (gsize)sent;
	}
	return TRUE;
}

void
echo_answer(int fd)
{
	g_autofree guint8 *bytes = g_malloc(CHUNK);
	guint32 left = 0;
	gssize got = recv(fd, &left, sizeof left, MSG_WAITALL);

	while (got > 0 && left > 0) {
		got = recv(fd, bytes, MIN(left, CHUNK), 0);
		if (got <= 0 || !send_all(fd, bytes, (gsize)got))
			break;
		left -= (guint32)got;
	}
	vpnr_fd_close(fd);
}

/* FALSE: a reset. */
static gboolean
receive_all(int fd, guint8 *bytes, gsize n)
{
	while (n > 0) {
		gssize got = recv(fd, bytes, n, 0);

		if (got < 0) {
			g_assert_cmpint(errno, ==, ECONNRESET);
			return FALSE;
		}
		g_assert_cmpint(got, >, 0);
		bytes += got;
		n -= (gsize)got;
	}
	return TRUE;
}

/* FALSE: a reset instead of the end. */
static gboolean
receive_end(int fd)
{
	guint8 byte;
	gssize got = recv(fd, &byte, 1, 0);

	g_assert_cmpint(got, <=, 0);
	if (got < 0)
		g_assert_cmpint(errno, ==, ECONNRESET);
	return got == 0;
}

gboolean
echo_ask(int fd, guint32 n, gboolean half_close)
{
	g_autofree guint8 *bytes = g_malloc(CHUNK);

	if (!send_all(fd, (const guint8 *)&n, sizeof n))
		return FALSE;
	for (guint32 done = 0; done < n;) {
		guint32 now = MIN(n - done, CHUNK);

		pattern_fill(bytes, done, now);
		if (!send_all(fd, bytes, now))
			return FALSE;
		if (half_close && done + now == n)
			shutdown(fd, SHUT_WR);
		memset(bytes, 0, now);
		if (!receive_all(fd, bytes, now))
			return FALSE;
		g_assert_true(pattern_matches(bytes, done, now));
		done += now;
	}
	return receive_end(fd);
}
