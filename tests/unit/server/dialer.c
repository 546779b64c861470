/* SPDX-License-Identifier: MIT
 *
 * dialer: what a destination comes to: a connection, or the reason that the client is told
 * (docs/protocol.md, 2.6.3). What name server the machine has is the test's business: it is linked
 * with --wrap=vpnr_nameserver_list.
 */
#include "server/dialer.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/nameserver.h"
#include "base/resolve.h"
#include "base/thread.h"
#include "stream/worker.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"
#include "tests/unit/stream/rig.h"

/* A stream that is to be connected. */
typedef struct {
	Rig rig;
	VpnrStream *stream;
	VpnrAcl *acl;
	GArray *own_ports;
	VpnrResolver *resolver;
	VpnrKind kind;
	VpnrAddr dest;
	/* what came of it */
	int fd;
	VpnrReason reason;
} Bench;

/* What __wrap_vpnr_nameserver_list() says; port 0: there is none. */
static VpnrAddr nameserver;

GArray *__wrap_vpnr_nameserver_list(GError **error);

GArray *
__wrap_vpnr_nameserver_list(GError **error)
{
	GArray *list;

	if (nameserver.port == 0) {
		g_set_error_literal(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_NOT_FOUND,
				    "none");
		return NULL;
	}
	list = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	g_array_append_val(list, nameserver);
	return list;
}

static VpnrAcl *
make_acl(const char *allow, const char *deny)
{
	const char *const allows[] = { allow, NULL };
	const char *const denies[] = { deny, NULL };
	g_autoptr(GError) error = NULL;
	VpnrAcl *acl = vpnr_acl_new(allows, denies, &error);

	g_assert_no_error(error);
	return acl;
}

static void
bench_init(Bench *bench, const VpnrAddr *dest)
{
	memset(bench, 0, sizeof *bench);
	rig_init(&bench->rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&bench->rig, 1, &bench->stream), ==, VPNR_TABLE_OK);
	bench->acl = make_acl("127.0.0.0/8", NULL);
	bench->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	bench->resolver = vpnr_resolver_new();
	bench->kind = VPNR_KIND_TCP;
	bench->dest = *dest;
}

static void
bench_clear(Bench *bench)
{
	vpnr_fd_close(bench->fd);
	vpnr_acl_unref(bench->acl);
	g_array_unref(bench->own_ports);
	vpnr_resolver_free(bench->resolver);
	rig_clear(&bench->rig);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Connects, and ends the stream by failing it. */
static void
dial(gpointer data)
{
	Bench *bench = data;
	VpnrDialer dialer = { .client = "test",
			      .acl = bench->acl,
			      .own_ports = bench->own_ports,
			      .resolver = bench->resolver,
			      .stats = &bench->rig.stats };
	VpnrCancel cancel;
	VpnrWorker worker;

	bench->fd = -1;
	bench->reason = VPNR_REASON_ABORTED;
	vpnr_worker_init(&worker, bench->rig.table, bench->stream);
	if (vpnr_worker_prepare_cancel(&worker, &cancel))
		bench->fd = vpnr_dialer_connect(&dialer, bench->kind, &bench->dest, &cancel,
						&bench->reason);
	vpnr_worker_fail(&worker, VPNR_REASON_INTERNAL);
}

static void
expect_reason(Bench *bench, VpnrReason reason)
{
	dial(bench);
	rig_expect(&bench->rig, VPNR_FRAME_RESET, 1);
	g_assert_cmpint(bench->fd, ==, -1);
	g_assert_cmpint(bench->reason, ==, reason);
	g_assert_cmpuint(vpnr_stats_get(&bench->rig.stats, VPNR_STAT_STREAMS_DENIED), ==,
			 reason == VPNR_REASON_DENIED);
}

static void
expect_connected(Bench *bench, int listener)
{
	g_auto(VpnrFd) theirs = -1;

	dial(bench);
	rig_expect(&bench->rig, VPNR_FRAME_RESET, 1);
	g_assert_cmpint(bench->fd, >=, 0);
	theirs = loopback_accept(listener);
	loopback_send(theirs, "x", 1);
	loopback_set_blocking(bench->fd, TRUE);
	loopback_expect(bench->fd, "x", 1);
}

static VpnrAddr
named(const char *name, guint16 port)
{
	VpnrAddr addr = { .type = VPNR_ADDR_NAME, .port = port };

	g_strlcpy(addr.name, name, sizeof addr.name);
	return addr;
}

static void
test_connected(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(8, &addr);

	bench_init(&bench, &addr);
	expect_connected(&bench, listener);
}

static void
test_name(void)
{
	g_test_summary("A name is resolved here, and the access list asked about its address.");

	g_auto(Bench) bench;
	VpnrAddr addr, name;
	g_auto(VpnrFd) listener = loopback_listen(8, &addr);

	name = named("localhost", addr.port);
	bench_init(&bench, &name);
	expect_connected(&bench, listener);
}

static void
test_refused(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr;
	g_auto(VpnrFd) closed = -1;

	closed = loopback_listen(-1, &addr);
	bench_init(&bench, &addr);
	expect_reason(&bench, VPNR_REASON_REFUSED);
}

static void
test_unreachable(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 255, 255, 255, 255 } };

	bench_init(&bench, &addr);
	vpnr_acl_unref(bench.acl);
	bench.acl = make_acl("255.255.255.255", NULL);
	expect_reason(&bench, VPNR_REASON_UNREACHABLE);
}

