/* SPDX-License-Identifier: MIT
 *
 * service: one session from the accepted socket of its first link to the end, with a client that
 * the test plays and destinations on loopback.
 *
 * Linked with --wrap=vpnr_deadline_after: a test can have all the time there is between two links.
 */
#include "server/service.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "proto/v1.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

/* Microseconds in which a service that is dismissed must have ended: half a second for the peer's
 * answer to GOAWAY, as much for the writer, and a margin for a busy machine; but less than any of
 * the 10 s that it may wait for a peer otherwise. */
#define DISMISS_US 9000000

/* Milliseconds without room in a socket after which it is taken for stalled. A longer stall than
 * this is not waited for: then the test only tests less. */
#define STALL_MS 50

/* Whether a time that is not zero is as long as a test has patience. */
static _Atomic gboolean patient;

gint64 __real_vpnr_deadline_after(int timeout_ms);
gint64 __wrap_vpnr_deadline_after(int timeout_ms);

gint64
__wrap_vpnr_deadline_after(int timeout_ms)
{
	return __real_vpnr_deadline_after(timeout_ms > 0 && atomic_load(&patient) ? PATIENCE_MS
										  : timeout_ms);
}

/* A connection, and the service that it gets. */
typedef struct {
	VpnrService *service;
	VpnrThread *thread;
	int client_fd; /* until a party takes it */
} Guest;

#define GUESTS_MAX 5

typedef struct Bench Bench;

struct Bench {
	VpnrProtocol protocol;
	VpnrKey server_key; /* private */
	VpnrKey client_key; /* private */
	VpnrKey client_public;
	VpnrAcl *acl;
	GArray *own_ports;
	VpnrResolver *resolver;
	VpnrStats stats;
	VpnrRefusals *refusals;
	VpnrPool *pool;
	guint resume_timeout_s;
	_Atomic guint n_asked;    /* authorise() */
	_Atomic guint n_settled;  /* settled() */
	_Atomic guint n_began;    /* began() */
	_Atomic guint n_welcomes; /* how often authorise() says yes */
	/* Called by authorise() when it is asked for the second time, which is after the handshake;
	 * nullable. */
	void (*second)(Bench *bench);
	VpnrAcl *second_acl;     /* the list that it gets then; NULL: acl */
	const char *second_name; /* and the name; NULL: alice */
	Guest guests[GUESTS_MAX];
	_Atomic guint n_guests;
	/* a destination */
	VpnrFd listener;
	VpnrAddr dest;
};

static VpnrAcl *
answer_acl(Bench *bench, guint n_asked)
{
	if (n_asked == 1 && bench->second != NULL)
		bench->second(bench);
	return n_asked == 1 && bench->second_acl != NULL ? bench->second_acl : bench->acl;
}

static gboolean
on_authorise(gpointer data, const VpnrKey *key, char **name, VpnrAcl **acl)
{
	Bench *bench = data;
	guint n_asked;

	if (!vpnr_key_equal(key, &bench->client_public))
		return FALSE;
	n_asked = atomic_fetch_add(&bench->n_asked, 1);
	if (n_asked >= atomic_load(&bench->n_welcomes))
		return FALSE;
	*name = g_strdup(n_asked == 1 && bench->second_name != NULL ? bench->second_name : "alice");
	*acl = vpnr_acl_ref(answer_acl(bench, n_asked));
	return TRUE;
}

static void
on_settled(gpointer data, VpnrService *service)
{
	Bench *bench = data;

	atomic_fetch_add(&bench->n_settled, 1);
}

static gboolean
on_hand_over(gpointer data, const VpnrKey *key, VpnrArrival *arrival)
{
	Bench *bench = data;

	for (guint i = 0; i < atomic_load(&bench->n_guests); i++)
		if (vpnr_service_offer(bench->guests[i].service, key, arrival))
			return TRUE;
	return FALSE;
}

static void
on_began(gpointer data, VpnrService *service)
{
	Bench *bench = data;
	VpnrServiceStatus status = vpnr_service_status(service);

	atomic_fetch_add(&bench->n_began, 1);
	g_assert_cmpint(status.welcoming, ==, bench->protocol == VPNR_PROTOCOL_V2);
	g_assert_cmpint(status.deserted_us, ==, 0); /* its link is on its way */
}

