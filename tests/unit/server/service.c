/* SPDX-License-Identifier: MIT
 *
 * service: one link from the accepted socket to the end, with a client that the test plays and
 * destinations on loopback.
 */
#include "server/service.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "proto/v1.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Microseconds in which a service that is dismissed must have ended: half a second for the peer's
 * answer to GOAWAY, as much for the writer, and a margin for a busy machine. */
#define DISMISS_US 5000000

/* Milliseconds without room in a socket after which it is taken for stalled. A longer stall than
 * this is not waited for: then the test only tests less. */
#define STALL_MS 50

typedef struct {
	VpnrKey server_key; /* private */
	VpnrKey client_key; /* private */
	VpnrKey client_public;
	VpnrAcl *acl;
	GArray *own_ports;
	VpnrStats stats;
	VpnrPool *pool;
	_Atomic guint n_asked;    /* authorise() */
	_Atomic guint n_settled;  /* settled() */
	_Atomic guint n_welcomes; /* how often authorise() says yes */
	VpnrService *service;
	VpnrThread *thread;
	int client_fd; /* until a peer takes it */
	/* a destination */
	VpnrFd listener;
	VpnrAddr dest;
} Bench;

static gboolean
on_authorise(gpointer data, const VpnrKey *key, char **name, VpnrAcl **acl)
{
	Bench *bench = data;

	if (!vpnr_key_equal(key, &bench->client_public) ||
	    atomic_fetch_add(&bench->n_asked, 1) >= atomic_load(&bench->n_welcomes))
		return FALSE;
	*name = g_strdup("alice");
	*acl = vpnr_acl_ref(bench->acl);
	return TRUE;
}

static void
on_settled(gpointer data, VpnrService *service)
{
	Bench *bench = data;

	atomic_fetch_add(&bench->n_settled, 1);
}

static const VpnrServiceHost host = { .authorise = on_authorise, .settled = on_settled };

static void
run_service(gpointer data)
{
	vpnr_service_run(data);
}

static VpnrAcl *
make_acl(const char *allow)
{
	const char *const allows[] = { allow, NULL };

	return vpnr_acl_new(allows, NULL, NULL);
}

/* A service whose client is to come. */
static void
start_with(Bench *bench, VpnrProtocol protocol, guint max_threads)
{
	g_autoptr(GError) error = NULL;
	VpnrServiceParams params = {
		.protocol = protocol,
		.peer = { .type = VPNR_ADDR_IPV4, .port = 7, .ip4 = { 10, 9, 8, 7 } },
		.max_streams = 3,
		.host = &host,
		.host_data = bench
	};

	memset(bench, 0, sizeof *bench);
	atomic_store(&bench->n_welcomes, G_MAXUINT);
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&bench->client_key, NULL));
	g_assert_true(vpnr_keys_derive_public(&bench->client_key, &bench->client_public, NULL));
	bench->acl = make_acl("127.0.0.0/8");
	bench->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	bench->pool = vpnr_pool_new("pool", max_threads);
	bench->listener = loopback_listen(8, &bench->dest);
	loopback_pair(&params.fd, &bench->client_fd);
	params.acl = protocol != VPNR_PROTOCOL_V2 ? vpnr_acl_ref(bench->acl) : NULL;
	params.private_key = &bench->server_key;
	params.own_ports = bench->own_ports;
	params.pool = bench->pool;
	params.stats = &bench->stats;
	bench->service = vpnr_service_new(&params, &error);
	g_assert_no_error(error);
	bench->thread = vpnr_thread_start("service", run_service, bench->service, NULL);
	g_assert_nonnull(bench->thread);
}

static void
start(Bench *bench, VpnrProtocol protocol)
{
	start_with(bench, protocol, 10);
}

/* Waits for the service's own end. */
static void
join(Bench *bench)
{
	vpnr_thread_join(g_steal_pointer(&bench->thread));
	g_assert_cmpuint(atomic_load(&bench->n_settled), ==, 1);
}

