/* SPDX-License-Identifier: MIT
 *
 * log: puts a line together on the caller's stack and writes it at once. Any thread. The lock keeps
 * another line from taking the room that a line has found; the kernel keeps one write(2) of this
 * size in one piece.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the text; enough for two names of VPNR_NAME_MAX and a sentence around them. */
#define TEXT_MAX 1000

/* Bytes before the text: "<7>", the program, the level and the colons. */
#define PREFIX_MAX 64

typedef struct {
	const char *name;
	int priority; /* RFC 5424, section 6.2.1 */
} Level;

static const Level levels[] = {
	[VPNR_LOG_ERROR] = { "error", 3 },
	[VPNR_LOG_WARN] = { "warning", 4 },
	[VPNR_LOG_INFO] = { "info", 6 },
	[VPNR_LOG_DEBUG] = { "debug", 7 },
};

static _Atomic VpnrLogLevel max_level = VPNR_LOG_INFO;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static guint n_lost; /* lock: lines, since the last one that was written */

void
vpnr_log_set_level(VpnrLogLevel level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

gboolean
vpnr_log_enabled(VpnrLogLevel level)
{
	return level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/* A peer's text must not move the cursor or forge a line. C0 and DEL are one byte; C1, which
 * terminals obey too, is 0xc2 and a byte of 0x80 to 0x9f in UTF-8. */
static void
mask_controls(char *text, gsize n)
{
	guint8 previous = 0;

	for (gsize i = 0; i < n; i++) {
		guint8 byte = (guint8)text[i];

		if (byte < 0x20 || byte == 0x7f)
			text[i] = '?';
		else if (previous == 0xc2 && byte >= 0x80 && byte <= 0x9f)
			text[i - 1] = text[i] = '?';
		previous = byte;
	}
}

/* FALSE if it is lost. Who has stopped reading must not stop us, and that standard error is gone
 * nobody could be told. A pipe and a socket that say they are ready take a whole line; so does a
 * terminal, unless it is nearly full. */
static gboolean
put(const char *line, gsize n)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&pfd, 1, 0) > 0 && write(STDERR_FILENO, line, n) >= 0;
}

/* Whether standard error is the stream to the journal that the environment tells of, by device and
 * inode (systemd.exec(5)). The variable alone may be inherited, by a shell in a terminal say. */
static gboolean
is_journal(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return FALSE;
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return g_str_equal(stream, ours);
}

/* Returns its bytes. */
static gsize
begin(char line[static PREFIX_MAX], VpnrLogLevel level)
{
	gsize n =
	    is_journal() ? (gsize)snprintf(line, PREFIX_MAX, "<%d>", levels[level].priority) : 0;

	return n + (gsize)snprintf(line + n, PREFIX_MAX - n,
				   "%.40s: %s: ", program_invocation_short_name,
				   levels[level].name);
}

static gboolean
tell_lost_locked(void)
{
	char line[PREFIX_MAX + TEXT_MAX];
	gsize n;

	if (n_lost == 0)
		return TRUE;
	n = begin(line, VPNR_LOG_WARN);
	n += (gsize)snprintf(line + n, TEXT_MAX, "%u lines could not be written here\n", n_lost);
	return put(line, n);
}

static void
put_or_lose(const char *line, gsize n)
{
	pthread_mutex_lock(&lock);
	if (tell_lost_locked())
		n_lost = put(line, n) ? 0 : 1;
	else
		n_lost++;
	pthread_mutex_unlock(&lock);
}

void
vpnr_log(VpnrLogLevel level, const char *format, ...)
{
	char line[PREFIX_MAX + TEXT_MAX + 1];
	int saved_errno = errno;
	gsize prefix;
	int length;
	gsize n;
	va_list args;

	if (!vpnr_log_enabled(level))
		return;

	prefix = begin(line, level);
	va_start(args, format);
	length = vsnprintf(line + prefix, TEXT_MAX + 1, format, args);
	va_end(args);
	n = (gsize)CLAMP(length, 0, TEXT_MAX);
	mask_controls(line + prefix, n);
	line[prefix + n] = '\n';
	put_or_lose(line, prefix + n + 1);
	errno = saved_errno;
}