static void
test_no_descriptor(void)
{
	g_test_summary("2.3.1: a limit, when this machine has no descriptor left.");

	g_auto(Bench) bench;
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 1 } };
	struct rlimit before;
	struct rlimit none;

	bench_init(&bench, &addr);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	dial(&bench);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	rig_expect(&bench.rig, VPNR_FRAME_RESET, 1);
	g_assert_cmpint(bench.fd, ==, -1);
	g_assert_cmpint(bench.reason, ==, VPNR_REASON_LIMIT);
	g_assert_cmpuint(vpnr_stats_get(&bench.rig.stats, VPNR_STAT_STREAMS_REFUSED), ==, 1);
}

static void
test_denied(void)
{
	g_test_summary("A destination that is denied is not even dialled.");

	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(8, &addr);
	VpnrAddr dests[] = { addr, named("localhost", addr.port) };

	loopback_set_blocking(listener, FALSE);
	for (guint i = 0; i < G_N_ELEMENTS(dests); i++) {
		g_auto(Bench) bench;

		bench_init(&bench, &dests[i]);
		vpnr_acl_unref(bench.acl);
		bench.acl = make_acl("0.0.0.0/0", NULL); /* does not open loopback */
		expect_reason(&bench, VPNR_REASON_DENIED);
		g_assert_cmpint(accept(listener, NULL, NULL), ==, -1);
	}
}

static void
test_own_port(void)
{
	g_test_summary("A port of this server on this machine is denied, whatever the list says; "
		       "the same port elsewhere is not.");

	g_auto(Bench) own;
	g_auto(Bench) other;
	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(8, &addr);

	bench_init(&own, &addr);
	g_array_append_val(own.own_ports, addr.port);
	expect_reason(&own, VPNR_REASON_DENIED);

	vpnr_fd_close(loopback_accept(listener));
	bench_init(&other, &addr);
	addr.port++;
	g_array_append_val(other.own_ports, addr.port);
	expect_connected(&other, listener);
}

static void
test_own_port_by_name(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr, name;
	g_auto(VpnrFd) listener = loopback_listen(8, &addr);

	g_assert_cmpint(listener, >=, 0);
	name = named("localhost", addr.port);
	bench_init(&bench, &name);
	g_array_append_val(bench.own_ports, addr.port);
	expect_reason(&bench, VPNR_REASON_DENIED);
}

/* The socket sends to theirs, and takes what comes back. */
static void
expect_udp(Bench *bench, int theirs)
{
	VpnrAddr ours;

	bench->kind = VPNR_KIND_UDP;
	dial(bench);
	rig_expect(&bench->rig, VPNR_FRAME_RESET, 1);
	g_assert_cmpint(bench->fd, >=, 0);
	loopback_send(bench->fd, "question", 8);
	ours = loopback_udp_expect(theirs, "question", 8);
	loopback_udp_connect(theirs, &ours);
	loopback_send(theirs, "answer", 6);
	loopback_set_blocking(bench->fd, TRUE);
	loopback_udp_expect(bench->fd, "answer", 6);
}

static void
test_udp(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr, name;
	g_auto(VpnrFd) theirs = loopback_udp(&addr);

	name = named("localhost", addr.port);
	bench_init(&bench, &name);
	expect_udp(&bench, theirs);
}

static void
test_udp_denied(void)
{
	g_test_summary("The rules of the access list, ports and all, are those of UDP, too.");

	g_auto(Bench) bench;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 1 } };

	bench_init(&bench, &dest);
	bench.kind = VPNR_KIND_UDP;
	vpnr_acl_unref(bench.acl);
	bench.acl = make_acl("127.0.0.0/8", "127.0.0.1:9");
	expect_reason(&bench, VPNR_REASON_DENIED);
}

static void
test_udp_own_port(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr;
	g_auto(VpnrFd) theirs = -1;

	theirs = loopback_udp(&addr);
	bench_init(&bench, &addr);
	bench.kind = VPNR_KIND_UDP;
	g_array_append_val(bench.own_ports, addr.port);
	expect_reason(&bench, VPNR_REASON_DENIED);
}

