/* SPDX-License-Identifier: MIT
 *
 * Goal: client and server in one process, from an application's SOCKS request to an echoing
 * destination and back, with many applications at once: no application notices that links are cut,
 * come back and are rotated, no byte is lost or mixed, everything stops in time, and nothing is
 * left behind.
 *
 * Linked with --wrap for vpnr_backoff_next: links that are cut again and again are dialled as if
 * each was the first.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/accept.h"
#include "base/fd.h"
#include "base/log.h"
#include "client/backoff.h"
#include "client/inbound.h"
#include "server/clients.h"
#include "server/server.h"
#include "tests/thread/echo.h"
#include "tests/thread/relay.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define N_APPS   16
#define N_ROUNDS 5 /* of each application */
#define N_CUTS   20

/* Bytes that the relay lets through before it cuts the link, at the most: several frames, so that
 * cuts fall into them and between them; and some links do not live to the end of their
 * handshake. */
#define CUT_WITHIN (1 << 20)

/* Longer than any test takes. */
#define RESUME_TIMEOUT_S 600

/* Microseconds for a stop with streams open: as main, within two seconds, and a margin for a busy
 * machine with a sanitizer; but less than the 10 s that a peer may take. */
#define STOP_US 9000000

guint __real_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random);
guint __wrap_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random);

guint
__wrap_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random)
{
	vpnr_backoff_reset(backoff);
	return __real_vpnr_backoff_next(backoff, random);
}

typedef struct {
	VpnrProtocol protocol;
	guint rotate_interval_s;
	guint n_links;
	/* addresses */
	VpnrAddr server_addr, relay_addr, socks_addr, echo_addr;
	/* keys */
	VpnrKey server_private, server_public, client_private, client_public;
	/* those who take part, in the order in which they are started */
	VpnrPool *echo_pool;
	VpnrAccept *echo;
	VpnrStats server_stats;
	VpnrServer *server;
	Relay *relay;
	VpnrStats client_stats;
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	VpnrInbound *inbound;
	/* atomic */
	_Atomic guint n_ok;
	_Atomic guint n_broken;
	_Atomic gboolean stop; /* applications: no further round */
} System;

/* --- the destination -------------------------------------------------------------------------- */

static void
answer(gpointer data)
{
	echo_answer(GPOINTER_TO_INT(data));
}

static void
on_echo(int fd, const VpnrAddr *peer, gpointer data)
{
	System *system = data;

	loopback_set_blocking(fd, TRUE);
	vpnr_fd_set_nodelay(fd);
	g_assert_true(vpnr_pool_run(system->echo_pool, answer, GINT_TO_POINTER(fd)));
}

/* --- start and stop --------------------------------------------------------------------------- */

static GArray *
addresses(const VpnrAddr *addr)
{
	GArray *array = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));

	if (addr != NULL)
		g_array_append_val(array, *addr);
	return array;
}

static void
start_server(System *system)
{
	static const char *const allow[] = { "127.0.0.0/8", NULL };
	gboolean v2 = system->protocol == VPNR_PROTOCOL_V2;
	g_autoptr(GArray) listen = addresses(v2 ? &system->server_addr : NULL);
	g_autoptr(GArray) v1_listen = addresses(v2 ? NULL : &system->server_addr);
	g_autoptr(GPtrArray) clients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);
	g_autoptr(VpnrAcl) acl = vpnr_acl_new(allow, NULL, NULL);
	g_autoptr(GError) error = NULL;
	VpnrClientEntry *entry = g_new0(VpnrClientEntry, 1);

	entry->name = g_strdup("alice");
	entry->public_key = system->client_public;
	entry->acl = vpnr_acl_ref(acl);
	g_ptr_array_add(clients, entry);
	system->server =
	    vpnr_server_listen(&(VpnrServerParams){ .listen = listen,
						    .v1_listen = v1_listen,
						    .v1_dialect = system->protocol,
						    .private_key = system->server_private,
						    .max_streams = 1000,
						    .resume_timeout_s = RESUME_TIMEOUT_S,
						    .clients = clients,
						    .v1_acl = acl,
						    .stats = &system->server_stats },
			       &error);
	g_assert_no_error(error);
	g_assert_true(vpnr_server_start(system->server, NULL));
}

