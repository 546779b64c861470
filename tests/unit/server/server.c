/* SPDX-License-Identifier: MIT
 *
 * server: who gets in, how many may knock at once, whose session is whose, what a reload changes,
 * and the stop.
 */
#include "server/server.h"

#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/fd.h"
#include "base/thread.h"
#include "proto/v2.h"
#include "server/clients.h"
#include "server/pending.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

#define N_CLIENTS 3

/* Microseconds in which a server must have stopped: less than any of the 10 s that it may wait for
 * a peer, which a busy machine with a sanitizer does not need for the two of a stop. */
#define STOP_US 9000000

typedef struct {
	VpnrAddr addr;
	VpnrAddr v1_addr;
	VpnrKey keys[N_CLIENTS]; /* private */
	guint resume_timeout_s;
	VpnrBudget *budget;
	VpnrStats stats;
	VpnrServer *server;
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

/* The first n clients, all with this list. */
static GPtrArray *
make_clients(const Bench *bench, guint n, const char *allow)
{
	GPtrArray *clients = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);

	for (guint i = 0; i < n; i++) {
		VpnrClientEntry *entry = g_new0(VpnrClientEntry, 1);

		entry->name = g_strdup_printf("client-%u", i);
		entry->acl = make_acl(allow);
		g_assert_true(vpnr_keys_derive_public(&bench->keys[i], &entry->public_key, NULL));
		g_ptr_array_add(clients, entry);
	}
	return clients;
}

static GArray *
addresses(const VpnrAddr *addr)
{
	GArray *array = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));

	g_array_append_val(array, *addr);
	return array;
}

static VpnrServer *
start_server(Bench *bench, GError **error)
{
	g_autoptr(GArray) listen = addresses(&bench->addr);
	g_autoptr(GArray) v1_listen = addresses(&bench->v1_addr);
	g_autoptr(GPtrArray) clients = make_clients(bench, N_CLIENTS, "127.0.0.0/8");
	g_autoptr(VpnrAcl) v1_acl = make_acl("127.0.0.0/8");
	VpnrServerParams params = { .listen = listen,
				    .v1_listen = v1_listen,
				    .v1_dialect = VPNR_PROTOCOL_V1,
				    .max_streams = 100,
				    .resume_timeout_s = bench->resume_timeout_s,
				    .clients = clients,
				    .v1_acl = v1_acl,
				    .budget = bench->budget,
				    .stats = &bench->stats };

	g_assert_true(vpnr_keys_generate(&params.private_key, NULL));
	VpnrServer *server = vpnr_server_listen(&params, error);

	if (server != NULL)
		g_assert_true(vpnr_server_start(server, NULL));
	return server;
}

static void
start_within(Bench *bench, VpnrBudget *budget, guint resume_timeout_s)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->budget = budget;
	bench->resume_timeout_s = resume_timeout_s;
	bench->addr = loopback_private(4334);
	bench->v1_addr = loopback_private(4335);
	for (guint i = 0; i < N_CLIENTS; i++)
		g_assert_true(vpnr_keys_generate(&bench->keys[i], NULL));
	bench->listener = loopback_listen(8, &bench->dest);
	bench->server = start_server(bench, &error);
	g_assert_no_error(error);
}

static void
start_with(Bench *bench, guint resume_timeout_s)
{
	start_within(bench, NULL, resume_timeout_s);
}

static void
start(Bench *bench)
{
	start_with(bench, 300);
}

static void
stop_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_server_stop(g_steal_pointer(&bench->server));
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
}

