/* SPDX-License-Identifier: MIT
 *
 * tenant: a session and the streams in it, over links that are plain sockets; the client, which the
 * test plays, has said its HELLO when the link arrives.
 */
#include "server/tenant.h"

#include <string.h>

#include "base/fd.h"
#include "link/greeting.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

typedef struct {
	VpnrStats stats;
	VpnrPool *pool;
	GArray *own_ports;
	VpnrTenant *tenant;
	/* a destination */
	VpnrFd listener;
	VpnrAddr dest;
} Bench;

static VpnrAcl *
make_acl(const char *allow)
{
	const char *const allows[] = { allow, NULL };

	return vpnr_acl_new(allows, NULL, NULL);
}

static VpnrTenant *
new_tenant(Bench *bench)
{
	return vpnr_tenant_new(&(VpnrTenantParams){ .protocol = VPNR_PROTOCOL_V2,
						    .max_streams = 3,
						    .pool = bench->pool,
						    .own_ports = bench->own_ports,
						    .stats = &bench->stats },
			       make_acl("127.0.0.0/8"));
}

static void
bench_init(Bench *bench)
{
	memset(bench, 0, sizeof *bench);
	bench->pool = vpnr_pool_new("pool", 10);
	bench->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	bench->listener = loopback_listen(8, &bench->dest);
	bench->tenant = new_tenant(bench);
}

static void
bench_clear(Bench *bench)
{
	VpnrSessionStatus status;
	guint streams;

	if (vpnr_tenant_status(bench->tenant, &status, &streams))
		vpnr_tenant_end(bench->tenant);
	vpnr_tenant_free(bench->tenant);
	vpnr_pool_free(bench->pool);
	g_array_unref(bench->own_ports);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* The party's next link, on which it has said HELLO. */
static VpnrArrival *
arrive(Party *party)
{
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 7, .ip4 = { 10, 9, 8, 7 } };
	g_autoptr(VpnrFrame) hello = party_hello(party);
	VpnrArrival *arrival;

	party_hang_up(party);
	arrival = vpnr_arrival_new(peer_init(&party->link), &addr);
	arrival->hello = *hello->hello;
	return arrival;
}

/* Takes the server's HELLO. */
static void
hear(Party *party)
{
	VpnrHello hello;

	party_take_hello(party, &hello);
	g_assert_true(hello.has_session);
	g_assert_cmpuint(hello.received, ==, party->sent);
	g_assert_cmpuint(hello.max_streams, ==, 3);
	party->has_session = TRUE;
	party->id = hello.session;
}

static void
begin(Bench *bench, Party *party)
{
	g_autoptr(VpnrArrival) arrival = NULL;
	g_autoptr(GError) error = NULL;

	bench_init(bench);
	party_begin(party, VPNR_ROLE_CLIENT);
	arrival = arrive(party);
	g_assert_true(vpnr_tenant_begin(bench->tenant, "alice", arrival, &error));
	g_assert_true(vpnr_tenant_attach(bench->tenant, arrival, &error));
	g_assert_no_error(error);
	g_assert_null(arrival->transport); /* it was taken */
	hear(party);
}

static int
open_stream(Bench *bench, Party *party)
{
	party_send(party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench->dest));
	party_expect(party, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

static void
test_begin(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	VpnrSessionStatus status;
	guint streams = 0;

	begin(&bench, &party);
	g_assert_true(vpnr_session_id_equal(&party.id, vpnr_tenant_id(bench.tenant)));
	dest = open_stream(&bench, &party);
	g_assert_true(vpnr_tenant_status(bench.tenant, &status, &streams));
	g_assert_true(status.attached);
	g_assert_cmpuint(streams, ==, 1);
	vpnr_tenant_end(bench.tenant);
	loopback_expect_reset(dest);
	g_assert_false(vpnr_tenant_status(bench.tenant, &status, &streams));
}

static void
test_ids(void)
{
	g_test_summary("No two sessions have the same name, and none looks like a default.");

	g_auto(Bench) one;
	g_auto(Bench) two;
	g_auto(Party) party_one;
	g_auto(Party) party_two;
	VpnrSessionId zeros = { { 0 } };

	begin(&one, &party_one);
	begin(&two, &party_two);
	g_assert_false(vpnr_session_id_equal(&party_one.id, &party_two.id));
	g_assert_false(vpnr_session_id_equal(&party_one.id, &zeros));
}

static void
test_next_link(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(VpnrArrival) arrival = NULL;

	begin(&bench, &party);
	dest = open_stream(&bench, &party);
	party_send(&party, peer_data(1, "before", 6));
	loopback_expect(dest, "before", 6);
	vpnr_session_detach(vpnr_tenant_session(bench.tenant));
	party.received--; /* OPENED got lost */
	arrival = arrive(&party);
	g_assert_cmpint(vpnr_tenant_resume(bench.tenant, arrival, NULL), ==, VPNR_TENANT_RESUMED);
	hear(&party);
	party_expect(&party, VPNR_FRAME_OPENED);
	party_send(&party, peer_data(1, "after", 5));
	loopback_expect(dest, "after", 5);
}

static void
test_impossible(void)
{
	g_test_summary("What the client says that it has received must be possible.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(VpnrArrival) arrival = NULL;
	g_autoptr(GError) error = NULL;

	begin(&bench, &party);
	dest = open_stream(&bench, &party);
	arrival = arrive(&party);
	arrival->hello.received = party.received + 1;
	g_assert_cmpint(vpnr_tenant_resume(bench.tenant, arrival, &error), ==, VPNR_TENANT_OVER);
	g_assert_error(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_VIOLATION);
	g_assert_false(vpnr_session_is_attached(vpnr_tenant_session(bench.tenant)));
}

static void
test_broken_link(void)
{
	g_test_summary("A link that is gone before HELLO could be said is none.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_autoptr(VpnrArrival) arrival = NULL;
	g_autoptr(GError) error = NULL;

	begin(&bench, &party);
	vpnr_session_detach(vpnr_tenant_session(bench.tenant));
	arrival = arrive(&party);
	vpnr_transport_shut(arrival->transport);
	g_assert_false(vpnr_tenant_attach(bench.tenant, arrival, &error));
	g_assert_nonnull(error);
	g_assert_false(vpnr_session_is_attached(vpnr_tenant_session(bench.tenant)));
}

static void
expect_acl(VpnrTenant *tenant, VpnrAcl *expected)
{
	g_autoptr(VpnrAcl) acl = vpnr_tenant_acl(tenant);

	g_assert_true(acl == expected);
}

static void
test_acl(void)
{
	g_test_summary("A list is renewed only if it is the one that is known to be old.");

	g_auto(Bench) bench;
	g_autoptr(VpnrAcl) one = make_acl("10.0.0.0/8");
	g_autoptr(VpnrAcl) two = make_acl("10.0.0.0/8");
	g_autoptr(VpnrAcl) three = make_acl("10.0.0.0/8");

	bench_init(&bench);
	vpnr_tenant_set_acl(bench.tenant, one);
	expect_acl(bench.tenant, one);
	vpnr_tenant_renew_acl(bench.tenant, one, two);
	expect_acl(bench.tenant, two);
	vpnr_tenant_renew_acl(bench.tenant, one, three);
	expect_acl(bench.tenant, two);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tenant/begin", test_begin);
	g_test_add_func("/tenant/ids", test_ids);
	g_test_add_func("/tenant/next-link", test_next_link);
	g_test_add_func("/tenant/impossible", test_impossible);
	g_test_add_func("/tenant/broken-link", test_broken_link);
	g_test_add_func("/tenant/acl", test_acl);
	return g_test_run();
}
