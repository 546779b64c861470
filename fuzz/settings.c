/* SPDX-License-Identifier: MIT
 *
 * Target: the configuration files of client and server.
 *
 * Input: which of the two (1 byte), text of the file.
 */
#include "app/settings.h"

#include "fuzz/target.h"

/* Either settings or an error, which is text that may be printed. */
static void
check(gboolean parsed, const GError *error)
{
	g_assert(parsed == (error == NULL));
	if (error != NULL) {
		g_assert(error->domain == VPNR_SETTINGS_ERROR);
		g_assert(g_utf8_validate(error->message, -1, NULL));
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autoptr(VpnrServerSettings) server = NULL;
	g_autoptr(VpnrClientSettings) client = NULL;
	g_autoptr(GError) error = NULL;
	const char *text = (const char *)data + 1;

	if (size < 1)
		return 0;
	if (data[0] % 2 == 0) {
		server = vpnr_server_settings_parse(text, size - 1, "/nowhere", &error);
		check(server != NULL, error);
	} else {
		client = vpnr_client_settings_parse(text, size - 1, "/nowhere", &error);
		check(client != NULL, error);
	}
	return 0;
}