static void
bench_clear(Bench *bench)
{
	vpnr_server_stop(bench->server);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static gboolean
shake_hands(Bench *bench, const VpnrKey *key, Party *party)
{
	return party_shake_hands(party, loopback_connect(&bench->addr), VPNR_ROLE_CLIENT, key);
}

/* Client number i, in a session of its own. */
static void
connect_client(Bench *bench, guint i, Party *party)
{
	party_begin(party, VPNR_ROLE_CLIENT);
	g_assert_true(shake_hands(bench, &bench->keys[i], party));
	g_assert_false(party_greet_server(party));
}

/* It comes back. TRUE: to its session. */
static gboolean
connect_again(Bench *bench, guint i, Party *party)
{
	party_hang_up(party);
	g_assert_true(shake_hands(bench, &bench->keys[i], party));
	return party_greet_server(party);
}

static int
open_stream(Bench *bench, Party *party, guint32 id)
{
	party_send(party, vpnr_frame_new_open(id, VPNR_KIND_TCP, &bench->dest));
	party_expect(party, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

static void
count(VpnrService *service, gpointer data)
{
	guint *n = data;

	(*n)++;
}

static guint
count_services(Bench *bench)
{
	guint n = 0;

	vpnr_server_foreach(bench->server, count, &n);
	return n;
}

/* --- who gets in ------------------------------------------------------------------------------ */

static void
test_links(void)
{
	g_test_summary("Clients have links of their own; what ids mean is told apart by them.");

	g_auto(Bench) bench;
	g_auto(Party) one;
	g_auto(Party) two;
	g_auto(VpnrFd) dest_one = -1;
	g_auto(VpnrFd) dest_two = -1;

	start(&bench);
	connect_client(&bench, 0, &one);
	connect_client(&bench, 1, &two);
	g_assert_cmpuint(count_services(&bench), ==, 2);
	dest_one = open_stream(&bench, &one, 1);
	dest_two = open_stream(&bench, &two, 1);
	party_send(&one, peer_data(1, "one", 3));
	party_send(&two, peer_data(1, "two", 3));
	loopback_expect(dest_one, "one", 3);
	loopback_expect(dest_two, "two", 3);
}

/* Neither HELLO nor anything else comes, whatever the key's owner asks for. */
static void
expect_no_hello(Bench *bench, const VpnrKey *key, const Party *ask_as)
{
	g_auto(Party) party;

	party_begin(&party, VPNR_ROLE_CLIENT);
	if (!shake_hands(bench, key, &party))
		return;
	if (ask_as != NULL) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(VpnrFrame) hello = party_hello(ask_as);

		vpnr_v2_encode(hello, bytes);
		/* The server may have closed by now. */
		(void)!vpnr_transport_send(party.link.tls, bytes->data, bytes->len);
	}
	party_expect_end(&party);
}

static void
test_unknown_key(void)
{
	g_auto(Bench) bench;
	VpnrKey key;

	start(&bench);
	g_assert_true(vpnr_keys_generate(&key, NULL));
	expect_no_hello(&bench, &key, NULL);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED) == 0 ||
	     count_services(&bench) > 0;
	     patience(begin))
		;
}

static void
test_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) link = -1;
	g_auto(VpnrFd) dest = -1;
	guint8 open[] = { 8, 0, 1, 0, 127, 0, 0, 1, 0, 0, 'x' };

	start(&bench);
	open[8] = (guint8)(bench.dest.port >> 8);
	open[9] = (guint8)bench.dest.port;
	link = loopback_connect(&bench.v1_addr);
	loopback_send(link, open, sizeof open);
	dest = loopback_accept(bench.listener);
	loopback_expect(dest, "x", 1);
	g_assert_cmpuint(count_services(&bench), ==, 1);
}

static void
test_own_ports(void)
{
	g_test_summary("No client reaches the server's own ports from inside.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	start(&bench);
	connect_client(&bench, 0, &party);
	party_send(&party, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.addr));
	party_expect_reset(&party, 1, VPNR_REASON_DENIED);
	party_send(&party, vpnr_frame_new_open(2, VPNR_KIND_TCP, &bench.v1_addr));
	party_expect_reset(&party, 2, VPNR_REASON_DENIED);
}

static void
test_pending(void)
{
	g_test_summary("2.1.8: one address may not have more than some links that have not shown a "
		       "key; when one of them goes there is room.");

	g_auto(Bench) bench;
	VpnrFd silent[VPNR_PENDING_PER_SOURCE_MAX];
	g_auto(VpnrFd) refused = -1;
	g_auto(Party) party;

	start(&bench);
	for (guint i = 0; i < G_N_ELEMENTS(silent); i++)
		silent[i] = loopback_connect(&bench.addr);
	refused = loopback_connect(&bench.addr);
	loopback_expect_end(refused);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED) == 0; patience(begin))
		;
	g_assert_cmpuint(count_services(&bench), ==, G_N_ELEMENTS(silent));

	vpnr_fd_close(silent[0]);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) == G_N_ELEMENTS(silent);
	     patience(begin))
		;
	connect_client(&bench, 0, &party); /* authenticated: it counts no more */
	silent[0] = loopback_connect(&bench.addr);
	for (gint64 begin = g_get_monotonic_time();
	     count_services(&bench) < G_N_ELEMENTS(silent) + 1; patience(begin))
		;
	for (guint i = 0; i < G_N_ELEMENTS(silent); i++)
		vpnr_fd_close(silent[i]);
}

