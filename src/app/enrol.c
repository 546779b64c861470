/* SPDX-License-Identifier: MIT
 *
 * enrol: see enrol.h.
 */
#include "app/enrol.h"

#include <string.h>

#include "app/secret.h"
#include "base/network.h"

GString *
vpnr_enrol_append(const char *text, gsize n, const char *name, const VpnrKey *public_key)
{
	GString *out = g_string_new_len(text, (gssize)n);
	char key[VPNR_KEY_STRLEN];

	if (n > 0 && text[n - 1] != '\n')
		g_string_append_c(out, '\n');
	g_string_append_printf(out, "\n[client %s]\npublic-key = %s\n", name,
			       vpnr_key_format(public_key, key));
	return out;
}

/* How much an address to listen on says about where clients go: it is the very one, or may be any
 * of this host, or is nobody else's. */
typedef enum {
	SAYS_NOTHING,
	SAYS_PORT,
	SAYS_ALL,
} Says;

static Says
judge(const VpnrAddr *addr)
{
	static const struct {
		VpnrNetwork network;
		Says says;
	} vague[] = {
		{ { VPNR_ADDR_IPV4, 32, { 0 } }, SAYS_PORT },
		{ { VPNR_ADDR_IPV6, 128, { 0 } }, SAYS_PORT },
		{ { VPNR_ADDR_IPV4, 8, { 127 } }, SAYS_NOTHING },
		{ { VPNR_ADDR_IPV6, 128, { [15] = 1 } }, SAYS_NOTHING },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(vague); i++) {
		if (vpnr_network_contains(&vague[i].network, addr))
			return vague[i].says;
	}
	return SAYS_ALL;
}

/* The first of those addresses that say the most. */
static const VpnrAddr *
choose_listener(const GArray *listen)
{
	const VpnrAddr *best = &g_array_index(listen, VpnrAddr, 0);

	for (guint i = 1; i < listen->len; i++) {
		const VpnrAddr *addr = &g_array_index(listen, VpnrAddr, i);

		if (judge(addr) > judge(best))
			best = addr;
	}
	return best;
}

static gboolean
guess(guint16 port, VpnrEnrolPlace *place, GError **error)
{
	const char *name = g_get_host_name();

	place->guessed = TRUE;
	if (vpnr_addr_from_host(name, strlen(name), port, &place->addr))
		return TRUE;
	g_set_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID,
		    "this host is called \"%s\", which is no name to be looked up; say with "
		    "--server where clients find it",
		    name);
	return FALSE;
}

gboolean
vpnr_enrol_place(const GArray *listen, const char *given, VpnrEnrolPlace *place, GError **error)
{
	const VpnrAddr *listener = choose_listener(listen);

	*place = (VpnrEnrolPlace){ .addr = *listener };
	if (given != NULL) {
		if (vpnr_addr_parse(given, listener->port, &place->addr, error))
			return TRUE;
		g_prefix_error(error, "--server: ");
		return FALSE;
	}
	return judge(listener) == SAYS_ALL || guess(listener->port, place, error);
}

char *
vpnr_enrol_client(const char *name, const VpnrEnrolPlace *place, const VpnrKey *server_public_key)
{
	char server[VPNR_ADDR_STRLEN];
	char key[VPNR_KEY_STRLEN];

	return g_strdup_printf(
	    "# vpnr-client: see man 5 vpnr.conf. Who can read this file can connect as \"%s\".\n"
	    "\n"
	    "[client]\n"
	    "%s"
	    "server = %s\n"
	    "server-public-key = %s\n" VPNR_SECRET_KEY " = ",
	    name,
	    place->guessed
		? "# The server's own name for itself: change it if others need another.\n"
		: "",
	    vpnr_addr_format(&place->addr, server), vpnr_key_format(server_public_key, key));
}