static void
start_client(System *system)
{
	g_autoptr(GError) error = NULL;
	VpnrUplinkTarget target = { .server = system->relay_addr,
				    .protocol = system->protocol,
				    .server_public_key = system->server_public,
				    .private_key = system->client_private,
				    .resume_timeout_s = RESUME_TIMEOUT_S,
				    .rotate_interval_s = system->rotate_interval_s };

	system->pool = vpnr_pool_new("pool", 1000);
	system->uplinks = vpnr_uplinks_start(system->n_links, &target, NULL, &error);
	g_assert_no_error(error);
	system->inbound = vpnr_inbound_start(&(VpnrInboundParams){ .kind = VPNR_INBOUND_SOCKS,
								   .listen = system->socks_addr,
								   .pool = system->pool,
								   .uplinks = system->uplinks,
								   .stats = &system->client_stats },
					     &error);
	g_assert_no_error(error);
}

/* All links. */
static void
wait_until_connected(System *system)
{
	for (guint i = 1; i <= system->n_links; i++) {
		VpnrUplink *uplink = vpnr_uplinks_get(system->uplinks, i);

		for (gint64 begin = g_get_monotonic_time();
		     vpnr_uplink_status(uplink).news.state != VPNR_UPLINK_CONNECTED;
		     patience(begin))
			;
	}
}

static void
system_init_links(System *system, VpnrProtocol protocol, guint rotate_interval_s, guint n_links)
{
	g_autoptr(GError) error = NULL;

	memset(system, 0, sizeof *system);
	system->protocol = protocol;
	system->rotate_interval_s = rotate_interval_s;
	system->n_links = n_links;
	system->server_addr = loopback_private(4334);
	system->relay_addr = loopback_private(4336);
	system->socks_addr = loopback_private(1080);
	system->echo_addr = loopback_private(7777);
	g_assert_true(vpnr_keys_generate(&system->server_private, NULL));
	g_assert_true(vpnr_keys_generate(&system->client_private, NULL));
	g_assert_true(
	    vpnr_keys_derive_public(&system->server_private, &system->server_public, NULL));
	g_assert_true(
	    vpnr_keys_derive_public(&system->client_private, &system->client_public, NULL));
	system->echo_pool = vpnr_pool_new("echo", 1000);
	system->echo =
	    vpnr_accept_new(vpnr_fd_listen(&system->echo_addr, &error), "echo", on_echo, system);
	g_assert_no_error(error);
	g_assert_true(vpnr_accept_start(system->echo, NULL));
	start_server(system);
	system->relay = relay_start(&system->relay_addr, &system->server_addr);
	start_client(system);
	wait_until_connected(system);
}

static void
system_init(System *system, VpnrProtocol protocol)
{
	system_init_links(system, protocol, 0, 1);
}

/* What all links have counted. */
static guint64
client_stat(const System *system, VpnrStat stat)
{
	guint64 sum = 0;

	for (guint i = 1; i <= system->n_links; i++)
		sum += vpnr_stats_get(vpnr_uplinks_stats(system->uplinks, i), stat);
	return sum;
}

/* As the client's main does it; applications may still ask what the links have counted. */
static void
stop_client(System *system)
{
	gint64 begin = g_get_monotonic_time();

	if (system->inbound == NULL)
		return;
	vpnr_inbound_stop(system->inbound);
	vpnr_uplinks_stop(system->uplinks);
	vpnr_pool_free(system->pool);
	vpnr_inbound_unref(g_steal_pointer(&system->inbound));
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
}

static void
stop_server(System *system)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_server_stop(g_steal_pointer(&system->server));
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
}

static void
system_clear(System *system)
{
	stop_client(system);
	stop_server(system);
	relay_stop(system->relay);
	vpnr_accept_stop(system->echo);
	vpnr_pool_free(system->echo_pool);
	g_assert_cmpuint(client_stat(system, VPNR_STAT_VIOLATIONS), ==, 0);
	g_assert_cmpuint(vpnr_stats_get(&system->server_stats, VPNR_STAT_VIOLATIONS), ==, 0);
	vpnr_uplinks_free(system->uplinks);
}

/* --- applications ----------------------------------------------------------------------------- */

typedef struct {
	System *system;
	guint number;
	guint n_rounds;
	gboolean must_succeed;
	VpnrThread *thread;
} App;

/* Asks for the echo by SOCKS5. FALSE: refused, or reset. */
static gboolean
ask_socks(const System *system, int fd)
{
	guint8 request[] = { 5, 1, 0, 5, 1, 0, 1, 0, 0, 0, 0, 0, 0 };
	guint8 answers[12];
	gsize got = 0;

	memcpy(request + 7, system->echo_addr.ip4, 4);
	request[11] = (guint8)(system->echo_addr.port >> 8);
	request[12] = (guint8)system->echo_addr.port;
	if (send(fd, request, sizeof request, MSG_NOSIGNAL) < 0)
		return FALSE;
	while (got < sizeof answers) {
		gssize now = recv(fd, answers + got, sizeof answers - got, 0);

		if (now <= 0)
			return FALSE;
		got += (gsize)now;
	}
	return answers[3] == 0;
}

