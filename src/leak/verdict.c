/* SPDX-License-Identifier: MIT
 *
 * verdict: see verdict.h.
 */
#include "leak/verdict.h"

#include <errno.h>

/* A connection that somebody on this host accepted before he gave it up. */
static gboolean
was_accepted(const VpnrLeakFacts *facts)
{
	return facts->answered || (facts->tcp && facts->error == ECONNRESET);
}

VpnrLeakVerdict
vpnr_leak_judge(const VpnrLeakFacts *facts)
{
	if (facts->outside)
		return VPNR_LEAK_LEAKED;
	if (facts->listed)
		return VPNR_LEAK_TUNNEL;
	if (facts->error != 0 && facts->at_once)
		return VPNR_LEAK_REJECTED;
	if (!facts->watched)
		return VPNR_LEAK_UNKNOWN;
	return facts->error == 0 || was_accepted(facts) ? VPNR_LEAK_CAPTURED : VPNR_LEAK_REJECTED;
}

const char *
vpnr_leak_verdict_name(VpnrLeakVerdict verdict)
{
	static const char *const names[] = {
		[VPNR_LEAK_TUNNEL] = "tunnel",     [VPNR_LEAK_CAPTURED] = "captured",
		[VPNR_LEAK_REJECTED] = "rejected", [VPNR_LEAK_LEAKED] = "leaked",
		[VPNR_LEAK_UNKNOWN] = "unknown",
	};

	return names[verdict];
}

static const char *
explain_rejection(const VpnrLeakFacts *facts)
{
	switch (facts->error) {
	case ECONNREFUSED:
		return facts->tcp ? "by a TCP reset" : "by ICMP: the port is unreachable";
	case EHOSTUNREACH:
		return facts->at_once ? "there is no route" : "by ICMP: the host is unreachable";
	case ENETUNREACH:
		return facts->at_once ? "there is no route" : "by ICMP: the network is unreachable";
	case EACCES:
		return "by a route, or by ICMP: it is forbidden";
	case EPERM:
		return "by a packet filter, silently";
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return "this host has no such addresses";
	default:
		return g_strerror(facts->error);
	}
}

const char *
vpnr_leak_explain(const VpnrLeakFacts *facts)
{
	switch (vpnr_leak_judge(facts)) {
	case VPNR_LEAK_TUNNEL:
		return "the client carries it";
	case VPNR_LEAK_REJECTED:
		return explain_rejection(facts);
	case VPNR_LEAK_LEAKED:
		return "a packet left this host";
	case VPNR_LEAK_UNKNOWN:
		return "watching the interfaces needs CAP_NET_RAW";
	default:
		return was_accepted(facts) ? "accepted on this host, and ended" : "unanswered";
	}
}

gboolean
vpnr_leak_is_settled(const VpnrLeakFacts *facts)
{
	return facts->outside || facts->listed || facts->error != 0;
}