static void
test_pending_with_key(void)
{
	g_test_summary("2.5.3: connections that have shown a key and not said HELLO count as well: "
		       "each has a thread.");

	g_auto(Bench) bench;
	Party waiting[VPNR_PENDING_PER_SOURCE_MAX];
	g_auto(VpnrFd) refused = -1;
	g_auto(VpnrFd) next = -1;

	start(&bench);
	for (guint i = 0; i < G_N_ELEMENTS(waiting); i++) {
		party_begin(&waiting[i], VPNR_ROLE_CLIENT);
		g_assert_true(shake_hands(&bench, &bench.keys[0], &waiting[i]));
	}
	refused = loopback_connect(&bench.addr);
	loopback_expect_end(refused);
	g_assert_cmpuint(count_services(&bench), ==, G_N_ELEMENTS(waiting));

	g_assert_false(party_greet_server(&waiting[0]));
	next = loopback_connect(&bench.addr);
	for (gint64 begin = g_get_monotonic_time();
	     count_services(&bench) < G_N_ELEMENTS(waiting) + 1; patience(begin))
		;
	for (guint i = 0; i < G_N_ELEMENTS(waiting); i++)
		party_clear(&waiting[i]);
}

/* A connection from 127.0.0.x, one source for each x. */
static int
connect_from(const Bench *bench, guint x)
{
	struct sockaddr_storage to, from;
	const VpnrAddr source = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, (guint8)x } };
	socklen_t to_length = vpnr_addr_to_sockaddr(&bench->addr, &to);
	socklen_t from_length = vpnr_addr_to_sockaddr(&source, &from);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(bind(fd, (struct sockaddr *)&from, from_length), ==, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&to, to_length), ==, 0);
	return fd;
}

static void
test_pending_everywhere(void)
{
	g_test_summary("Connections that say nothing, of however many sources, keep nobody out: "
		       "the oldest makes way.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrFd silent[VPNR_PENDING_MAX];

	start(&bench);
	for (guint i = 0; i < VPNR_PENDING_MAX; i++)
		silent[i] = connect_from(&bench, 2 + i / VPNR_PENDING_PER_SOURCE_MAX);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) < VPNR_PENDING_MAX;
	     patience(begin))
		;
	connect_client(&bench, 0, &party);
	loopback_expect_end(silent[0]);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED), ==, 1);
	for (guint i = 0; i < VPNR_PENDING_MAX; i++)
		vpnr_fd_close(silent[i]);
}

static void
test_taken(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	char text[VPNR_ADDR_STRLEN];

	start(&bench);
	g_assert_null(start_server(&bench, &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, vpnr_addr_format(&bench.addr, text)));
	vpnr_server_stop(NULL);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void
count_deserted(VpnrService *service, gpointer data)
{
	guint *n = data;

	*n += vpnr_service_status(service).deserted_us != 0;
}

static void
wait_for_deserted(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time();; patience(begin)) {
		guint now = 0;

		vpnr_server_foreach(bench->server, count_deserted, &now);
		if (now == n)
			break;
	}
}

static void
wait_for_services(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time(); count_services(bench) != n; patience(begin))
		;
}

/* They are counted when the link has been taken over, so perhaps after its first frame. */
static void
wait_for_resumes(Bench *bench, guint64 n)
{
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench->stats, VPNR_STAT_RESUMES) < n; patience(begin))
		;
}

static void
test_resume(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start(&bench);
	connect_client(&bench, 0, &party);
	dest = open_stream(&bench, &party, 1);
	for (guint i = 0; i < 10; i++) {
		g_assert_true(connect_again(&bench, 0, &party));
		loopback_send(dest, &i, sizeof i);
		party_expect_data(&party, 1, &i, sizeof i);
		party_send(&party, peer_data(1, &i, sizeof i));
		loopback_expect(dest, &i, sizeof i);
	}
	wait_for_services(&bench, 1);
	wait_for_resumes(&bench, 10);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_RESUMES), ==, 10);
}

