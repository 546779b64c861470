/* SPDX-License-Identifier: MIT
 *
 * inbounds: what listens for which configuration, in a network of the test's own.
 */
#include "app/inbounds.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/client/linked.h"
#include "tests/unit/loopback.h"

#define KEY    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define CLIENT "[client]\nserver = a.example\nserver-public-key = " KEY "\nprivate-key-file = k\n"

typedef struct {
	Linked linked;
	VpnrInbounds *inbounds;
} Bench;

static void
start(Bench *bench, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrClientSettings) settings =
	    vpnr_client_settings_parse(text, strlen(text), "/etc/vpnr", &error);

	g_assert_no_error(error);
	linked_start(&bench->linked, 1000, 10);
	bench->inbounds = vpnr_inbounds_new(settings);
	vpnr_inbounds_start(bench->inbounds, bench->linked.pool, bench->linked.uplinks,
			    &bench->linked.stats, &error);
	g_assert_no_error(error);
	linked_greet(&bench->linked, TRUE);
}

static void
bench_clear(Bench *bench)
{
	vpnr_inbounds_stop(bench->inbounds);
	linked_end(&bench->linked);
	vpnr_inbounds_free(bench->inbounds);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* TRUE if nobody else may listen there: datagrams are taken. */
static gboolean
udp_is_taken(const char *text)
{
	VpnrAddr addr = loopback_parse(text);
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(&addr, &ss);
	g_auto(VpnrFd) fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&ss, size) < 0;
}

static void
test_off(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) redirect = -1;
	g_auto(VpnrFd) socks = -1;
	VpnrAddr addr = loopback_parse("127.0.0.1:4333");

	start(&bench, CLIENT "redirect = 127.0.0.1\nsocks = 127.0.0.1:1080\n");
	redirect = loopback_connect(&addr);
	loopback_expect_reset(redirect); /* nothing has redirected it */
	addr.port = 1080;
	socks = loopback_connect(&addr);
	g_assert_false(udp_is_taken("127.0.0.1:4333"));
	g_assert_cmpuint(vpnr_inbounds_own(bench.inbounds)->len, ==, 2);
	g_assert_cmpuint(vpnr_inbounds_waiting(bench.inbounds), ==, 0);
}

static void
test_redirect(void)
{
	g_auto(Bench) bench;

	start(&bench, CLIENT "redirect = 127.0.0.1\n[capture]\nmode = redirect\n");
	g_assert_true(udp_is_taken("127.0.0.1:4333"));
}

static void
test_both_families(void)
{
	if (!loopback_needs_ipv6())
		return;

	g_auto(Bench) bench;

	start(&bench, CLIENT "[capture]\nmode = redirect\n");
	g_assert_true(udp_is_taken("127.0.0.1:4333"));
	g_assert_true(udp_is_taken("[::1]:4333"));
	g_assert_cmpuint(vpnr_inbounds_own(bench.inbounds)->len, ==, 2);
}

static void
test_no_dns(void)
{
	g_auto(Bench) bench;

	start(&bench, CLIENT "redirect = 127.0.0.1\n[capture]\nmode = redirect\ndns = no\n");
	g_assert_false(udp_is_taken("127.0.0.1:4333"));
}

static void
test_tproxy(void)
{
	g_test_summary("The address of an accepted connection is its destination.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) own = -1;
	VpnrAddr addr = loopback_parse("127.9.8.7:4333");

	start(&bench, CLIENT "redirect = 0.0.0.0\n[capture]\nmode = tproxy\ndns = no\n");
	g_assert_true(udp_is_taken("0.0.0.0:4333"));
	own = loopback_connect(&addr);
	loopback_expect_reset(own);
	g_assert_cmpuint(vpnr_stats_get(&bench.linked.stats, VPNR_STAT_LOOPS_REFUSED), ==, 1);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*func)(void);
	} tests[] = {
		{ "/inbounds/off", test_off },
		{ "/inbounds/redirect", test_redirect },
		{ "/inbounds/both-families", test_both_families },
		{ "/inbounds/no-dns", test_no_dns },
		{ "/inbounds/tproxy", test_tproxy },
	};
	gboolean alone;

	g_test_init(&argc, &argv, NULL);
	alone = loopback_own_network();
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		loopback_add_alone(tests[i].path, alone, tests[i].func);
	return g_test_run();
}