static const VpnrServiceHost host = {
	.authorise = on_authorise,
	.settled = on_settled,
	.hand_over = on_hand_over,
	.began = on_began,
};

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
static Guest *
add_guest(Bench *bench)
{
	g_autoptr(GError) error = NULL;
	guint n = atomic_load(&bench->n_guests);
	Guest *guest = &bench->guests[n];
	gboolean v2 = bench->protocol == VPNR_PROTOCOL_V2;
	VpnrServiceParams params = {
		.peer = { .type = VPNR_ADDR_IPV4,
			  .port = (guint16)(7 + n),
			  .ip4 = { 10, 9, 8, 7 } },
		.acl = v2 ? NULL : vpnr_acl_ref(bench->acl),
		.refusals = bench->refusals,
		.private_key = &bench->server_key,
		.tenant = { .protocol = bench->protocol,
			    .max_streams = 3,
			    .udp_timeout_s = 300,
			    .pool = bench->pool,
			    .own_ports = bench->own_ports,
			    .resolver = bench->resolver,
			    .stats = &bench->stats },
		.resume_timeout_s = bench->resume_timeout_s,
		.host = &host,
		.host_data = bench,
	};

	g_assert_cmpuint(n, <, GUESTS_MAX);
	loopback_pair(&params.fd, &guest->client_fd);
	guest->service = vpnr_service_new(&params, &error);
	g_assert_no_error(error);
	atomic_store(&bench->n_guests, n + 1);
	guest->thread = vpnr_thread_start("service", run_service, guest->service, NULL);
	g_assert_nonnull(guest->thread);
	return guest;
}

static void
prepare(Bench *bench, VpnrProtocol protocol, guint max_threads)
{
	memset(bench, 0, sizeof *bench);
	atomic_store(&patient, FALSE);
	bench->protocol = protocol;
	bench->resume_timeout_s = 300;
	bench->refusals = vpnr_refusals_new(&bench->stats);
	atomic_store(&bench->n_welcomes, G_MAXUINT);
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&bench->client_key, NULL));
	g_assert_true(vpnr_keys_derive_public(&bench->client_key, &bench->client_public, NULL));
	bench->acl = make_acl("127.0.0.0/8");
	bench->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	bench->resolver = vpnr_resolver_new();
	bench->pool = vpnr_pool_new("pool", max_threads);
	bench->listener = loopback_listen(8, &bench->dest);
}

static void
start(Bench *bench, VpnrProtocol protocol)
{
	prepare(bench, protocol, 10);
	add_guest(bench);
}

/* The service of the first connection. */
static VpnrService *
first(Bench *bench)
{
	return bench->guests[0].service;
}

/* Waits for a service's own end. */
static void
join_guest(Guest *guest)
{
	vpnr_thread_join(g_steal_pointer(&guest->thread));
}

/* The same for the only one. */
static void
join(Bench *bench)
{
	join_guest(&bench->guests[0]);
	g_assert_cmpuint(atomic_load(&bench->n_settled), ==, 1);
}