/* What the server says to client 1, who asks for a session that is not his. */
static void
ask_for(Bench *bench, const VpnrSessionId *id, Party *party, VpnrHello *answer)
{
	party_begin(party, VPNR_ROLE_CLIENT);
	party->has_session = TRUE;
	party->id = *id;
	party->received = 1;
	g_assert_true(shake_hands(bench, &bench->keys[1], party));
	party_send(party, party_hello(party));
	party_take_hello(party, answer);
	g_assert_false(vpnr_session_id_equal(&answer->session, id));
	party->id = answer->session;
	party->received = 0;
}

static void
test_stolen(void)
{
	g_test_summary("Who presents another client's session gets one of his own, and the same "
		       "answer as for a session that never was; who has no key gets none. The "
		       "owner notices nothing, with a link and without.");

	g_auto(Bench) bench;
	g_auto(Party) owner;
	g_auto(Party) thief;
	g_auto(Party) guesser;
	g_auto(VpnrFd) dest = -1;
	VpnrHello stolen, guessed;
	VpnrSessionId random = { { 1, 2, 3 } };
	VpnrKey stranger;

	start(&bench);
	g_assert_true(vpnr_keys_generate(&stranger, NULL));
	connect_client(&bench, 0, &owner);
	dest = open_stream(&bench, &owner, 1);
	ask_for(&bench, &owner.id, &thief, &stolen);
	ask_for(&bench, &random, &guesser, &guessed);
	g_assert_false(vpnr_session_id_equal(&stolen.session, &guessed.session));
	stolen.session = guessed.session;
	g_assert_cmpmem(&stolen, sizeof stolen, &guessed, sizeof guessed);
	g_assert_true(stolen.has_session);
	g_assert_cmpuint(stolen.received, ==, 0);
	expect_no_hello(&bench, &stranger, &owner);

	loopback_send(dest, "with", 4);
	party_expect_data(&owner, 1, "with", 4);
	party_hang_up(&owner);
	wait_for_deserted(&bench, 1);
	party_hang_up(&thief);
	ask_for(&bench, &owner.id, &thief, &stolen);
	expect_no_hello(&bench, &stranger, &owner);
	loopback_send(dest, "without", 7);
	g_assert_true(connect_again(&bench, 0, &owner));
	party_expect_data(&owner, 1, "without", 7);
	/* The thief's streams are his own. */
	party_send(&thief, peer_data(1, "x", 1));
	party_expect_goaway(&thief, VPNR_REASON_PROTOCOL);
	party_send(&owner, peer_data(1, "mine", 4));
	loopback_expect(dest, "mine", 4);
}

static void
test_begins_anew(void)
{
	g_test_summary("A client that was started again ends the session that it has left behind, "
		       "at once, and no other.");

	g_auto(Bench) bench;
	g_auto(Party) left;
	g_auto(Party) other;
	g_auto(Party) working;
	g_auto(Party) again;
	g_auto(VpnrFd) dest_left = -1;
	g_auto(VpnrFd) dest_other = -1;
	g_auto(VpnrFd) dest_working = -1;

	start(&bench);
	connect_client(&bench, 0, &left);
	dest_left = open_stream(&bench, &left, 1);
	connect_client(&bench, 1, &other);
	dest_other = open_stream(&bench, &other, 1);
	connect_client(&bench, 0, &working);
	dest_working = open_stream(&bench, &working, 1);
	party_hang_up(&left);
	party_hang_up(&other);
	wait_for_deserted(&bench, 2);
	connect_client(&bench, 0, &again);
	loopback_expect_reset(dest_left);
	wait_for_services(&bench, 3);
	g_assert_true(connect_again(&bench, 1, &other));
	loopback_send(dest_other, "other", 5);
	party_expect_data(&other, 1, "other", 5);
	loopback_send(dest_working, "working", 7);
	party_expect_data(&working, 1, "working", 7);
	g_assert_false(connect_again(&bench, 0, &left));
}

/* As connect_client(), for one of the sessions that a client has side by side. */
static void
connect_origin(Bench *bench, guint8 client, guint8 number, Party *party)
{
	party_begin(party, VPNR_ROLE_CLIENT);
	party->has_origin = TRUE;
	party->origin = (VpnrOrigin){ .client = { client }, .number = number };
	g_assert_true(shake_hands(bench, &bench->keys[0], party));
	g_assert_false(party_greet_server(party));
}

