/* SPDX-License-Identifier: MIT
 *
 * secret: see secret.h.
 */
#include "app/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bytes. A configuration with ten thousand clients has one; /dev/zero has more. */
#define FILE_MAX (16 * 1024 * 1024)

/* Fits most configurations, so that nothing has to be copied. */
#define ROOM_FIRST 16384

static void
wipe_free(char *text, gsize n)
{
	explicit_bzero(text, n);
	g_free(text);
}

/* A buffer twice as large with the same bytes in it. */
static char *
enlarge(char *text, gsize *room)
{
	char *larger = g_malloc(2 * *room);

	memcpy(larger, text, *room);
	wipe_free(text, *room);
	*room *= 2;
	return larger;
}

char *
vpnr_secret_read(int fd, gsize *n)
{
	gsize room = ROOM_FIRST;
	char *text = g_malloc(room);
	ssize_t got = 1;

	for (*n = 0; got != 0 && *n < FILE_MAX;) {
		if (*n + 1 == room)
			text = enlarge(text, &room);
		got = read(fd, text + *n, room - *n - 1);
		if (got > 0)
			*n += (gsize)got;
		else if (got < 0 && errno != EINTR)
			break;
	}
	if (got != 0) {
		int code = got < 0 ? errno : EFBIG;

		wipe_free(text, room);
		errno = code;
		return NULL;
	}
	text[*n] = '\0';
	return text;
}

gboolean
vpnr_secret_is_meant(const char *name)
{
	return g_ascii_strncasecmp(name, "private", 7) == 0 &&
	       strcmp(name, VPNR_SECRET_KEY "-file") != 0;
}

/* The end of the leading characters that a key's name has. */
static char *
skip_name(char *at, const char *end)
{
	while (at < end && (g_ascii_isalnum(*at) || *at == '-' || *at == '_'))
		at++;
	return at;
}

static char *
skip_space(char *at, const char *end)
{
	while (at < end && g_ascii_isspace(*at))
		at++;
	return at;
}

/* FALSE unless the n bytes are a key with white space around it. */
static gboolean
parse_value(const char *value, gsize n, VpnrKey *key)
{
	char copy[VPNR_KEY_STRLEN];

	for (; n > 0 && g_ascii_isspace(value[0]); n--)
		value++;
	for (; n > 0 && g_ascii_isspace(value[n - 1]); n--)
		;
	if (n != sizeof copy - 1)
		return FALSE;
	memcpy(copy, value, n);
	copy[n] = '\0';
	gboolean valid = vpnr_key_parse(copy, key);
	explicit_bzero(copy, sizeof copy);
	return valid;
}

static void
blot(char *at, const char *end)
{
	for (; at < end; at++) {
		if (!g_ascii_isspace(*at))
			*at = '*';
	}
}

/* Blots one line. TRUE if it was the first that gives the secret; *key then is that if *valid. */
static gboolean
take_line(char *line, const char *end, gboolean taken, VpnrKey *key, gboolean *valid)
{
	char *start = skip_space(line, end);
	char *stop = skip_name(start, end);
	g_autofree char *name = g_strndup(start, (gsize)(stop - start));

	if (!vpnr_secret_is_meant(name))
		return FALSE;
	char *value = skip_space(stop, end);
	gboolean assigned = value < end && *value == '=';
	value += assigned;
	gboolean first = !taken && assigned && strcmp(name, VPNR_SECRET_KEY) == 0;
	if (first)
		*valid = parse_value(value, (gsize)(end - value), key);
	blot(value, end);
	return first;
}

gboolean
vpnr_secret_take(char *text, gsize n, VpnrKey *key)
{
	const char *end = text + n;
	gboolean taken = FALSE;
	gboolean valid = FALSE;

	for (char *line = text; line < end; line++) {
		char *stop = memchr(line, '\n', (gsize)(end - line));

		if (stop == NULL)
			stop = text + n;
		taken |= take_line(line, stop, taken, key, &valid);
		line = stop;
	}
	return valid;
}
