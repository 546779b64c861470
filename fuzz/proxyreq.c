/* SPDX-License-Identifier: MIT
 *
 * Target: what an application says to the SOCKS5 and HTTP inbound.
 *
 * Input: how to cut (1 byte), a reason to answer with (1 byte), bytes of the application.
 */
#include "proto/proxyreq.h"

#include <string.h>

#include "fuzz/pieces.h"
#include "fuzz/target.h"

typedef struct {
	VpnrProxyreqResult result;
	VpnrProxyreq request;
	GByteArray *reply;
	char *why;
	gsize used;
} Outcome;

static void
outcome_clear(Outcome *outcome)
{
	g_clear_pointer(&outcome->reply, g_byte_array_unref);
	g_free(outcome->why);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* One step with bytes in a block of their own size. */
static void
step(Outcome *outcome, const guint8 *bytes, gsize n)
{
	g_autofree guint8 *exact = g_memdup2(bytes, n);
	gsize used = 0;

	outcome->result =
	    vpnr_proxyreq_step(&outcome->request, exact, n, &used, outcome->reply, &outcome->why);
	g_assert((outcome->why != NULL) == (outcome->result == VPNR_PROXYREQ_BAD));
	g_assert_cmpuint(used, <=, n);
	g_assert(used > 0 || outcome->result == VPNR_PROXYREQ_MORE ||
		 outcome->result == VPNR_PROXYREQ_BAD);
	outcome->used += used;
}

static Outcome
converse(const guint8 *bytes, gsize n, guint8 seed)
{
	Outcome outcome = { .result = VPNR_PROXYREQ_MORE, .reply = g_byte_array_new() };
	gsize end = 0;

	while (end < n && outcome.result == VPNR_PROXYREQ_MORE) {
		end += piece_size(&seed, n - end);
		do
			step(&outcome, bytes + outcome.used, end - outcome.used);
		while (outcome.result == VPNR_PROXYREQ_REPLY);
		/* Whoever calls keeps no more than this. */
		if (outcome.result == VPNR_PROXYREQ_MORE)
			g_assert_cmpuint(end - outcome.used, <, VPNR_PROXYREQ_MAX);
	}
	return outcome;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_auto(Outcome) whole = { 0 };
	g_auto(Outcome) cut = { 0 };

	if (size < 2)
		return 0;
	whole = converse(data + 2, size - 2, 0);
	cut = converse(data + 2, size - 2, data[0]);
	g_assert_cmpint(whole.result, ==, cut.result);
	g_assert_cmpuint(whole.used, ==, cut.used);
	g_assert_cmpstr(whole.why, ==, cut.why);
	g_assert_cmpmem(whole.reply->data, whole.reply->len, cut.reply->data, cut.reply->len);
	if (whole.result == VPNR_PROXYREQ_REQUEST) {
		g_assert(vpnr_addr_equal(&whole.request.dest, &cut.request.dest));
		g_assert_cmpint(whole.request.associate, ==, cut.request.associate);
		g_assert(whole.request.dest.port > 0 || whole.request.associate);
		vpnr_proxyreq_answer(&whole.request, data[1], whole.reply);
		g_assert_cmpuint(whole.reply->len, >, cut.reply->len);
	}
	return 0;
}