static void
test_side_by_side(void)
{
	g_test_summary("2.11.18: of the sessions that a client has side by side a new one ends "
		       "only the one in whose place it comes, which may seem to have a link; that "
		       "of a client that was started again ends all without a link.");

	g_auto(Bench) bench;
	g_auto(Party) first;
	g_auto(Party) second;
	g_auto(Party) again;
	g_auto(Party) restarted;

	start(&bench);
	connect_origin(&bench, 1, 1, &first);
	connect_origin(&bench, 1, 2, &second);
	party_hang_up(&second);
	wait_for_deserted(&bench, 1);
	connect_origin(&bench, 1, 1, &again);
	party_expect_goaway(&first, VPNR_REASON_NONE);
	wait_for_services(&bench, 2);
	g_assert_true(connect_again(&bench, 0, &second));
	party_hang_up(&second);
	wait_for_deserted(&bench, 1);
	connect_origin(&bench, 2, 1, &restarted);
	wait_for_services(&bench, 2);
	g_assert_true(connect_again(&bench, 0, &again));
	g_assert_false(connect_again(&bench, 0, &second));
}

static void
test_too_many_sessions(void)
{
	g_test_summary("Above VPNR_SESSIONS_PER_CLIENT_MAX the oldest go, even when those that "
		       "have to go take their time.");

	g_auto(Bench) bench;
	Party parties[VPNR_SESSIONS_PER_CLIENT_MAX + 3];
	g_auto(Party) other;

	start(&bench);
	connect_client(&bench, 1, &other);
	for (guint i = 0; i < G_N_ELEMENTS(parties); i++)
		connect_client(&bench, 0, &parties[i]);
	for (guint i = 0; i < 3; i++)
		party_expect_goaway(&parties[i], VPNR_REASON_LIMIT);
	wait_for_services(&bench, 1 + VPNR_SESSIONS_PER_CLIENT_MAX);
	for (guint i = 0; i < G_N_ELEMENTS(parties); i++) {
		if (i >= 3) {
			party_send(&parties[i], vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.addr));
			party_expect_reset(&parties[i], 1, VPNR_REASON_DENIED);
		}
		party_hang_up(&parties[i]);
	}
	party_send(&other, vpnr_frame_new_open(1, VPNR_KIND_TCP, &bench.addr));
	party_expect_reset(&other, 1, VPNR_REASON_DENIED);
}

/* Opens streams until the server refuses one. Returns the sockets of those that it did not. */
static GArray *
open_all(Bench *bench, Party *party)
{
	GArray *dests = vpnr_fd_array_new();

	for (guint32 id = 1;; id++) {
		g_autoptr(VpnrFrame) answer = NULL;
		int dest;

		party_send(party, vpnr_frame_new_open(id, VPNR_KIND_TCP, &bench->dest));
		answer = party_next(party);
		if (answer->type == VPNR_FRAME_RESET) {
			g_assert_cmpint(answer->reason, ==, VPNR_REASON_LIMIT);
			return dests;
		}
		g_assert_cmpstr(vpnr_frame_type_name(answer->type), ==, "OPENED");
		dest = loopback_accept(bench->listener);
		g_array_append_val(dests, dest);
	}
}

static void
test_budget(void)
{
	g_test_summary("One client cannot take all of the budget: others find something of it.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(12 * 1024 * 1024);
	g_auto(Bench) bench;
	g_auto(Party) one;
	g_auto(Party) two;
	g_autoptr(GArray) dests = NULL;
	g_auto(VpnrFd) dest = -1;

	start_within(&bench, budget, 300);
	connect_client(&bench, 0, &one);
	connect_client(&bench, 1, &two);
	dests = open_all(&bench, &one);
	g_assert_cmpuint(dests->len, >, 0);
	dest = open_stream(&bench, &two, 1);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_BUDGET_REFUSED), ==, 1);
}

static void
test_resume_timeout(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;

	start_with(&bench, 0);
	connect_client(&bench, 0, &party);
	dest = open_stream(&bench, &party, 1);
	party_hang_up(&party);
	loopback_expect_reset(dest);
	wait_for_services(&bench, 0);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_SESSIONS_LOST), ==, 1);
	g_assert_false(connect_again(&bench, 0, &party));
}