/* One connection. FALSE: it was refused or reset. */
static gboolean
run_round(const System *system, guint number)
{
	g_auto(VpnrFd) fd = loopback_try_connect(&system->socks_addr);
	gboolean rust = system->protocol == VPNR_PROTOCOL_V1_RUST;
	guint32 n = number * 7919 % 250000;

	if (fd < 0 || !ask_socks(system, fd))
		return FALSE;
	/* 1.4.5, 1.4.6: there the client cannot announce its end, and the end of a destination that
	 * has sent nothing looks like a refusal. */
	return echo_ask(fd, rust ? n + 1 : n, number % 2 == 0 && !rust);
}

/* Waits for another link than that of before: who only tried again and again would leave thousands
 * of connections to the kernel. */
static void
wait_for_next_link(System *system, guint64 before)
{
	for (gint64 begin = g_get_monotonic_time();
	     !atomic_load(&system->stop) && client_stat(system, VPNR_STAT_RECONNECTS) == before;
	     patience(begin))
		;
}

static void
run_app(gpointer data)
{
	App *app = data;
	System *system = app->system;

	for (guint i = 0; i < app->n_rounds && !atomic_load(&system->stop); i++) {
		guint64 link = client_stat(system, VPNR_STAT_RECONNECTS);
		gboolean ok = run_round(system, app->number * 100 + i);

		atomic_fetch_add(ok ? &system->n_ok : &system->n_broken, 1);
		g_assert_true(ok || !app->must_succeed);
		if (!ok)
			wait_for_next_link(system, link);
	}
}

static void
start_apps(System *system, App apps[N_APPS], guint n_rounds, gboolean must_succeed)
{
	for (guint i = 0; i < N_APPS; i++) {
		apps[i] = (App){ .system = system,
				 .number = i,
				 .n_rounds = n_rounds,
				 .must_succeed = must_succeed };
		apps[i].thread = vpnr_thread_start("app", run_app, &apps[i], NULL);
		g_assert_nonnull(apps[i].thread);
	}
}

static void
join_apps(App apps[N_APPS])
{
	for (guint i = 0; i < N_APPS; i++)
		vpnr_thread_join(apps[i].thread);
}

static void
wait_for_echoes(System *system, guint more)
{
	guint before = atomic_load(&system->n_ok);

	for (gint64 begin = g_get_monotonic_time(); atomic_load(&system->n_ok) < before + more;
	     patience(begin))
		;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
check_many(VpnrProtocol protocol)
{
	System system;
	App apps[N_APPS];

	system_init(&system, protocol);
	start_apps(&system, apps, N_ROUNDS, TRUE);
	join_apps(apps);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_uplinks_foreach(system.uplinks, NULL, NULL) > 0; patience(begin))
		;
	g_assert_cmpuint(client_stat(&system, VPNR_STAT_STREAMS_TOTAL), ==, N_APPS * N_ROUNDS);
	g_assert_cmpuint(vpnr_stats_get(&system.server_stats, VPNR_STAT_STREAMS_TOTAL), ==,
			 N_APPS * N_ROUNDS);
	g_assert_cmpuint(client_stat(&system, VPNR_STAT_RECONNECTS), ==, 0);
	system_clear(&system);
}

static void
test_v2(void)
{
	check_many(VPNR_PROTOCOL_V2);
}

static void
test_v1(void)
{
	check_many(VPNR_PROTOCOL_V1);
}

static void
test_v1_rust(void)
{
	check_many(VPNR_PROTOCOL_V1_RUST);
}

/* Lets the relay cut one link after another, each after a number of bytes that nobody knows. */
static void
cut_links(System *system, guint n)
{
	for (guint i = 0; i < n; i++) {
		/* A square has many small values: handshakes and HELLOs are short. */
		guint64 random = (guint64)g_test_rand_int_range(0, 1024);
		guint before = relay_n_cuts(system->relay);

		relay_cut_after(system->relay, random * random * CUT_WITHIN >> 20);
		for (gint64 begin = g_get_monotonic_time(); relay_n_cuts(system->relay) == before;
		     patience(begin))
			;
	}
}