static void
bench_clear(Bench *bench)
{
	if (bench->thread != NULL) {
		vpnr_service_dismiss(bench->service);
		join(bench);
	}
	vpnr_service_free(bench->service);
	vpnr_pool_free(bench->pool);
	vpnr_fd_close(bench->client_fd);
	vpnr_fd_close(bench->listener);
	vpnr_acl_unref(bench->acl);
	g_array_unref(bench->own_ports);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Plays the client up to its HELLO and the server's PING. */
static void
connect_client(Bench *bench, Peer *peer)
{
	g_assert_true(peer_init_tls(peer, vpnr_fd_steal(&bench->client_fd), VPNR_ROLE_CLIENT,
				    &bench->client_key));
	peer_send_hello(peer);
	peer_expect(peer, VPNR_FRAME_HELLO);
	peer_expect(peer, VPNR_FRAME_PING);
}

/* Opens a stream to the destination; returns the destination's end. */
static int
open_stream(Bench *bench, Peer *peer, guint32 id)
{
	peer_send(peer, vpnr_frame_new_open(id, &bench->dest));
	peer_expect(peer, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void
test_stream(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	dest = open_stream(&bench, &peer, 1);
	peer_send(&peer, peer_data(1, "request", 7));
	peer_send(&peer, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	loopback_expect(dest, "request", 7);
	loopback_expect_end(dest);
	loopback_send(dest, "answer", 6);
	peer_expect_data(&peer, 1, "answer", 6);
	vpnr_fd_close(vpnr_fd_steal(&dest));
	peer_expect(&peer, VPNR_FRAME_FIN);
}

static void
test_refused(void)
{
	g_test_summary("2.6.3: a destination that refuses is a RESET with that reason.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;

	start(&bench, VPNR_PROTOCOL_V2);
	vpnr_fd_close(vpnr_fd_steal(&bench.listener));
	bench.listener = loopback_listen(-1, &bench.dest);
	connect_client(&bench, &peer);
	peer_send(&peer, vpnr_frame_new_open(1, &bench.dest));
	peer_expect_reset(&peer, 1, VPNR_REASON_REFUSED);
}

static void
test_udp(void)
{
	g_test_summary("2.6.11: UDP is denied in this version.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	VpnrFrame *open;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	open = vpnr_frame_new_open(1, &bench.dest);
	open->open.kind = VPNR_KIND_UDP;
	peer_send(&peer, open);
	peer_expect_reset(&peer, 1, VPNR_REASON_DENIED);
}

static void
test_limit(void)
{
	g_test_summary("2.9.1: an OPEN above max-streams is refused, and no violation.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) one = -1;
	g_auto(VpnrFd) two = -1;
	g_auto(VpnrFd) three = -1;
	g_auto(VpnrFd) five = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	one = open_stream(&bench, &peer, 1);
	two = open_stream(&bench, &peer, 2);
	three = open_stream(&bench, &peer, 3);
	g_assert_cmpuint(vpnr_service_status(bench.service).streams, ==, 3);
	peer_send(&peer, vpnr_frame_new_open(4, &bench.dest));
	peer_expect_reset(&peer, 4, VPNR_REASON_LIMIT);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_STREAMS_REFUSED), ==, 1);
	peer_send(&peer, vpnr_frame_new_reset(2, VPNR_REASON_ABORTED));
	loopback_expect_reset(two);
	for (gint64 begin = g_get_monotonic_time(); vpnr_service_status(bench.service).streams > 2;
	     patience(begin))
		;
	five = open_stream(&bench, &peer, 5);
}

static void
test_no_thread(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;

	start_with(&bench, VPNR_PROTOCOL_V2, 0);
	connect_client(&bench, &peer);
	peer_send(&peer, vpnr_frame_new_open(1, &bench.dest));
	peer_expect_reset(&peer, 1, VPNR_REASON_LIMIT);
	g_assert_cmpuint(vpnr_service_status(bench.service).streams, ==, 0);
}

static void
test_violation(void)
{
	g_test_summary("2.6.1: an id that is not above all earlier ones ends the link.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	dest = open_stream(&bench, &peer, 5);
	peer_send(&peer, vpnr_frame_new_open(5, &bench.dest));
	peer_expect_goaway(&peer, VPNR_REASON_PROTOCOL);
	join(&bench);
	loopback_expect_reset(dest);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED), ==, 1);
}

static void
test_client_gone(void)
{
	g_test_summary("When the link breaks, the destinations are reset.");

	g_auto(Bench) bench;
	Peer peer;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	dest = open_stream(&bench, &peer, 1);
	peer_clear(&peer);
	loopback_expect_reset(dest);
	join(&bench);
}

/* --- who may ---------------------------------------------------------------------------------- */

static void
test_status(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;
	VpnrServiceStatus status;

	start(&bench, VPNR_PROTOCOL_V2);
	status = vpnr_service_status(bench.service);
	g_assert_null(status.client);
	g_assert_null(vpnr_service_key(bench.service));
	connect_client(&bench, &peer);
	status = vpnr_service_status(bench.service);
	g_assert_cmpstr(status.client, ==, "alice");
	g_assert_cmpstr(status.software, ==, "peer 1.0");
	g_assert_cmpint(status.protocol, ==, VPNR_PROTOCOL_V2);
	g_assert_cmpuint(status.streams, ==, 0);
	g_assert_cmpuint(status.peer.port, ==, 7);
	g_assert_true(vpnr_addr_equal(vpnr_service_peer(bench.service), &status.peer));
	g_assert_true(vpnr_key_equal(vpnr_service_key(bench.service), &bench.client_public));
	g_assert_cmpuint(atomic_load(&bench.n_settled), ==, 1);
}

static void
test_unauthorised(void)
{
	g_test_summary("2.1.4: a client with another key gets no frame.");

	g_auto(Bench) bench;
	Peer peer;
	VpnrKey other;

	start(&bench, VPNR_PROTOCOL_V2);
	g_assert_true(vpnr_keys_generate(&other, NULL));
	if (peer_init_tls(&peer, vpnr_fd_steal(&bench.client_fd), VPNR_ROLE_CLIENT, &other)) {
		guint8 byte;

		g_assert_cmpint(vpnr_transport_recv(peer.tls, &byte, 1, PATIENCE_MS), ==,
				VPNR_TRANSPORT_FAILED);
		peer_clear(&peer);
	}
	join(&bench);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED), ==, 1);
	g_assert_null(vpnr_service_key(bench.service));
}

static void
test_taken_away_meanwhile(void)
{
	g_test_summary("A key that was taken away during the handshake does not slip through.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	guint8 byte;

	start(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&bench.n_welcomes, 1);
	g_assert_true(peer_init_tls(&peer, vpnr_fd_steal(&bench.client_fd), VPNR_ROLE_CLIENT,
				    &bench.client_key));
	join(&bench);
	g_assert_cmpint(vpnr_transport_recv(peer.tls, &byte, 1, PATIENCE_MS), <=, 0);
}

static void
test_new_acl(void)
{
	g_test_summary("A new access list is for the next stream; those that are open stay.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(VpnrAcl) other = make_acl("192.0.2.0/24");
	g_autoptr(VpnrAcl) now = NULL;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	dest = open_stream(&bench, &peer, 1);
	vpnr_service_set_acl(bench.service, other);
	now = vpnr_service_acl(bench.service);
	g_assert_true(now == other);
	peer_send(&peer, vpnr_frame_new_open(2, &bench.dest));
	peer_expect_reset(&peer, 2, VPNR_REASON_DENIED);
	loopback_send(dest, "still open", 10);
	peer_expect_data(&peer, 1, "still open", 10);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
dismiss_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_service_dismiss(bench->service);
	join(bench);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, DISMISS_US);
}

static void
test_dismiss(void)
{
	g_test_summary("A dismissed service says GOAWAY and resets its destinations, whether the "
		       "client answers or not.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &peer);
	dest = open_stream(&bench, &peer, 1);
	dismiss_in_time(&bench);
	peer_expect_goaway(&peer, VPNR_REASON_NONE);
	loopback_expect_reset(dest);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED), ==, 0);
}

static void
test_dismiss_while_dialling(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_auto(VpnrFd) queued = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	vpnr_fd_close(vpnr_fd_steal(&bench.listener));
	bench.listener = loopback_listen(0, &bench.dest); /* its queue is full, so it is silent */
	queued = loopback_connect(&bench.dest);
	connect_client(&bench, &peer);
	peer_send(&peer, vpnr_frame_new_open(1, &bench.dest));
	for (gint64 begin = g_get_monotonic_time(); vpnr_service_status(bench.service).streams == 0;
	     patience(begin))
		;
	dismiss_in_time(&bench);
}

static void
test_dismiss_before_the_end_of_the_handshake(void)
{
	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	dismiss_in_time(&bench);
	loopback_expect_end(bench.client_fd);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED), ==, 0);
}

