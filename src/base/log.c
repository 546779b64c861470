/* SPDX-License-Identifier: MIT
 *
 * log: puts a line together on the caller's stack and writes it at once. Any thread; no lock: the
 * kernel keeps one write(2) of this size in one piece.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
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

void
vpnr_log(VpnrLogLevel level, const char *format, ...)
{
	char line[PREFIX_MAX + TEXT_MAX + 1];
	int saved_errno = errno;
	gsize prefix;
	int length;
	gsize n;
	gssize written;
	va_list args;

	if (!vpnr_log_enabled(level))
		return;

	prefix = getenv("JOURNAL_STREAM") != NULL
		     ? (gsize)snprintf(line, PREFIX_MAX, "<%d>", levels[level].priority)
		     : 0;
	prefix += (gsize)snprintf(line + prefix, PREFIX_MAX - prefix,
				  "%.40s: %s: ", program_invocation_short_name, levels[level].name);
	va_start(args, format);
	length = vsnprintf(line + prefix, TEXT_MAX + 1, format, args);
	va_end(args);
	n = (gsize)CLAMP(length, 0, TEXT_MAX);
	mask_controls(line + prefix, n);
	line[prefix + n] = '\n';

	/* Nobody could be told that standard error is gone. */
	written = write(STDERR_FILENO, line, prefix + n + 1);
	(void)written;
	errno = saved_errno;
}
