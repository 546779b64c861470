/* SPDX-License-Identifier: MIT
 *
 * tenant: a session and the streams in it, over links that are plain sockets; the client, which the
 * test plays, has said its HELLO when the link arrives.
 *
 * Linked with --wrap=vpnr_table_remove, so that a refusal can be held up until its session ends,
 * --wrap=vpnr_table_set_frame_size, which notes what a table was told, and
 * --wrap=vpnr_nameserver_list, since the machine's name servers are the test's business.
 */
#include "server/tenant.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "link/greeting.h"
#include "proto/v2.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

typedef struct {
	VpnrStats stats;
	VpnrPool *pool;
	GArray *own_ports;
	VpnrResolver *resolver;
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
new_tenant(Bench *bench, guint udp_timeout_s)
{
	return vpnr_tenant_new(&(VpnrTenantParams){ .protocol = VPNR_PROTOCOL_V2,
						    .max_streams = 3,
						    .udp_timeout_s = udp_timeout_s,
						    .pool = bench->pool,
						    .own_ports = bench->own_ports,
						    .resolver = bench->resolver,
						    .stats = &bench->stats },
			       make_acl("127.0.0.0/8"));
}

static void
bench_init_full(Bench *bench, guint threads, guint udp_timeout_s)
{
	memset(bench, 0, sizeof *bench);
	bench->pool = vpnr_pool_new("pool", threads);
	bench->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	bench->resolver = vpnr_resolver_new();
	bench->listener = loopback_listen(8, &bench->dest);
	bench->tenant = new_tenant(bench, udp_timeout_s);
}

static void
bench_init(Bench *bench)
{
	bench_init_full(bench, 10, 300);
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
	vpnr_resolver_free(bench->resolver);
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
	g_assert_true(vpnr_hello_takes_datagrams(&hello));
	party->has_session = TRUE;
	party->id = hello.session;
}

static void
begin_party(Bench *bench, Party *party)
{
	g_autoptr(VpnrArrival) arrival = NULL;
	g_autoptr(GError) error = NULL;

	party_begin(party, VPNR_ROLE_CLIENT);
	party->capabilities = VPNR_CAPABILITY_DATAGRAM;
	arrival = arrive(party);
	g_assert_true(vpnr_tenant_begin(bench->tenant, "alice", NULL, arrival, &error));
	g_assert_true(vpnr_tenant_attach(bench->tenant, arrival, &error));
	g_assert_no_error(error);
	g_assert_null(arrival->transport); /* it was taken */
	hear(party);
}

static void
begin(Bench *bench, Party *party)
{
	bench_init(bench);
	begin_party(bench, party);
}

static int
open_stream(Bench *bench, Party *party)
{
	party_send(party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench->dest));
	party_expect(party, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

/* What a tenant's table was told last. */
static _Atomic gsize frame_size = VPNR_DATA_BULK;

void __real_vpnr_table_set_frame_size(VpnrTable *table, gsize most);
void __wrap_vpnr_table_set_frame_size(VpnrTable *table, gsize most);

void
__wrap_vpnr_table_set_frame_size(VpnrTable *table, gsize most)
{
	atomic_store(&frame_size, most);
	__real_vpnr_table_set_frame_size(table, most);
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
	g_assert_cmpuint(atomic_load(&frame_size), <, VPNR_DATA_BULK); /* a new link's */
	vpnr_tenant_end(bench.tenant);
	loopback_expect_reset(dest);
	g_assert_false(vpnr_tenant_status(bench.tenant, &status, &streams));
}

static void
test_urgent(void)
{
	g_test_summary("A byte that the destination sends as urgent is one of its stream.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	begin(&bench, &party);
	dest = open_stream(&bench, &party);
	g_assert_cmpint(send(dest, "!", 1, MSG_OOB), ==, 1);
	party_expect_data(&party, 1, "!", 1);
}

/* A tenant whose reader is held up, once it has removed a stream that it refuses, until the tenant
 * has no session any more; nullable. */
static VpnrTenant *_Atomic held_up;
static VpnrLatch *removed; /* const while there is one: the reader has come there */

void __real_vpnr_table_remove(VpnrTable *table, VpnrStream *stream);
void __wrap_vpnr_table_remove(VpnrTable *table, VpnrStream *stream);

void
__wrap_vpnr_table_remove(VpnrTable *table, VpnrStream *stream)
{
	VpnrTenant *tenant = atomic_exchange(&held_up, NULL);
	VpnrSessionStatus status;
	guint streams;

	__real_vpnr_table_remove(table, stream);
	if (tenant == NULL)
		return;
	vpnr_latch_trip(removed);
	for (gint64 begin = g_get_monotonic_time(); vpnr_tenant_status(tenant, &status, &streams);
	     patience(begin))
		;
}

static void
test_refused_at_the_end(void)
{
	g_test_summary("The reader may have a refusal to tell while the session is freed.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);

	bench_init_full(&bench, 0, 300); /* no thread for a stream */
	begin_party(&bench, &party);
	removed = latch;
	atomic_store(&held_up, bench.tenant);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	g_assert_true(vpnr_latch_wait(removed, PATIENCE_MS));
	vpnr_tenant_end(bench.tenant);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_STREAMS_REFUSED), ==, 1);
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

/* A destination that says the same as it is told. */
typedef struct {
	VpnrFd fd;
	VpnrAddr addr;
} Echo;

static void
echo_once(const Echo *echo, const guint8 *bytes, gsize n)
{
	VpnrAddr from = loopback_udp_expect(echo->fd, bytes, n);
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(&from, &ss);

	g_assert_cmpint(sendto(echo->fd, bytes, n, 0, (struct sockaddr *)&ss, length), ==, n);
}

static void
exchange(const Echo *echo, Party *party, guint32 id, gsize n)
{
	g_autofree guint8 *bytes = g_malloc(n + 1);

	pattern_fill(bytes, n, n);
	party_send(party, peer_datagram(id, bytes, n));
	echo_once(echo, bytes, n);
	party_expect_datagram(party, id, bytes, n);
}

static void
test_flow(void)
{
	g_test_summary("Datagrams of all sizes go there and back, the first directly behind OPEN.");

	/* 65,507 is what IPv4 has room for; more than 1,472 is cut into fragments on an Ethernet,
	 * and put together again, by the kernel. */
	const gsize sizes[] = { 1472, 1473, 0, 1, 65507 };
	g_auto(Bench) bench;
	g_auto(Party) party;
	Echo echo;

	begin(&bench, &party);
	echo.fd = loopback_udp(&echo.addr);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_UDP, &echo.addr));
	party_send(&party, peer_datagram(1, (const guint8 *)"early", 5));
	party_expect(&party, VPNR_FRAME_OPENED);
	echo_once(&echo, (const guint8 *)"early", 5);
	party_expect_datagram(&party, 1, "early", 5);
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
		exchange(&echo, &party, 1, sizes[i]);
	vpnr_fd_close(echo.fd);
}

static void
test_flow_goes_on(void)
{
	g_test_summary("2.6.15: a flow outlives its link; the datagrams on it do not.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_autoptr(VpnrArrival) arrival = NULL;
	Echo echo;

	begin(&bench, &party);
	echo.fd = loopback_udp(&echo.addr);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_UDP, &echo.addr));
	party_expect(&party, VPNR_FRAME_OPENED);
	exchange(&echo, &party, 1, 100);
	vpnr_session_detach(vpnr_tenant_session(bench.tenant));
	party.received--; /* OPENED got lost, and so did a datagram behind it */
	arrival = arrive(&party);
	g_assert_cmpint(vpnr_tenant_resume(bench.tenant, arrival, NULL), ==, VPNR_TENANT_RESUMED);
	hear(&party);
	party_expect(&party, VPNR_FRAME_OPENED);
	exchange(&echo, &party, 1, 200);
	vpnr_fd_close(echo.fd);
}