static void
bench_clear(Bench *bench)
{
	guint n = atomic_load(&bench->n_guests);

	for (guint i = 0; i < n; i++)
		vpnr_service_dismiss(bench->guests[i].service, VPNR_REASON_NONE);
	for (guint i = 0; i < n; i++)
		vpnr_thread_join(bench->guests[i].thread);
	for (guint i = 0; i < n; i++) {
		vpnr_service_free(bench->guests[i].service);
		vpnr_fd_close(bench->guests[i].client_fd);
	}
	g_assert_cmpuint(atomic_load(&bench->n_settled), ==, n);
	vpnr_pool_free(bench->pool);
	vpnr_refusals_free(bench->refusals);
	vpnr_fd_close(bench->listener);
	vpnr_acl_unref(bench->acl);
	vpnr_acl_unref(bench->second_acl);
	g_array_unref(bench->own_ports);
	vpnr_resolver_free(bench->resolver);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Plays the client of a guest up to the end of the handshake. */
static void
shake_hands(Bench *bench, Guest *guest, Party *party)
{
	g_assert_true(party_shake_hands(party, vpnr_fd_steal(&guest->client_fd), VPNR_ROLE_CLIENT,
					&bench->client_key));
}

static guint64
stat_of(Bench *bench, VpnrStat stat)
{
	return vpnr_stats_get(&bench->stats, stat);
}

/* A resume is counted when the link has been taken over, so perhaps after its first frame; it is
 * counted last. */
static void
wait_for_stat(Bench *bench, VpnrStat stat, guint64 n)
{
	for (gint64 begin = g_get_monotonic_time(); stat_of(bench, stat) < n; patience(begin))
		;
}

static void
wait_for_link(Bench *bench)
{
	for (gint64 begin = g_get_monotonic_time();
	     !vpnr_service_status(first(bench)).session.attached; patience(begin))
		;
}

/* The same for the first one, up to its session. */
static void
connect_client(Bench *bench, Party *party)
{
	party_begin(party, VPNR_ROLE_CLIENT);
	shake_hands(bench, &bench->guests[0], party);
	g_assert_false(party_greet_server(party));
	wait_for_link(bench);
}

/* The client comes back on another connection, and gets its session. */
static void
connect_again(Bench *bench, Party *party)
{
	party_hang_up(party);
	shake_hands(bench, add_guest(bench), party);
	g_assert_true(party_greet_server(party));
	wait_for_link(bench);
}

/* Breaks the link, and waits until the session has noticed. */
static void
lose_link(Bench *bench, Party *party)
{
	party_hang_up(party);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_service_status(first(bench)).deserted_us == 0; patience(begin))
		;
}

