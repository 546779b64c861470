/* SPDX-License-Identifier: MIT
 *
 * lookup: what is kept of a name server's answers, and when that is used.
 */
#include "client/lookup.h"

#include "base/resolve.h"

/* What the name server will say: an address, or this error. */
static struct {
	const char *answer;
	VpnrResolveError code;
	int timeout_ms; /* that it was given */
	guint32 mark;
} next;

GArray *__wrap_vpnr_resolve_marked(const VpnrAddr *addr, guint32 mark, int timeout_ms,
				   const VpnrCancel *cancel, GError **error);

GArray *
__wrap_vpnr_resolve_marked(const VpnrAddr *addr, guint32 mark, int timeout_ms,
			   const VpnrCancel *cancel, GError **error)
{
	GArray *addrs;
	VpnrAddr found;

	next.timeout_ms = timeout_ms;
	next.mark = mark;
	if (next.answer == NULL) {
		g_set_error_literal(error, VPNR_RESOLVE_ERROR, (int)next.code, "no answer");
		return NULL;
	}
	addrs = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	g_assert_true(vpnr_addr_parse(next.answer, 0, &found, NULL));
	g_array_append_val(addrs, found);
	return addrs;
}

static const GArray *
find(VpnrLookup *lookup, const char *server, GError **error)
{
	VpnrLookupParams params = { .mark = 7, .timeout_ms = 10000, .cancel = { .fd = -1 } };

	g_assert_true(vpnr_addr_parse(server, 1, &params.server, NULL));
	return vpnr_lookup_find(lookup, &params, error);
}

static void
assert_finds(VpnrLookup *lookup, const char *server, const char *expected)
{
	g_autoptr(GError) error = NULL;
	const GArray *addrs = find(lookup, server, &error);
	char text[VPNR_ADDR_STRLEN];

	g_assert_no_error(error);
	g_assert_cmpuint(addrs->len, ==, 1);
	g_assert_cmpstr(vpnr_addr_format(&g_array_index(addrs, VpnrAddr, 0), text), ==, expected);
}

static void
assert_fails(VpnrLookup *lookup, const char *server, VpnrResolveError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(find(lookup, server, &error));
	g_assert_error(error, VPNR_RESOLVE_ERROR, (int)code);
}

static void
test_fall_back(void)
{
	g_autoptr(VpnrLookup) lookup = vpnr_lookup_new();

	next.answer = NULL;
	next.code = VPNR_RESOLVE_ERROR_TIMED_OUT;
	assert_fails(lookup, "a.example", VPNR_RESOLVE_ERROR_TIMED_OUT);
	g_assert_cmpint(next.timeout_ms, ==, 10000);
	g_assert_cmpuint(next.mark, ==, 7);

	next.answer = "192.0.2.1:1";
	assert_finds(lookup, "a.example", "192.0.2.1:1");
	next.answer = "192.0.2.2:1";
	assert_finds(lookup, "a.example", "192.0.2.2:1");
	g_assert_cmpint(next.timeout_ms, ==, VPNR_LOOKUP_KNOWN_MS);
	next.answer = NULL;
	assert_finds(lookup, "a.example", "192.0.2.2:1");
	assert_finds(lookup, "A.EXAMPLE", "192.0.2.2:1");
}

static void
test_other_server(void)
{
	g_autoptr(VpnrLookup) lookup = vpnr_lookup_new();

	g_test_summary("The addresses of one server are not those of another.");
	next.answer = "192.0.2.1:1";
	assert_finds(lookup, "a.example", "192.0.2.1:1");
	next.answer = NULL;
	next.code = VPNR_RESOLVE_ERROR_NOT_FOUND;
	assert_fails(lookup, "b.example", VPNR_RESOLVE_ERROR_NOT_FOUND);
	assert_fails(lookup, "a.example", VPNR_RESOLVE_ERROR_NOT_FOUND);
}

static void
test_cancelled(void)
{
	g_autoptr(VpnrLookup) lookup = vpnr_lookup_new();

	next.answer = "192.0.2.1:1";
	assert_finds(lookup, "a.example", "192.0.2.1:1");
	next.answer = NULL;
	next.code = VPNR_RESOLVE_ERROR_CANCELLED;
	assert_fails(lookup, "a.example", VPNR_RESOLVE_ERROR_CANCELLED);
}

static void
test_dialled(void)
{
	g_autoptr(VpnrLookup) lookup = vpnr_lookup_new();
	char text[VPNR_ADDR_STRLEN];
	VpnrAddr addr;

	next.answer = "192.0.2.1:1";
	assert_finds(lookup, "a.example", "192.0.2.1:1");
	g_assert_cmpstr(vpnr_addr_format(vpnr_lookup_dialled(lookup), text), ==, "a.example:1");
	g_assert_true(vpnr_addr_parse("192.0.2.1:1", 0, &addr, NULL));
	vpnr_lookup_set_dialled(lookup, &addr);
	g_assert_true(vpnr_addr_equal(vpnr_lookup_dialled(lookup), &addr));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lookup/fall-back", test_fall_back);
	g_test_add_func("/lookup/other-server", test_other_server);
	g_test_add_func("/lookup/cancelled", test_cancelled);
	g_test_add_func("/lookup/dialled", test_dialled);
	return g_test_run();
}