/* A connection of client 0 that ends in the phase of this number. */
static void
come_and_go(Bench *bench, Party *party, guint phase)
{
	party_hang_up(party);
	if (phase == 0) {
		vpnr_fd_close(loopback_connect(&bench->addr));
		return;
	}
	g_assert_true(shake_hands(bench, &bench->keys[0], party));
	if (phase == 2)
		peer_send_bytes(&party->link, (const guint8 *)"\0\0\1\1", 4);
	else if (phase == 3)
		party_send(party, party_hello(party));
	else if (phase == 4)
		g_assert_true(party_greet_server(party));
	party_hang_up(party);
}

static void
test_come_and_go(void)
{
	g_test_summary("Links that end after or during handshake and HELLO, again and again, leave "
		       "nothing behind, and the session lives.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) dest = -1;
	guint fds, threads;

	start(&bench);
	connect_client(&bench, 0, &party);
	dest = open_stream(&bench, &party, 1);
	fds = count_fds();
	threads = vpnr_thread_count();
	for (guint i = 0; i < 100; i++)
		come_and_go(&bench, &party, i % 5);
	wait_for_services(&bench, 1);
	wait_for_deserted(&bench, 1);
	for (gint64 begin = g_get_monotonic_time(); count_fds() > fds; patience(begin))
		;
	/* Those of the pool go when they have been idle for a while. */
	for (gint64 begin = g_get_monotonic_time(); vpnr_thread_count() > threads + 20;
	     patience(begin))
		;
	g_assert_true(connect_again(&bench, 0, &party));
	loopback_send(dest, "alive", 5);
	party_expect_data(&party, 1, "alive", 5);
}

/* --- reload ----------------------------------------------------------------------------------- */

static void
test_reload(void)
{
	g_test_summary("A client that is gone from the configuration loses its link; the others "
		       "keep theirs, with the new list.");

	g_auto(Bench) bench;
	g_auto(Party) stays;
	g_auto(Party) goes;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(GPtrArray) clients = NULL;

	start(&bench);
	connect_client(&bench, 0, &stays);
	connect_client(&bench, 1, &goes);
	dest = open_stream(&bench, &stays, 1);
	clients = make_clients(&bench, 1, "192.0.2.0/24");
	vpnr_server_reload(bench.server, clients, NULL);
	party_expect_goaway(&goes, VPNR_REASON_REVOKED);
	party_send(&stays, vpnr_frame_new_open(2, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&stays, 2, VPNR_REASON_DENIED);
	loopback_send(dest, "still open", 10);
	party_expect_data(&stays, 1, "still open", 10);
}

static void
test_reload_renames(void)
{
	g_test_summary("A client whose key now stands under another name loses its link, which "
		       "would go on under the old one.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_autoptr(GPtrArray) clients = NULL;
	VpnrClientEntry *entry;

	start(&bench);
	connect_client(&bench, 0, &party);
	clients = make_clients(&bench, 1, "0.0.0.0/0");
	entry = g_ptr_array_index(clients, 0);
	g_free(entry->name);
	entry->name = g_strdup("renamed");
	vpnr_server_reload(bench.server, clients, NULL);
	party_expect_goaway(&party, VPNR_REASON_REVOKED);
}

static void
test_reload_without_a_link(void)
{
	g_test_summary("A client that is gone from the configuration loses its session also when "
		       "it has no link, or a new one is on its way; the others keep theirs.");

	g_auto(Bench) bench;
	g_auto(Party) goes;
	g_auto(Party) arriving;
	g_auto(Party) stays;
	g_auto(VpnrFd) dest_goes = -1;
	g_auto(VpnrFd) dest_stays = -1;
	g_autoptr(GPtrArray) clients = NULL;

	start(&bench);
	connect_client(&bench, 0, &stays);
	dest_stays = open_stream(&bench, &stays, 1);
	connect_client(&bench, 1, &goes);
	dest_goes = open_stream(&bench, &goes, 1);
	party_hang_up(&goes);
	party_hang_up(&stays);
	wait_for_deserted(&bench, 2);
	party_begin(&arriving, VPNR_ROLE_CLIENT);
	g_assert_true(shake_hands(&bench, &bench.keys[1], &arriving));
	clients = make_clients(&bench, 1, "192.0.2.0/24");
	vpnr_server_reload(bench.server, clients, NULL);
	loopback_expect_reset(dest_goes);
	party_expect_end(&arriving);
	wait_for_services(&bench, 1);
	expect_no_hello(&bench, &bench.keys[1], &goes);
	g_assert_true(connect_again(&bench, 0, &stays));
	loopback_send(dest_stays, "still open", 10);
	party_expect_data(&stays, 1, "still open", 10);
	party_send(&stays, vpnr_frame_new_open(2, VPNR_KIND_TCP, &bench.dest));
	party_expect_reset(&stays, 2, VPNR_REASON_DENIED);
}

static void
test_reload_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) link = -1;
	g_autoptr(GPtrArray) clients = NULL;
	g_autoptr(VpnrAcl) acl = make_acl("192.0.2.0/24");
	guint8 open[] = { 7, 0, 1, 0, 127, 0, 0, 1, 0, 0 };
	const guint8 fail[] = { 7, 0, 1, 1, 0, 0, 0, 0, 0, 0 };

	start(&bench);
	link = loopback_connect(&bench.v1_addr);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) == 0; patience(begin))
		;
	clients = make_clients(&bench, 1, "192.0.2.0/24");
	vpnr_server_reload(bench.server, clients, acl);
	open[8] = (guint8)(bench.dest.port >> 8);
	open[9] = (guint8)bench.dest.port;
	loopback_send(link, open, sizeof open);
	loopback_expect(link, fail, sizeof fail);
}