static VpnrLinkEnd
wait_for_link_end(const Bench *bench)
{
	const VpnrSession *session = vpnr_tenant_session(bench->tenant);
	struct pollfd fds[VPNR_SESSION_FDS];

	vpnr_session_prepare_poll(session, fds);
	g_assert_cmpint(poll(fds, VPNR_SESSION_FDS, PATIENCE_MS), >, 0);
	return vpnr_session_link_end(session, fds);
}

/* OPEN and a datagram of its flow. */
static GByteArray *
flow_bytes(const VpnrAddr *dest)
{
	g_autoptr(VpnrFrame) open = vpnr_frame_new_open(1, VPNR_KIND_UDP, dest);
	g_autoptr(VpnrFrame) datagram = peer_datagram(1, "lost?", 5);
	GByteArray *bytes = g_byte_array_new();

	vpnr_v2_encode(open, bytes);
	vpnr_v2_encode(datagram, bytes);
	return bytes;
}

/* The client's next link. It sends again what the server's HELLO says that it lacks. */
static void
resume_flow(Bench *bench, Party *party, const VpnrAddr *dest)
{
	g_autoptr(VpnrArrival) arrival = arrive(party);
	VpnrHello hello;

	g_assert_cmpint(vpnr_tenant_resume(bench->tenant, arrival, NULL), ==, VPNR_TENANT_RESUMED);
	party_take_hello(party, &hello);
	g_assert_cmpuint(hello.received, <=, 1);
	if (hello.received == 0)
		party_send(party, vpnr_frame_new_open(1, VPNR_KIND_UDP, dest));
	party_send(party, peer_datagram(1, "again", 5));
	party_expect(party, VPNR_FRAME_OPENED);
}