/* Opens a stream to the destination; returns the destination's end. */
static int
open_stream(Bench *bench, Party *party, guint32 id)
{
	party_send(party, vpnr_frame_new_open(id, VPNR_KIND_TCP, &bench->dest));
	party_expect(party, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void
test_stream(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	party_send(&party, peer_data(1, "request", 7));
	party_send(&party, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	loopback_expect(dest, "request", 7);
	loopback_expect_end(dest);
	loopback_send(dest, "answer", 6);
	party_expect_data(&party, 1, "answer", 6);
	vpnr_fd_close(vpnr_fd_steal(&dest));
	party_expect(&party, VPNR_FRAME_FIN);
}

static void
test_refused(void)
{
	g_test_summary("2.6.3: a destination that refuses is a RESET with that reason.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench, VPNR_PROTOCOL_V2);
	vpnr_fd_close(vpnr_fd_steal(&bench.listener));
	bench.listener = loopback_listen(-1, &bench.dest);
	connect_client(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 1, VPNR_REASON_REFUSED);
}

static void
test_no_datagrams(void)
{
	g_test_summary("2.4.8: a client that does not know DATAGRAM gets no flow.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_UDP, &bench.dest));
	party_expect_reset(&party, 1, VPNR_REASON_DENIED);
}

static void
test_limit(void)
{
	g_test_summary("2.9.1: an OPEN above max-streams is refused, and no violation.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) one = -1;
	g_auto(VpnrFd) two = -1;
	g_auto(VpnrFd) three = -1;
	g_auto(VpnrFd) five = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	one = open_stream(&bench, &party, 1);
	two = open_stream(&bench, &party, 2);
	three = open_stream(&bench, &party, 3);
	g_assert_cmpuint(vpnr_service_status(first(&bench)).streams, ==, 3);
	party_send(&party, vpnr_frame_new_open(4, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 4, VPNR_REASON_LIMIT);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_REFUSED), ==, 1);
	party_send(&party, vpnr_frame_new_reset(2, VPNR_REASON_ABORTED));
	loopback_expect_reset(two);
	for (gint64 begin = g_get_monotonic_time(); vpnr_service_status(first(&bench)).streams > 2;
	     patience(begin))
		;
	five = open_stream(&bench, &party, 5);
}

static void
test_no_thread(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;

	prepare(&bench, VPNR_PROTOCOL_V2, 0);
	add_guest(&bench);
	connect_client(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 1, VPNR_REASON_LIMIT);
	g_assert_cmpuint(vpnr_service_status(first(&bench)).streams, ==, 0);
}

static void
test_violation(void)
{
	g_test_summary("2.6.1: an id that is not above all earlier ones ends the link.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 5);
	party_send(&party, vpnr_frame_new_open(5, VPNR_KIND_TCP, &bench.dest));
	party_expect_goaway(&party, VPNR_REASON_PROTOCOL);
	join(&bench);
	loopback_expect_reset(dest);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 1);
}

/* --- who may ---------------------------------------------------------------------------------- */

static void
test_status(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrServiceStatus status;

	start(&bench, VPNR_PROTOCOL_V2);
	status = vpnr_service_status(first(&bench));
	g_assert_null(status.client);
	g_assert_null(vpnr_service_key(first(&bench)));
	connect_client(&bench, &party);
	status = vpnr_service_status(first(&bench));
	g_assert_cmpstr(status.client, ==, "alice");
	g_assert_cmpstr(status.hello.software, ==, "peer 1.0");
	g_assert_cmpint(status.protocol, ==, VPNR_PROTOCOL_V2);
	g_assert_cmpuint(status.streams, ==, 0);
	g_assert_cmpuint(status.peer.port, ==, 7);
	g_assert_true(vpnr_addr_equal(vpnr_service_peer(first(&bench)), &status.peer));
	g_assert_true(vpnr_key_equal(vpnr_service_key(first(&bench)), &bench.client_public));
	g_assert_cmpuint(atomic_load(&bench.n_settled), ==, 1);
}

/* The handshake of this key fails, or the link ends without a frame: a client may have said all of
 * its part before the server looks at the key. */
static void
expect_no_hello(Guest *guest, const VpnrKey *key)
{
	g_auto(Party) party;

	party_begin(&party, VPNR_ROLE_CLIENT);
	if (party_shake_hands(&party, vpnr_fd_steal(&guest->client_fd), VPNR_ROLE_CLIENT, key))
		party_expect_end(&party);
}

static void
test_unauthorised(void)
{
	g_test_summary("2.1.4: a client with another key gets no frame.");

	g_auto(Bench) bench;
	VpnrKey other;

	start(&bench, VPNR_PROTOCOL_V2);
	g_assert_true(vpnr_keys_generate(&other, NULL));
	expect_no_hello(&bench.guests[0], &other);
	join(&bench);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_AUTH_REFUSED), ==, 1);
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 0);
	g_assert_null(vpnr_service_key(first(&bench)));
}

static void
test_taken_away_meanwhile(void)
{
	g_test_summary("A key that was taken away during the handshake does not slip through.");

	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&bench.n_welcomes, 1);
	expect_no_hello(&bench.guests[0], &bench.client_key);
	join(&bench);
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 0);
}

static void
test_renamed_meanwhile(void)
{
	g_test_summary("A key that was given to another client during the handshake does not get "
		       "in under the old name.");

	g_auto(Bench) bench;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.second_name = "bob";
	add_guest(&bench);
	expect_no_hello(&bench.guests[0], &bench.client_key);
	join(&bench);
	g_assert_cmpuint(atomic_load(&bench.n_asked), ==, 2);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==,
			 0); /* nobody waited for HELLO */
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 0);
}

