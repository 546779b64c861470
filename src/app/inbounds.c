/* SPDX-License-Identifier: MIT
 *
 * inbounds: see inbounds.h.
 */
#include "app/inbounds.h"

#include "client/inbound.h"
#include "client/udp_inbound.h"

struct VpnrInbounds {
	/* const after birth */
	GArray *redirect; /* VpnrAddr */
	GArray *socks;    /* VpnrAddr */
	GArray *own;      /* VpnrAddr: both */
	VpnrInboundKind captured;
	gboolean udp;      /* datagrams are captured */
	gboolean dns_only; /* only those to name servers */
	guint32 mark;
	VpnrDns dns;
	guint max_flows;
	int udp_idle_ms;
	gboolean v2;
	/* main */
	GPtrArray *tcp;          /* VpnrInbound */
	VpnrUdpInbound *udp_one; /* NULL: there is none */
};

static GArray *
copy(const GArray *addrs)
{
	GArray *copied = g_array_sized_new(FALSE, FALSE, sizeof(VpnrAddr), addrs->len);

	return g_array_append_vals(copied, addrs->data, addrs->len);
}

/* What VPNr/1 does not carry the settings do not ask for. */
VpnrInbounds *
vpnr_inbounds_new(const VpnrClientSettings *settings)
{
	VpnrInbounds *inbounds = g_new0(VpnrInbounds, 1);
	const VpnrRules *rules = settings->rules;
	gboolean tproxy = rules->mode == VPNR_CAPTURE_TPROXY;

	inbounds->redirect = copy(settings->redirect);
	inbounds->socks = copy(settings->socks);
	inbounds->own = copy(settings->redirect);
	g_array_append_vals(inbounds->own, settings->socks->data, settings->socks->len);
	inbounds->captured = tproxy ? VPNR_INBOUND_TPROXY : VPNR_INBOUND_REDIRECT;
	inbounds->udp = rules->mode != VPNR_CAPTURE_OFF && (rules->udp || rules->dns);
	inbounds->dns_only = !rules->udp;
	inbounds->mark = rules->mode != VPNR_CAPTURE_OFF ? rules->link_mark : 0;
	if (rules->dns)
		inbounds->dns = settings->flows.dns_server;
	inbounds->max_flows = settings->flows.max_flows;
	inbounds->udp_idle_ms = (int)settings->flows.udp_timeout_s * 1000;
	inbounds->v2 = settings->protocol == VPNR_PROTOCOL_V2;
	inbounds->tcp = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_inbound_unref);
	return inbounds;
}

static gboolean
start_tcp(VpnrInbounds *inbounds, const GArray *addrs, VpnrInboundParams params, GError **error)
{
	params.mark = inbounds->mark;
	params.dns = inbounds->dns;
	params.udp_idle_ms = inbounds->v2 ? inbounds->udp_idle_ms : 0;
	params.own = inbounds->own;
	for (guint i = 0; i < addrs->len; i++) {
		VpnrInbound *inbound;

		params.listen = g_array_index(addrs, VpnrAddr, i);
		inbound = vpnr_inbound_start(&params, error);
		if (inbound == NULL)
			return FALSE;
		g_ptr_array_add(inbounds->tcp, inbound);
	}
	return TRUE;
}

static gboolean
start_udp(VpnrInbounds *inbounds, const VpnrInboundParams *tcp, GError **error)
{
	if (!inbounds->udp)
		return TRUE;
	inbounds->udp_one =
	    vpnr_udp_inbound_start(&(VpnrUdpInboundParams){ .listen = inbounds->redirect,
							    .dns_only = inbounds->dns_only,
							    .mark = inbounds->mark,
							    .max_flows = inbounds->max_flows,
							    .idle_ms = inbounds->udp_idle_ms,
							    .dns = inbounds->dns,
							    .own = inbounds->own,
							    .pool = tcp->pool,
							    .uplinks = tcp->uplinks,
							    .stats = tcp->stats },
				   error);
	return inbounds->udp_one != NULL;
}

gboolean
vpnr_inbounds_start(VpnrInbounds *inbounds, VpnrPool *pool, VpnrUplinks *uplinks, VpnrStats *stats,
		    GError **error)
{
	VpnrInboundParams params = {
		.kind = inbounds->captured, .pool = pool, .uplinks = uplinks, .stats = stats
	};

	if (!start_tcp(inbounds, inbounds->redirect, params, error) ||
	    !start_udp(inbounds, &params, error))
		return FALSE;
	params.kind = VPNR_INBOUND_SOCKS;
	return start_tcp(inbounds, inbounds->socks, params, error);
}

const GArray *
vpnr_inbounds_own(const VpnrInbounds *inbounds)
{
	return inbounds->own;
}

guint
vpnr_inbounds_waiting(const VpnrInbounds *inbounds)
{
	guint n = inbounds->udp_one != NULL ? vpnr_udp_inbound_waiting(inbounds->udp_one) : 0;

	for (guint i = 0; i < inbounds->tcp->len; i++)
		n += vpnr_inbound_waiting(g_ptr_array_index(inbounds->tcp, i));
	return n;
}

void
vpnr_inbounds_stop(VpnrInbounds *inbounds)
{
	g_ptr_array_foreach(inbounds->tcp, (GFunc)(void (*)(void))vpnr_inbound_stop, NULL);
	vpnr_udp_inbound_stop(inbounds->udp_one);
}

void
vpnr_inbounds_free(VpnrInbounds *inbounds)
{
	if (inbounds == NULL)
		return;
	vpnr_udp_inbound_free(inbounds->udp_one);
	g_ptr_array_unref(inbounds->tcp);
	g_array_unref(inbounds->redirect);
	g_array_unref(inbounds->socks);
	g_array_unref(inbounds->own);
	g_free(inbounds);
}
