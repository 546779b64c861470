/* SPDX-License-Identifier: MIT
 *
 * diversion: see diversion.h.
 *
 * A tproxy statement ends a rule where it finds no socket, as for the answers to the program: those
 * go on to the socket that they are for. What is refused is refused where it arrives: its sender
 * gets the error of an unreachable port then, and not that of a forbidden call. The rules need no
 * connection tracking.
 */
#include "run/diversion.h"

#include <nftables/libnftables.h>

#include "run/netns.h"

typedef struct nft_ctx NftContext;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NftContext, nft_ctx_free)

static void
append_tproxy(GString *text, const char *protocol, guint16 port4, guint16 port6)
{
	if (port4 != 0)
		g_string_append_printf(text,
				       "\t\tmeta nfproto ipv4 meta l4proto %s "
				       "tproxy ip to 127.0.0.1:%u accept\n",
				       protocol, port4);
	if (port6 != 0)
		g_string_append_printf(text,
				       "\t\tmeta nfproto ipv6 meta l4proto %s "
				       "tproxy ip6 to [::1]:%u accept\n",
				       protocol, port6);
}

static void
append_own_addresses(GString *text)
{
	g_string_append(text, "\t\tip daddr { 127.0.0.0/8, " VPNR_NETNS_HOST4 " } accept\n"
			      "\t\tip6 daddr { ::1, " VPNR_NETNS_HOST6 " } accept\n");
}

char *
vpnr_diversion_rules(const VpnrDiversion *diversion)
{
	GString *text = g_string_new("table inet vpnr-run {\n\tchain divert {\n");

	append_tproxy(text, "tcp", diversion->tcp4, diversion->tcp6);
	append_tproxy(text, "udp", diversion->udp4, diversion->udp6);
	g_string_append(text, "\t}\n\tchain arriving {\n"
			      "\t\ttype filter hook prerouting priority mangle; policy accept;\n"
			      "\t\tmeta l4proto { tcp, udp } th dport 53 goto divert\n");
	append_own_addresses(text);
	g_string_append(text, "\t\tgoto divert\n\t}\n\tchain received {\n"
			      "\t\ttype filter hook input priority filter; policy accept;\n"
			      "\t\tmeta l4proto tcp accept\n");
	g_string_append(text, diversion->udp4 != 0
				  ? "\t\tmeta l4proto udp accept\n"
				  : "\t\tudp dport 53 reject with icmpx port-unreachable\n");
	append_own_addresses(text);
	g_string_append(text, "\t\treject with icmpx port-unreachable\n\t}\n}\n");
	return g_string_free(text, FALSE);
}

gboolean
vpnr_diversion_install(const VpnrDiversion *diversion, GError **error)
{
	g_autofree char *rules = vpnr_diversion_rules(diversion);
	g_autoptr(NftContext) context = nft_ctx_new(NFT_CTX_DEFAULT);

	if (context == NULL || nft_ctx_buffer_error(context) != 0) {
		g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
				    "nftables cannot be used");
		return FALSE;
	}
	if (nft_run_cmd_from_buffer(context, rules) == 0)
		return TRUE;
	g_autofree char *why = g_strdup(nft_ctx_get_error_buffer(context));
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
		    "the kernel does not take the rules that send everything to vpnr-client: %s",
		    g_strchomp(why));
	return FALSE;
}