/* --- stop ------------------------------------------------------------------------------------- */

static void
test_stop(void)
{
	g_test_summary("A stop ends links, streams and handshakes that are under way, and waits "
		       "for nobody.");

	g_auto(Bench) bench;
	Party parties[N_CLIENTS];
	VpnrFd dests[N_CLIENTS];
	g_auto(VpnrFd) silent = -1;
	g_auto(VpnrFd) v1 = -1;

	start(&bench);
	for (guint i = 0; i < N_CLIENTS; i++) {
		connect_client(&bench, i, &parties[i]);
		dests[i] = open_stream(&bench, &parties[i], 1);
	}
	party_hang_up(&parties[0]); /* its session waits */
	wait_for_deserted(&bench, 1);
	silent = loopback_connect(&bench.addr);
	v1 = loopback_connect(&bench.v1_addr);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) < N_CLIENTS + 2;
	     patience(begin))
		;
	stop_in_time(&bench);
	for (guint i = 0; i < N_CLIENTS; i++) {
		if (i > 0)
			party_expect_goaway(&parties[i], VPNR_REASON_NONE);
		loopback_expect_reset(dests[i]);
		vpnr_fd_close(dests[i]);
		party_hang_up(&parties[i]);
	}
	loopback_expect_end(silent);
	loopback_expect_end(v1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/links", test_links);
	g_test_add_func("/server/unknown-key", test_unknown_key);
	g_test_add_func("/server/v1", test_v1);
	g_test_add_func("/server/own-ports", test_own_ports);
	g_test_add_func("/server/pending", test_pending);
	g_test_add_func("/server/pending/with-key", test_pending_with_key);
	g_test_add_func("/server/pending/everywhere", test_pending_everywhere);
	g_test_add_func("/server/taken", test_taken);
	g_test_add_func("/server/resume", test_resume);
	g_test_add_func("/server/resume/stolen", test_stolen);
	g_test_add_func("/server/resume/timeout", test_resume_timeout);
	g_test_add_func("/server/sessions/begins-anew", test_begins_anew);
	g_test_add_func("/server/sessions/side-by-side", test_side_by_side);
	g_test_add_func("/server/sessions/too-many", test_too_many_sessions);
	g_test_add_func("/server/budget", test_budget);
	g_test_add_func("/server/come-and-go", test_come_and_go);
	g_test_add_func("/server/reload", test_reload);
	g_test_add_func("/server/reload/renames", test_reload_renames);
	g_test_add_func("/server/reload/without-a-link", test_reload_without_a_link);
	g_test_add_func("/server/reload/v1", test_reload_v1);
	g_test_add_func("/server/stop", test_stop);
	return g_test_run();
}