static void
check_cuts(guint n_links)
{
	System system;
	App apps[N_APPS];

	system_init_links(&system, VPNR_PROTOCOL_V2, 0, n_links);
	start_apps(&system, apps, G_MAXUINT, TRUE);
	wait_for_echoes(&system, 10);
	cut_links(&system, N_CUTS);
	wait_for_echoes(&system, 10);
	atomic_store(&system.stop, TRUE);
	join_apps(apps);
	g_assert_cmpuint(client_stat(&system, VPNR_STAT_RESUMES), >, 0);
	g_assert_cmpuint(client_stat(&system, VPNR_STAT_SESSIONS_LOST), ==, 0);
	g_assert_cmpuint(atomic_load(&system.n_broken), ==, 0);
	g_test_message("%u echoes, %" G_GUINT64_FORMAT " reconnects, %" G_GUINT64_FORMAT
		       " frames replayed",
		       atomic_load(&system.n_ok), client_stat(&system, VPNR_STAT_RECONNECTS),
		       client_stat(&system, VPNR_STAT_FRAMES_REPLAYED));
	system_clear(&system);
}

static void
test_cut(void)
{
	g_test_summary("The link is cut while it is busy, at any byte, handshake and HELLO "
		       "included: no application notices.");
	check_cuts(1);
}

static void
test_cut_links(void)
{
	g_test_summary("Several links are cut all at once, and each finds its own session again.");
	check_cuts(4);
}

static void
check_rotations(guint n_links)
{
	System system;
	App apps[N_APPS];

	system_init_links(&system, VPNR_PROTOCOL_V2, 1, n_links);
	start_apps(&system, apps, G_MAXUINT, TRUE);
	for (guint i = 1; i <= 3; i++) {
		for (gint64 begin = g_get_monotonic_time();
		     client_stat(&system, VPNR_STAT_ROTATIONS) < i; patience(begin))
			;
		relay_cut(system.relay);
	}
	wait_for_echoes(&system, 10);
	atomic_store(&system.stop, TRUE);
	join_apps(apps);
	g_assert_cmpuint(atomic_load(&system.n_broken), ==, 0);
	system_clear(&system);
}

static void
test_rotate(void)
{
	g_test_summary("Links are rotated every second, and cut meanwhile: no application "
		       "notices.");
	check_rotations(1);
}

static void
test_rotate_links(void)
{
	check_rotations(4);
}

static void
test_links_v1(void)
{
	g_test_summary("VPNr/1: several connections, each with ids of its own.");

	System system;
	App apps[N_APPS];

	system_init_links(&system, VPNR_PROTOCOL_V1, 0, 4);
	start_apps(&system, apps, N_ROUNDS, TRUE);
	join_apps(apps);
	for (guint i = 1; i <= 4; i++)
		g_assert_cmpuint(vpnr_stats_get(vpnr_uplinks_stats(system.uplinks, i),
						VPNR_STAT_STREAMS_TOTAL),
				 >, 0);
	system_clear(&system);
}

static void
test_stop_client(void)
{
	g_test_summary("The client stops in time with streams open.");

	System system;
	App apps[N_APPS];

	system_init(&system, VPNR_PROTOCOL_V2);
	start_apps(&system, apps, 3, FALSE);
	wait_for_echoes(&system, 3);
	atomic_store(&system.stop, TRUE);
	stop_client(&system);
	join_apps(apps);
	system_clear(&system);
}

static void
test_restart_server(void)
{
	g_test_summary("The server stops in time with streams open, and the client finds the next "
		       "one.");

	System system;
	App apps[N_APPS];

	system_init(&system, VPNR_PROTOCOL_V2);
	start_apps(&system, apps, G_MAXUINT, FALSE);
	for (guint i = 1; i <= 2; i++) {
		wait_for_echoes(&system, 10);
		stop_server(&system);
		start_server(&system);
		for (gint64 begin = g_get_monotonic_time();
		     client_stat(&system, VPNR_STAT_RECONNECTS) < i; patience(begin))
			;
	}
	wait_for_echoes(&system, 10);
	atomic_store(&system.stop, TRUE);
	join_apps(apps);
	system_clear(&system);
}

int
main(int argc, char **argv)
{
	vpnr_log_set_level(VPNR_LOG_ERROR);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/system/v2", test_v2);
	g_test_add_func("/thread/system/v1", test_v1);
	g_test_add_func("/thread/system/v1-rust", test_v1_rust);
	g_test_add_func("/thread/system/cut", test_cut);
	g_test_add_func("/thread/system/rotate", test_rotate);
	g_test_add_func("/thread/system/links/cut", test_cut_links);
	g_test_add_func("/thread/system/links/rotate", test_rotate_links);
	g_test_add_func("/thread/system/links/v1", test_links_v1);
	g_test_add_func("/thread/system/stop-client", test_stop_client);
	g_test_add_func("/thread/system/restart-server", test_restart_server);
	return g_test_run();
}