static void
test_new_acl(void)
{
	g_test_summary("A new access list is for the next stream; those that are open stay.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(VpnrAcl) other = make_acl("192.0.2.0/24");

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	vpnr_service_set_acl(first(&bench), other);
	party_send(&party, vpnr_frame_new_open(2, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 2, VPNR_REASON_DENIED);
	loopback_send(dest, "still open", 10);
	party_expect_data(&party, 1, "still open", 10);
}

static void
test_narrowed_meanwhile(void)
{
	g_test_summary("A reload narrows the access list during the handshake, when it cannot see "
		       "the service yet: the service asks again and gets the new one.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.second_acl = make_acl("192.0.2.0/24");
	add_guest(&bench);
	connect_client(&bench, &party);
	g_assert_cmpuint(atomic_load(&bench.n_asked), ==, 2);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 1, VPNR_REASON_DENIED);
}

/* A reload that sees the service, between its question and the answer. */
static void
narrow(Bench *bench)
{
	g_autoptr(VpnrAcl) newest = make_acl("192.0.2.0/24");

	g_assert_nonnull(vpnr_service_key(first(bench)));
	vpnr_service_set_acl(first(bench), newest);
}

static void
test_narrowed_while_asking(void)
{
	g_test_summary("A list that a reload has put in force is newer than the answer that the "
		       "service was waiting for.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.second = narrow;
	add_guest(&bench);
	connect_client(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&party, 1, VPNR_REASON_DENIED);
}

/* --- links come and go ------------------------------------------------------------------------ */

static void
test_resume(void)
{
	g_test_summary("When the link breaks, the session waits: the destination notices nothing, "
		       "and what it says meanwhile comes on the next link.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	VpnrServiceStatus status;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	lose_link(&bench, &party);
	status = vpnr_service_status(first(&bench));
	g_assert_true(status.welcoming);
	g_assert_cmpint(status.deserted_us, >, 0);
	g_assert_cmpuint(status.streams, ==, 1);
	g_assert_cmpint(status.session.rtt_us, ==, -1);
	loopback_send(dest, "meanwhile", 9);
	connect_again(&bench, &party);
	party_expect_data(&party, 1, "meanwhile", 9);
	party_send(&party, peer_data(1, "afterwards", 10));
	loopback_expect(dest, "afterwards", 10);
	join_guest(&bench.guests[1]); /* its connection has gone to the first */
	wait_for_stat(&bench, VPNR_STAT_RESUMES, 1);
	status = vpnr_service_status(first(&bench));
	g_assert_true(status.session.attached);
	g_assert_cmpint(status.deserted_us, ==, 0);
	g_assert_cmpuint(status.peer.port, ==, 8); /* of the link that there is */
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RESUMES), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FRAMES_REPLAYED), ==, 0);
}

static void
test_replay(void)
{
	g_test_summary("What the client has not received is sent again, and nothing else.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	loopback_send(dest, "one", 3);
	party_expect_data(&party, 1, "one", 3);
	loopback_send(dest, "two", 3);
	party_expect_data(&party, 1, "two", 3);
	party.received--; /* it was under way when the link broke */
	connect_again(&bench, &party);
	party_expect_data(&party, 1, "two", 3);
	loopback_send(dest, "three", 5);
	party_expect_data(&party, 1, "three", 5);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FRAMES_REPLAYED), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_BYTES_REPLAYED), ==, 3);
}

