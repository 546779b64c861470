/* SPDX-License-Identifier: MIT
 *
 * verdict: what became of a probe, from what was seen of it. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	VPNR_LEAK_TUNNEL,   /* the client has a stream for it */
	VPNR_LEAK_CAPTURED, /* it did not leave this host; what became of it is not known */
	VPNR_LEAK_REJECTED, /* its sender was told so, before anything left this host */
	VPNR_LEAK_LEAKED,   /* a packet of it left this host */
	VPNR_LEAK_UNKNOWN,  /* nobody could look */
} VpnrLeakVerdict;

/* What was seen of a probe. */
typedef struct {
	gboolean watched; /* every interface */
	gboolean outside; /* a packet of it left by one of them */
	gboolean listed;  /* the client lists a stream with its addresses */
	gboolean answered;
	gboolean tcp;
	int error;        /* errno that its socket got; 0: none */
	gboolean at_once; /* by the call itself, before anything was sent */
} VpnrLeakFacts;

VpnrLeakVerdict vpnr_leak_judge(const VpnrLeakFacts *facts);

/* "tunnel" and so on. */
const char *vpnr_leak_verdict_name(VpnrLeakVerdict verdict);

/* A few words on how the verdict came about. */
const char *vpnr_leak_explain(const VpnrLeakFacts *facts);

/* TRUE if nothing that may still be seen can change the verdict, but a packet that leaves. */
gboolean vpnr_leak_is_settled(const VpnrLeakFacts *facts);

G_END_DECLS