static void
test_never_run(void)
{
	g_auto(VpnrFd) theirs = -1;
	g_autoptr(GError) error = NULL;
	VpnrServiceParams params = { .protocol = VPNR_PROTOCOL_V2 };
	VpnrService *service;

	loopback_pair(&params.fd, &theirs);
	service = vpnr_service_new(&params, &error);
	g_assert_no_error(error);
	vpnr_service_free(service);
	loopback_expect_end(theirs);
}

/* --- VPNr/1 ----------------------------------------------------------------------------------- */

static void
test_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) dest = -1;
	guint8 open[] = { 7 + 5, 0, 9, 0, 127, 0, 0, 1, 0, 0, 'h', 'e', 'l', 'l', 'o' };
	const guint8 answer[] = { 7 + 2, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'h', 'i' };
	const guint8 fail[] = { 7, 0, 9, 1, 0, 0, 0, 0, 0, 0 };

	start(&bench, VPNR_PROTOCOL_V1);
	open[8] = (guint8)(bench.dest.port >> 8);
	open[9] = (guint8)bench.dest.port;
	loopback_send(bench.client_fd, open, sizeof open);
	dest = loopback_accept(bench.listener);
	loopback_expect(dest, "hello", 5);
	loopback_send(dest, "hi", 2);
	loopback_expect(bench.client_fd, answer, sizeof answer);
	g_assert_cmpuint(atomic_load(&bench.n_settled), ==, 1);
	g_assert_cmpuint(atomic_load(&bench.n_asked), ==, 0);
	vpnr_fd_abort(vpnr_fd_steal(&dest));
	loopback_expect(bench.client_fd, fail, sizeof fail);
	dismiss_in_time(&bench);
	loopback_expect_end(bench.client_fd);
}