static void
test_takeover(void)
{
	g_test_summary("A second link takes the session over while the first one works: after its "
		       "HELLO, and not a moment earlier.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) old;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	old = party;
	party.link = (Peer){ .fd = -1 };
	shake_hands(&bench, add_guest(&bench), &party);
	for (gint64 begin = g_get_monotonic_time(); atomic_load(&bench.n_asked) < 4;
	     patience(begin))
		;
	g_assert_cmpuint(atomic_load(&bench.n_settled), ==, 1); /* it has not said HELLO */
	loopback_send(dest, "old", 3);
	party_expect_data(&old, 1, "old", 3);
	party_send(&old, peer_data(1, "old", 3));
	loopback_expect(dest, "old", 3);
	party.sent = old.sent;
	party.received = old.received;
	g_assert_true(party_greet_server(&party));
	party_expect_end(&old);
	loopback_send(dest, "new", 3);
	party_expect_data(&party, 1, "new", 3);
	wait_for_stat(&bench, VPNR_STAT_RESUMES, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 0);
}

static void
test_other_key(void)
{
	g_test_summary("A session goes to nobody but the client that has begun it.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Peer) mallory;
	VpnrAddr nowhere = { .type = VPNR_ADDR_NONE };
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(peer_init(&mallory), &nowhere);
	VpnrKey key = { { 1 } };

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	arrival->hello.has_session = TRUE;
	arrival->hello.session = party.id;
	g_assert_false(vpnr_service_offer(first(&bench), &key, arrival));
	arrival->hello.session.bytes[15] ^= 1;
	g_assert_false(vpnr_service_offer(first(&bench), &bench.client_public, arrival));
	arrival->hello = (VpnrHello){ .session = party.id };
	g_assert_false(vpnr_service_offer(first(&bench), &bench.client_public, arrival));
}

static void
test_received_too_much(void)
{
	g_test_summary("A number that cannot be ends the session.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	lose_link(&bench, &party);
	shake_hands(&bench, add_guest(&bench), &party);
	party.received++;
	party_send(&party, party_hello(&party));
	party_expect_goaway(&party, VPNR_REASON_PROTOCOL);
	party_expect_end(&party);
	join_guest(&bench.guests[0]);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RESUMES), ==, 0);
	loopback_expect_reset(dest);
}

static void
test_overtaken(void)
{
	g_test_summary("A HELLO from before the last ACK may come late: it is ignored, whether the "
		       "session has a link at that moment or not.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	VpnrFrame *ack = vpnr_frame_new(VPNR_FRAME_ACK, 0, 0);

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	ack->count = party.received;
	party_send(&party, ack);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_service_status(first(&bench)).session.replay_bytes > 0; patience(begin))
		;
	for (guint i = 0; i < 2; i++) {
		g_auto(Party) late = { 0 };

		if (i == 1)
			lose_link(&bench, &party);
		shake_hands(&bench, add_guest(&bench), &late);
		late.has_session = TRUE;
		late.id = party.id;
		late.received = party.received - 1;
		party_send(&late, party_hello(&late));
		party_expect_end(&late);
	}
	shake_hands(&bench, add_guest(&bench), &party);
	g_assert_true(party_greet_server(&party));
	loopback_send(dest, "alive", 5);
	party_expect_data(&party, 1, "alive", 5);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 0);
	wait_for_stat(&bench, VPNR_STAT_RESUMES, 1);
}

static void
test_change_over(void)
{
	g_test_summary("resume-timeout = 0: a client that replaces its link has time to do so.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) old;
	g_auto(VpnrFd) dest = -1;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.resume_timeout_s = 0;
	add_guest(&bench);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	old = party;
	party.link = (Peer){ .fd = -1 };
	shake_hands(&bench, add_guest(&bench), &party);
	atomic_store(&patient, TRUE);
	lose_link(&bench, &old);
	atomic_store(&patient, FALSE);
	g_assert_true(party_greet_server(&party));
	loopback_send(dest, "still", 5);
	party_expect_data(&party, 1, "still", 5);
	lose_link(&bench, &party);
	join_guest(&bench.guests[0]);
	loopback_expect_reset(dest);
}

static void
test_stays_away(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	gint64 begin;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.resume_timeout_s = 1;
	add_guest(&bench);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	begin = g_get_monotonic_time();
	party_hang_up(&party);
	join(&bench);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, G_USEC_PER_SEC);
	loopback_expect_reset(dest);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 1);
	g_assert_false(vpnr_service_status(first(&bench)).welcoming);
}

static void
test_goodbye(void)
{
	g_test_summary("2.10.2: a client that says GOAWAY does not come back: nothing waits.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	party_send(&party, peer_goaway(VPNR_REASON_NONE));
	party_hang_up(&party);
	join(&bench);
	loopback_expect_reset(dest);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 0);
}

static void
test_gone_before_hello(void)
{
	g_test_summary("A client that leaves after its handshake, or in the middle of its HELLO, "
		       "begins no session.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench, VPNR_PROTOCOL_V2);
	party_begin(&party, VPNR_ROLE_CLIENT);
	shake_hands(&bench, &bench.guests[0], &party);
	party_hang_up(&party);
	join_guest(&bench.guests[0]);
	shake_hands(&bench, add_guest(&bench), &party);
	peer_send_bytes(&party.link, (const guint8 *)"\0\0\1\1\0", 5);
	party_hang_up(&party);
	join_guest(&bench.guests[1]);
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 2);
}

