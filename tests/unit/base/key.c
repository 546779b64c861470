/* SPDX-License-Identifier: MIT
 *
 * key: the base64 form, strictly, and comparison.
 */
#include "base/key.h"

#include <string.h>

/* RFC 8032, section 7.1, test 1: the public key. */
#define SAMPLE "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const VpnrKey sample = { { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
				  0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
				  0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a } };

static void
test_parse(void)
{
	VpnrKey key;

	g_assert_true(vpnr_key_parse(SAMPLE, &key));
	g_assert_cmpmem(key.bytes, VPNR_KEY_SIZE, sample.bytes, VPNR_KEY_SIZE);
}

static void
test_format(void)
{
	char buf[VPNR_KEY_STRLEN];

	g_assert_true(vpnr_key_format(&sample, buf) == buf);
	g_assert_cmpstr(buf, ==, SAMPLE);
}

static void
test_round_trip(void)
{
	g_test_summary("Every byte value survives at every place of the key.");

	for (guint i = 0; i < 256; i++) {
		VpnrKey key;
		VpnrKey again;
		char buf[VPNR_KEY_STRLEN];

		for (guint at = 0; at < VPNR_KEY_SIZE; at++)
			key.bytes[at] = (guint8)(i + at * 7);
		g_assert_true(vpnr_key_parse(vpnr_key_format(&key, buf), &again));
		g_assert_cmpmem(again.bytes, VPNR_KEY_SIZE, key.bytes, VPNR_KEY_SIZE);
	}
}

static void
test_refused(void)
{
	static const char *const texts[] = {
		"",
		"=",
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",        /* no padding */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo==",      /* too much of it */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==",       /* 31 bytes */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA",       /* 33 bytes */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=",       /* spare bits set */
		"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",       /* base64url */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR\no",      /* white space inside */
		" 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",       /* and before */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",     /* and behind */
		"11qYAYKxCr=VS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",       /* padding inside */
		"====11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcH",       /* and before */
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcH\xc3\xa9==", /* not ASCII */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		VpnrKey key = sample;

		g_test_message("\"%s\"", texts[i]);
		g_assert_false(vpnr_key_parse(texts[i], &key));
		g_assert_cmpmem(key.bytes, VPNR_KEY_SIZE, sample.bytes, VPNR_KEY_SIZE);
	}
}

static void
test_equal(void)
{
	g_assert_true(vpnr_key_equal(&sample, &sample));
	for (guint at = 0; at < VPNR_KEY_SIZE; at++) {
		VpnrKey other = sample;

		other.bytes[at] ^= 0x80;
		g_assert_false(vpnr_key_equal(&sample, &other));
	}
}

static void
test_wipe(void)
{
	VpnrKey key = sample;
	VpnrKey zero = { 0 };

	vpnr_key_wipe(&key);
	g_assert_cmpmem(&key, sizeof key, &zero, sizeof zero);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/key/parse", test_parse);
	g_test_add_func("/key/format", test_format);
	g_test_add_func("/key/round-trip", test_round_trip);
	g_test_add_func("/key/refused", test_refused);
	g_test_add_func("/key/equal", test_equal);
	g_test_add_func("/key/wipe", test_wipe);
	return g_test_run();
}
