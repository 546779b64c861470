/* SPDX-License-Identifier: MIT
 *
 * key: 32 bytes and their base64 form. Pure functions, called by any thread.
 *
 * Everything here happens in buffers on the stack that are wiped afterwards, so that no copy of a
 * private key stays behind in freed memory.
 */
#include "base/key.h"

#include <string.h>

/* Characters of 32 bytes in base64: ten groups of three bytes and one of two. */
#define TEXT_LENGTH (VPNR_KEY_STRLEN - 1)

/* GLib's decoder skips what is no base64 and ignores spare bits. Only the text that encoding the
 * result gives again is canonical, so that a key has one text and one only. */
gboolean
vpnr_key_parse(const char *text, VpnrKey *key)
{
	guint8 bytes[TEXT_LENGTH / 4 * 3 + 3]; /* what g_base64_decode_step() may write */
	char again[VPNR_KEY_STRLEN];
	g_auto(VpnrKey) candidate = { 0 };
	int state = 0;
	guint save = 0;

	if (strlen(text) != TEXT_LENGTH)
		return FALSE;

	gsize n = g_base64_decode_step(text, TEXT_LENGTH, bytes, &state, &save);
	memcpy(candidate.bytes, bytes, VPNR_KEY_SIZE);
	vpnr_key_format(&candidate, again);
	gboolean canonical = n == VPNR_KEY_SIZE && memcmp(text, again, VPNR_KEY_STRLEN) == 0;
	if (canonical)
		*key = candidate;

	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(again, sizeof again);
	return canonical;
}

const char *
vpnr_key_format(const VpnrKey *key, char buf[static VPNR_KEY_STRLEN])
{
	char out[TEXT_LENGTH + 5]; /* g_base64_encode_close() may write 5 bytes */
	int state = 0;
	int save = 0;

	gsize n = g_base64_encode_step(key->bytes, VPNR_KEY_SIZE, FALSE, out, &state, &save);
	n += g_base64_encode_close(FALSE, out + n, &state, &save);
	g_assert(n == TEXT_LENGTH);
	memcpy(buf, out, TEXT_LENGTH);
	buf[TEXT_LENGTH] = '\0';
	explicit_bzero(out, sizeof out);
	return buf;
}

gboolean
vpnr_key_equal(const VpnrKey *a, const VpnrKey *b)
{
	/* volatile: the compiler must not stop at the first difference. */
	volatile guint8 difference = 0;

	for (gsize i = 0; i < VPNR_KEY_SIZE; i++)
		difference |= a->bytes[i] ^ b->bytes[i];
	return difference == 0;
}

void
vpnr_key_wipe(VpnrKey *key)
{
	explicit_bzero(key->bytes, sizeof key->bytes);
}