static void
test_gone_after_hello(void)
{
	g_test_summary("A client that leaves before it has read HELLO does not know its session: "
		       "it cannot come back, and the session ends in time.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	prepare(&bench, VPNR_PROTOCOL_V2, 10);
	bench.resume_timeout_s = 0;
	add_guest(&bench);
	party_begin(&party, VPNR_ROLE_CLIENT);
	shake_hands(&bench, &bench.guests[0], &party);
	party_send(&party, party_hello(&party));
	party_hang_up(&party);
	join(&bench);
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 1);
}

static void
test_no_hello_to_start_with(void)
{
	g_test_summary("2.4.1: any other frame in the place of HELLO ends the link.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench, VPNR_PROTOCOL_V2);
	party_begin(&party, VPNR_ROLE_CLIENT);
	shake_hands(&bench, &bench.guests[0], &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	party_expect_end(&party);
	join(&bench);
	g_assert_cmpuint(atomic_load(&bench.n_began), ==, 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
dismiss_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_service_dismiss(first(bench), VPNR_REASON_NONE);
	join(bench);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, DISMISS_US);
}

static void
test_dismiss(void)
{
	g_test_summary("A dismissed service says GOAWAY and resets its destinations, whether the "
		       "client answers or not.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	dismiss_in_time(&bench);
	party_expect_goaway(&party, VPNR_REASON_NONE);
	loopback_expect_reset(dest);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 0);
}

static void
test_dismiss_while_dialling(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) queued = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	vpnr_fd_close(vpnr_fd_steal(&bench.listener));
	bench.listener = loopback_listen(0, &bench.dest); /* its queue is full, so it is silent */
	queued = loopback_connect(&bench.dest);
	connect_client(&bench, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.dest));
	for (gint64 begin = g_get_monotonic_time(); vpnr_service_status(first(&bench)).streams == 0;
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
	loopback_expect_end(bench.guests[0].client_fd);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_AUTH_REFUSED), ==, 0);
}

static void
test_dismiss_before_hello(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench, VPNR_PROTOCOL_V2);
	party_begin(&party, VPNR_ROLE_CLIENT);
	shake_hands(&bench, &bench.guests[0], &party);
	dismiss_in_time(&bench);
	party_expect_end(&party);
}

static void
test_dismiss_without_a_link(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	dest = open_stream(&bench, &party, 1);
	lose_link(&bench, &party);
	dismiss_in_time(&bench);
	loopback_expect_reset(dest);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 0);
}

static void
dismiss(gpointer data)
{
	vpnr_service_dismiss(data, VPNR_REASON_NONE);
}

static void
test_arrival_at_the_end(void)
{
	g_test_summary("A link that arrives while the session is ending is taken and closed, or is "
		       "not taken: it is never left behind.");

	VpnrAddr nowhere = { .type = VPNR_ADDR_NONE };
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Peer) late;
	VpnrArrival *arrival = vpnr_arrival_new(peer_init(&late), &nowhere);
	VpnrThread *thread;

	start(&bench, VPNR_PROTOCOL_V2);
	connect_client(&bench, &party);
	lose_link(&bench, &party);
	arrival->hello = (VpnrHello){ .has_session = TRUE, .session = party.id };
	thread = vpnr_thread_start("dismisser", dismiss, first(&bench), NULL);
	if (!vpnr_service_offer(first(&bench), &bench.client_public, arrival))
		vpnr_arrival_free(arrival);
	vpnr_thread_join(thread);
	join(&bench);
	vpnr_service_free(g_steal_pointer(&bench.guests[0].service));
	atomic_store(&bench.n_guests, 0);
	atomic_store(&bench.n_settled, 0);
	for (VpnrFrame *frame; (frame = peer_next_or_end(&late)) != NULL; vpnr_frame_free(frame))
		;
}

