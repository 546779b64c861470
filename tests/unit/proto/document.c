/* SPDX-License-Identifier: MIT
 *
 * document: finds "| 2.12.3 | ... | `hex hex*count` |" in docs/protocol.md.
 */
#include "tests/unit/proto/document.h"

#include <stdlib.h>
#include <string.h>

/* The text between the last two backquotes of the vector's line (transfer full), or NULL. */
static char *
find_vector(const char *section, guint index)
{
	const char *folder = g_getenv("VPNR_SRCDIR");
	g_autofree char *path =
	    g_build_filename(folder != NULL ? folder : ".", "docs", "protocol.md", NULL);
	g_autofree char *start = g_strdup_printf("\n| %s.%u |", section, index);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	char *line, *end, *hex;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	line = strstr(text, start);
	if (line == NULL)
		return NULL;
	end = strchr(line + 1, '\n');
	g_assert_nonnull(end);
	*end = '\0';
	end = strrchr(line, '`');
	g_assert_nonnull(end);
	*end = '\0';
	hex = strrchr(line, '`');
	g_assert_nonnull(hex);
	return g_strdup(hex + 1);
}

/* Appends one word: pairs of digits, or one pair and how often it is repeated. */
static void
append_word(GByteArray *bytes, const char *word)
{
	gsize digits = strspn(word, "0123456789abcdef");
	guint times = word[digits] == '*' ? (guint)atoi(word + digits + 1) : 1;

	g_assert_cmpuint(digits % 2, ==, 0);
	g_assert_true(word[digits] == '\0' || digits == 2);
	for (guint i = 0; i < times; i++) {
		for (gsize at = 0; at < digits; at += 2) {
			guint8 byte = (guint8)(g_ascii_xdigit_value(word[at]) << 4 |
					       g_ascii_xdigit_value(word[at + 1]));

			g_byte_array_append(bytes, &byte, 1);
		}
	}
}

GByteArray *
document_vector(const char *section, guint index)
{
	g_autofree char *hex = find_vector(section, index);
	g_auto(GStrv) words = NULL;
	GByteArray *bytes;

	if (hex == NULL)
		return NULL;
	words = g_strsplit(hex, " ", -1);
	bytes = g_byte_array_new();
	for (guint i = 0; words[i] != NULL; i++)
		append_word(bytes, words[i]);
	return bytes;
}

guint
document_count(const char *section)
{
	for (guint n = 0;; n++) {
		g_autoptr(GByteArray) bytes = document_vector(section, n + 1);

		if (bytes == NULL)
			return n;
	}
}

char *
document_hex(const guint8 *bytes, gsize n)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < n; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}