/* Sends frames of 500 bytes until neither the link nor its reader takes more. */
static void
fill_link(Bench *bench, const guint8 *frame, gsize n)
{
	struct pollfd pfd = { .fd = bench->client_fd, .events = POLLOUT };
	gsize at = 0;

	loopback_set_blocking(bench->client_fd, FALSE);
	while (poll(&pfd, 1, STALL_MS) == 1) {
		gssize sent = send(bench->client_fd, frame + at, n - at, MSG_NOSIGNAL);

		g_assert_cmpint(sent, >, 0);
		at = (at + (gsize)sent) % n;
	}
}

static void
test_v1_stalled(void)
{
	g_test_summary("1.1.3: a destination that reads nothing holds the link up, and a dismissal "
		       "ends it all the same.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) dest = -1;
	guint8 frame[VPNR_V1_HEADER + VPNR_V1_MSG_MAX] = { 251, 0, 9, VPNR_V1_LONG, 127, 0, 0, 1 };

	start(&bench, VPNR_PROTOCOL_V1);
	frame[8] = (guint8)(bench.dest.port >> 8);
	frame[9] = (guint8)bench.dest.port;
	loopback_shrink(bench.client_fd);
	loopback_send(bench.client_fd, frame, sizeof frame);
	dest = loopback_accept(bench.listener);
	fill_link(&bench, frame, sizeof frame);
	dismiss_in_time(&bench);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/service/stream", test_stream);
	g_test_add_func("/service/refused", test_refused);
	g_test_add_func("/service/udp", test_udp);
	g_test_add_func("/service/limit", test_limit);
	g_test_add_func("/service/no-thread", test_no_thread);
	g_test_add_func("/service/violation", test_violation);
	g_test_add_func("/service/client-gone", test_client_gone);
	g_test_add_func("/service/status", test_status);
	g_test_add_func("/service/unauthorised", test_unauthorised);
	g_test_add_func("/service/taken-away", test_taken_away_meanwhile);
	g_test_add_func("/service/new-acl", test_new_acl);
	g_test_add_func("/service/dismiss", test_dismiss);
	g_test_add_func("/service/dismiss/dialling", test_dismiss_while_dialling);
	g_test_add_func("/service/dismiss/handshake", test_dismiss_before_the_end_of_the_handshake);
	g_test_add_func("/service/never-run", test_never_run);
	g_test_add_func("/service/v1", test_v1);
	g_test_add_func("/service/v1/stalled", test_v1_stalled);
	return g_test_run();
}