static void
test_never_run(void)
{
	g_auto(VpnrFd) theirs = -1;
	g_autoptr(GError) error = NULL;
	VpnrServiceParams params = { .tenant = { .protocol = VPNR_PROTOCOL_V2 } };
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
	loopback_send(bench.guests[0].client_fd, open, sizeof open);
	dest = loopback_accept(bench.listener);
	loopback_expect(dest, "hello", 5);
	loopback_send(dest, "hi", 2);
	loopback_expect(bench.guests[0].client_fd, answer, sizeof answer);
	g_assert_cmpuint(atomic_load(&bench.n_settled), ==, 1);
	g_assert_cmpuint(atomic_load(&bench.n_asked), ==, 0);
	vpnr_fd_abort(vpnr_fd_steal(&dest));
	loopback_expect(bench.guests[0].client_fd, fail, sizeof fail);
	dismiss_in_time(&bench);
	loopback_expect_end(bench.guests[0].client_fd);
}

/* Sends frames of 500 bytes until neither the link nor its reader takes more. */
static void
fill_link(Bench *bench, const guint8 *frame, gsize n)
{
	struct pollfd pfd = { .fd = bench->guests[0].client_fd, .events = POLLOUT };
	gsize at = 0;

	loopback_set_blocking(bench->guests[0].client_fd, FALSE);
	while (poll(&pfd, 1, STALL_MS) == 1) {
		gssize sent = send(bench->guests[0].client_fd, frame + at, n - at, MSG_NOSIGNAL);

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
	const int small = 16384;

	start(&bench, VPNR_PROTOCOL_V1);
	frame[8] = (guint8)(bench.dest.port >> 8);
	frame[9] = (guint8)bench.dest.port;
	g_assert_cmpint(setsockopt(bench.guests[0].client_fd, SOL_SOCKET, SO_SNDBUF, &small,
				   sizeof small),
			==, 0);
	loopback_send(bench.guests[0].client_fd, frame, sizeof frame);
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
	g_test_add_func("/service/no-datagrams", test_no_datagrams);
	g_test_add_func("/service/limit", test_limit);
	g_test_add_func("/service/no-thread", test_no_thread);
	g_test_add_func("/service/violation", test_violation);
	g_test_add_func("/service/status", test_status);
	g_test_add_func("/service/unauthorised", test_unauthorised);
	g_test_add_func("/service/taken-away", test_taken_away_meanwhile);
	g_test_add_func("/service/renamed", test_renamed_meanwhile);
	g_test_add_func("/service/acl/new", test_new_acl);
	g_test_add_func("/service/acl/narrowed", test_narrowed_meanwhile);
	g_test_add_func("/service/acl/narrowed-while-asking", test_narrowed_while_asking);
	g_test_add_func("/service/resume", test_resume);
	g_test_add_func("/service/resume/replay", test_replay);
	g_test_add_func("/service/resume/takeover", test_takeover);
	g_test_add_func("/service/resume/other-key", test_other_key);
	g_test_add_func("/service/resume/too-much", test_received_too_much);
	g_test_add_func("/service/resume/overtaken", test_overtaken);
	g_test_add_func("/service/resume/change-over", test_change_over);
	g_test_add_func("/service/resume/stays-away", test_stays_away);
	g_test_add_func("/service/resume/at-the-end", test_arrival_at_the_end);
	g_test_add_func("/service/goodbye", test_goodbye);
	g_test_add_func("/service/hello/gone-before", test_gone_before_hello);
	g_test_add_func("/service/hello/gone-after", test_gone_after_hello);
	g_test_add_func("/service/hello/other-frame", test_no_hello_to_start_with);
	g_test_add_func("/service/dismiss", test_dismiss);
	g_test_add_func("/service/dismiss/dialling", test_dismiss_while_dialling);
	g_test_add_func("/service/dismiss/handshake", test_dismiss_before_the_end_of_the_handshake);
	g_test_add_func("/service/dismiss/hello", test_dismiss_before_hello);
	g_test_add_func("/service/dismiss/no-link", test_dismiss_without_a_link);
	g_test_add_func("/service/never-run", test_never_run);
	g_test_add_func("/service/v1", test_v1);
	g_test_add_func("/service/v1/stalled", test_v1_stalled);
	return g_test_run();
}