static void
test_flow_cut(void)
{
	g_test_summary("2.6.15: whatever the byte after which the link is cut, no DATAGRAM comes "
		       "without its OPEN, and the flow goes on with the next link.");

	VpnrAddr addr;
	g_auto(VpnrFd) dest = loopback_udp(&addr);
	g_autoptr(GByteArray) bytes = flow_bytes(&addr);

	for (gsize n = 0; n <= bytes->len; n++) {
		g_auto(Bench) bench;
		g_auto(Party) party;
		VpnrLinkEnd end;

		begin(&bench, &party);
		peer_send_bytes(&party.link, bytes->data, n);
		peer_end(&party.link);
		end = wait_for_link_end(&bench);
		g_assert_cmpint(end, ==, VPNR_LINK_LOST);
		vpnr_session_detach(vpnr_tenant_session(bench.tenant));
		resume_flow(&bench, &party, &addr);
		if (n == bytes->len)
			loopback_udp_expect(dest, "lost?", 5);
		loopback_udp_expect(dest, "again", 5);
		g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 0);
	}
}

static void
test_flow_refused(void)
{
	g_test_summary("2.6.16: that nobody listens ends the flow, when the network says so.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) closed = -1;
	VpnrAddr addr;

	begin(&bench, &party);
	addr = loopback_udp_closed(&closed);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_UDP, &addr));
	party_expect(&party, VPNR_FRAME_OPENED);
	party_send(&party, peer_datagram(1, (const guint8 *)"x", 1));
	party_expect_reset(&party, 1, VPNR_REASON_REFUSED);
}

static VpnrAddr nameservers[2];

GArray *__wrap_vpnr_nameserver_list(GError **error);

GArray *
__wrap_vpnr_nameserver_list(G_GNUC_UNUSED GError **error)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));

	return g_array_append_vals(list, nameservers, G_N_ELEMENTS(nameservers));
}

static void
ask_resolver(Party *party, guint32 id)
{
	VpnrAddr resolver = { .type = VPNR_ADDR_NAME, .port = VPNR_RESOLVER_PORT };

	g_strlcpy(resolver.name, VPNR_RESOLVER_NAME, sizeof resolver.name);
	party_send(party, vpnr_frame_new_open(id, VPNR_KIND_UDP, &resolver));
	party_expect(party, VPNR_FRAME_OPENED);
	party_send(party, peer_datagram(id, (const guint8 *)"who?", 4));
}

static void
test_flow_resolver(void)
{
	g_test_summary("2.6.17: a name server that does not answer is not asked again.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) closed = -1;
	Echo echo;

	begin(&bench, &party);
	echo.fd = loopback_udp(&echo.addr);
	nameservers[0] = loopback_udp_closed(&closed);
	nameservers[1] = echo.addr;
	ask_resolver(&party, 1);
	party_expect_reset(&party, 1, VPNR_REASON_REFUSED);
	ask_resolver(&party, 3);
	echo_once(&echo, (const guint8 *)"who?", 4);
	party_expect_datagram(&party, 3, "who?", 4);
	ask_resolver(&party, 5);
	echo_once(&echo, (const guint8 *)"who?", 4);
	party_expect_datagram(&party, 5, "who?", 4);
	vpnr_fd_close(echo.fd);
}

static void
test_flow_idle(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrAddr addr;
	g_auto(VpnrFd) dest = -1;

	dest = loopback_udp(&addr);
	bench_init_full(&bench, 10, 1);
	begin_party(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_UDP, &addr));
	party_expect(&party, VPNR_FRAME_OPENED);
	party_expect_reset(&party, 1, VPNR_REASON_TIMED_OUT);
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
	g_test_add_func("/tenant/urgent", test_urgent);
	g_test_add_func("/tenant/refused-at-the-end", test_refused_at_the_end);
	g_test_add_func("/tenant/ids", test_ids);
	g_test_add_func("/tenant/next-link", test_next_link);
	g_test_add_func("/tenant/flow/echo", test_flow);
	g_test_add_func("/tenant/flow/goes-on", test_flow_goes_on);
	g_test_add_func("/tenant/flow/cut", test_flow_cut);
	g_test_add_func("/tenant/flow/refused", test_flow_refused);
	g_test_add_func("/tenant/flow/resolver", test_flow_resolver);
	g_test_add_func("/tenant/flow/idle", test_flow_idle);
	g_test_add_func("/tenant/impossible", test_impossible);
	g_test_add_func("/tenant/broken-link", test_broken_link);
	g_test_add_func("/tenant/acl", test_acl);
	return g_test_run();
}
