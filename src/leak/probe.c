/* SPDX-License-Identifier: MIT
 *
 * probe: see probe.h.
 */
#include "leak/probe.h"

#include "proto/bytes.h"

/* Bytes of a datagram with an Initial packet, at least (RFC 9000, section 14.1). */
#define QUIC_MIN 1200

static const struct {
	const char *name;
	guint16 port;
	guint8 net4[3]; /* of the usual target */
} kinds[VPNR_N_LEAK_KINDS] = {
	[VPNR_LEAK_TCP] = { "tcp", 443, { 192, 0, 2 } },
	[VPNR_LEAK_UDP] = { "udp", 9, { 198, 51, 100 } },
	[VPNR_LEAK_DNS_UDP] = { "dns-udp", 53, { 203, 0, 113 } },
	[VPNR_LEAK_DNS_TCP] = { "dns-tcp", 53, { 203, 0, 113 } },
	[VPNR_LEAK_QUIC] = { "quic", 443, { 192, 0, 2 } },
};

const char *
vpnr_leak_kind_name(VpnrLeakKind kind)
{
	return kinds[kind].name;
}

gboolean
vpnr_leak_kind_is_tcp(VpnrLeakKind kind)
{
	return kind == VPNR_LEAK_TCP || kind == VPNR_LEAK_DNS_TCP;
}

/* --- targets ---------------------------------------------------------------------------------- */

static void
add_probe(GArray *probes, VpnrLeakKind kind, VpnrAddr dest)
{
	VpnrLeakProbe probe = { kind, dest };

	probe.dest.port = kinds[kind].port;
	g_array_append_val(probes, probe);
}

static void
add_usual(GArray *probes, VpnrLeakKind kind)
{
	const guint8 *net4 = kinds[kind].net4;

	add_probe(probes, kind,
		  (VpnrAddr){ .type = VPNR_ADDR_IPV4, .ip4 = { net4[0], net4[1], net4[2], 1 } });
	add_probe(probes, kind,
		  (VpnrAddr){ .type = VPNR_ADDR_IPV6,
			      .ip6 = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } });
}

GArray *
vpnr_leak_probes(const GArray *targets)
{
	GArray *probes = g_array_new(FALSE, FALSE, sizeof(VpnrLeakProbe));

	for (guint kind = 0; kind < VPNR_N_LEAK_KINDS; kind++) {
		if (targets == NULL)
			add_usual(probes, (VpnrLeakKind)kind);
		for (guint i = 0; targets != NULL && i < targets->len; i++)
			add_probe(probes, (VpnrLeakKind)kind, g_array_index(targets, VpnrAddr, i));
	}
	return probes;
}

/* --- payloads --------------------------------------------------------------------------------- */

static void
put_random(GByteArray *out, gsize n)
{
	while (n-- > 0)
		vpnr_put_u8(out, (guint8)g_random_int());
}

/* One question, A IN, recursion desired (RFC 1035, section 4.1). */
static void
put_question(GByteArray *out)
{
	static const guint8 name[] = "\011leak-test\007invalid"; /* its NUL is the root */

	vpnr_put_u16(out, (guint16)g_random_int());
	vpnr_put_u16(out, 0x0100);
	vpnr_put_u16(out, 1);
	vpnr_put_u16(out, 0);
	vpnr_put_u32(out, 0);
	g_byte_array_append(out, name, sizeof name);
	vpnr_put_u16(out, 1);
	vpnr_put_u16(out, 1);
}

/* Long header, version 1, ids of 8 bytes, no token, length in two bytes, packet number in four. */
static void
put_initial(GByteArray *out)
{
	vpnr_put_u8(out, 0xc3);
	vpnr_put_u32(out, 1);
	vpnr_put_u8(out, 8);
	put_random(out, 8);
	vpnr_put_u8(out, 8);
	put_random(out, 8);
	vpnr_put_u8(out, 0);
	vpnr_put_u16(out, (guint16)(0x4000 | (QUIC_MIN - out->len - 2)));
	put_random(out, QUIC_MIN - out->len);
}

GByteArray *
vpnr_leak_payload(VpnrLeakKind kind)
{
	static const char letters[] = "vpnr leak test\r\n";
	GByteArray *out = g_byte_array_new();

	switch (kind) {
	case VPNR_LEAK_DNS_TCP:
		vpnr_put_u16(out, 0);
		put_question(out);
		out->data[1] = (guint8)(out->len - 2);
		break;
	case VPNR_LEAK_DNS_UDP:
		put_question(out);
		break;
	case VPNR_LEAK_QUIC:
		put_initial(out);
		break;
	default:
		g_byte_array_append(out, (const guint8 *)letters, sizeof letters - 1);
		break;
	}
	return out;
}