static void
test_udp_unreachable(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 255, 255, 255, 255 } };

	bench_init(&bench, &addr);
	bench.kind = VPNR_KIND_UDP;
	vpnr_acl_unref(bench.acl);
	bench.acl = make_acl("255.255.255.255", NULL);
	expect_reason(&bench, VPNR_REASON_UNREACHABLE);
}

static void
test_resolver(void)
{
	g_test_summary("2.6.17: the name server may be reached although loopback may not.");

	g_auto(Bench) udp;
	g_auto(Bench) tcp;
	VpnrAddr dest = named("Resolver.Invalid", 53);
	g_auto(VpnrFd) theirs = loopback_udp(&nameserver);
	g_auto(VpnrFd) listener = -1;

	bench_init(&udp, &dest);
	vpnr_acl_unref(udp.acl);
	udp.acl = make_acl("10.0.0.0/8", NULL);
	expect_udp(&udp, theirs);

	listener = loopback_listen(8, &nameserver);
	bench_init(&tcp, &dest);
	vpnr_acl_unref(tcp.acl);
	tcp.acl = make_acl("10.0.0.0/8", "0.0.0.0/0");
	expect_connected(&tcp, listener);
}

static void
expect_no_resolver(guint16 port, const char *deny, VpnrReason reason)
{
	g_auto(Bench) bench;
	VpnrAddr dest = named("resolver.invalid", port);

	bench_init(&bench, &dest);
	bench.kind = VPNR_KIND_UDP;
	vpnr_acl_unref(bench.acl);
	bench.acl = make_acl("0.0.0.0/0", deny);
	expect_reason(&bench, reason);
}

static void
test_no_resolver(void)
{
	g_test_summary("2.6.17: its name may be denied, it has one port, and may not be there.");

	g_auto(VpnrFd) theirs = -1;

	theirs = loopback_udp(&nameserver);
	expect_no_resolver(53, "resolver.invalid", VPNR_REASON_DENIED);
	expect_no_resolver(53, "*.invalid:53", VPNR_REASON_DENIED);
	expect_no_resolver(54, NULL, VPNR_REASON_DENIED);
	nameserver.port = 0;
	expect_no_resolver(53, NULL, VPNR_REASON_NOT_FOUND);
}

static void
test_aborted_before(void)
{
	g_auto(Bench) bench;
	VpnrAddr addr;
	g_auto(VpnrFd) listener = -1;

	listener = loopback_listen(8, &addr);
	bench_init(&bench, &addr);
	g_assert_null(rig_deliver_reset(&bench.rig, 1, VPNR_REASON_ABORTED));
	dial(&bench);
	g_assert_cmpint(bench.fd, ==, -1);
	g_assert_cmpint(bench.reason, ==, VPNR_REASON_ABORTED);
}

static void
test_aborted_meanwhile(void)
{
	g_test_summary("A dial that nobody answers ends when the client gives the stream up.");

	g_auto(Bench) bench;
	VpnrAddr addr;
	g_auto(VpnrFd) full = -1;
	g_auto(VpnrFd) queued = -1;
	VpnrThread *thread;
	VpnrStream *stream;

	full = loopback_listen(0, &addr);
	queued = loopback_connect(&addr);
	bench_init(&bench, &addr);
	stream = vpnr_stream_ref(bench.stream);
	thread = vpnr_thread_start("dialer", dial, &bench, NULL);
	for (gint64 begin = g_get_monotonic_time();
	     atomic_load(&stream->tid) == 0 || !thread_sleeps(atomic_load(&stream->tid));
	     patience(begin))
		;
	g_assert_null(rig_deliver_reset(&bench.rig, 1, VPNR_REASON_ABORTED));
	vpnr_thread_join(thread);
	vpnr_stream_unref(stream);
	g_assert_cmpint(bench.fd, ==, -1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dialer/connected", test_connected);
	g_test_add_func("/dialer/name", test_name);
	g_test_add_func("/dialer/refused", test_refused);
	g_test_add_func("/dialer/unreachable", test_unreachable);
	g_test_add_func("/dialer/no-descriptor", test_no_descriptor);
	g_test_add_func("/dialer/denied", test_denied);
	g_test_add_func("/dialer/own-port", test_own_port);
	g_test_add_func("/dialer/own-port/by-name", test_own_port_by_name);
	g_test_add_func("/dialer/udp/connected", test_udp);
	g_test_add_func("/dialer/udp/denied", test_udp_denied);
	g_test_add_func("/dialer/udp/own-port", test_udp_own_port);
	g_test_add_func("/dialer/udp/unreachable", test_udp_unreachable);
	g_test_add_func("/dialer/resolver/connected", test_resolver);
	g_test_add_func("/dialer/resolver/none", test_no_resolver);
	g_test_add_func("/dialer/aborted/before", test_aborted_before);
	g_test_add_func("/dialer/aborted/meanwhile", test_aborted_meanwhile);
	return g_test_run();
}
