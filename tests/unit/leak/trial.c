/* SPDX-License-Identifier: MIT
 *
 * trial: probes to a host that is the test's own.
 */
#include "leak/trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Until something is seen on the socket, or nothing is to be looked for. */
static void
look(VpnrLeakTrial *trial)
{
	struct pollfd pfd = { .fd = trial->fd, .events = vpnr_leak_trial_events(trial) };

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	vpnr_leak_trial_look(trial);
}

static void
test_tcp(void)
{
	VpnrLeakProbe probe = { .kind = VPNR_LEAK_TCP };
	g_auto(VpnrFd) listener = loopback_listen(1, &probe.dest);
	VpnrLeakTrial trial;

	vpnr_leak_trial_start(&trial, &probe);
	g_assert_cmpint(trial.facts.error, ==, 0);
	g_assert_cmpint(trial.source.type, ==, VPNR_ADDR_IPV4);
	look(&trial);
	g_assert_true(trial.opened);
	g_auto(VpnrFd) far = loopback_accept(listener);
	loopback_expect(far, "vpnr leak test\r\n", 16);
	g_assert_false(trial.facts.answered);
	loopback_send(far, "!", 1);
	look(&trial);
	g_assert_true(trial.facts.answered);
	vpnr_leak_trial_clear(&trial);
	loopback_expect_end(far);
}

static void
test_reset(void)
{
	VpnrLeakProbe probe = { .kind = VPNR_LEAK_DNS_TCP };
	g_auto(VpnrFd) listener = loopback_listen(1, &probe.dest);
	VpnrLeakTrial trial;

	vpnr_leak_trial_start(&trial, &probe);
	look(&trial);
	vpnr_fd_abort(loopback_accept(listener));
	look(&trial);
	g_assert_cmpint(trial.facts.error, ==, ECONNRESET);
	g_assert_cmpint(trial.fd, ==, -1);
}

static void
test_refused(void)
{
	VpnrLeakProbe probe = { .kind = VPNR_LEAK_TCP };
	g_auto(VpnrFd) nobody = loopback_listen(-1, &probe.dest);
	VpnrLeakTrial trial;

	g_assert_cmpint(nobody, >=, 0);
	vpnr_leak_trial_start(&trial, &probe);
	if (trial.fd >= 0)
		look(&trial);
	g_assert_cmpint(trial.facts.error, ==, ECONNREFUSED);

	/* Nobody else has this address. */
	probe.kind = VPNR_LEAK_UDP;
	probe.dest = loopback_private(9);
	vpnr_leak_trial_start(&trial, &probe);
	g_assert_true(trial.opened);
	look(&trial);
	g_assert_cmpint(trial.facts.error, ==, ECONNREFUSED);
	g_assert_false(trial.facts.at_once);
}

static void
test_no_route(void)
{
	g_test_summary("What the kernel refuses at once needs no watching to be told.");

	VpnrLeakProbe probe = { .dest = loopback_parse("192.0.2.1:9") };
	static const VpnrLeakKind kinds[] = { VPNR_LEAK_TCP, VPNR_LEAK_UDP };

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		VpnrLeakTrial trial;

		probe.kind = kinds[i];
		vpnr_leak_trial_start(&trial, &probe);
		g_assert_cmpint(trial.fd, ==, -1);
		g_assert_cmpint(trial.facts.error, ==, ENETUNREACH);
		g_assert_cmpint(vpnr_leak_judge(&trial.facts), ==, VPNR_LEAK_REJECTED);
		g_assert_cmpstr(vpnr_leak_explain(&trial.facts), ==, "there is no route");
	}
}

static void
test_note(void)
{
	VpnrLeakTrial trial = { .probe = { VPNR_LEAK_UDP, loopback_private(53) }, .fd = -1 };
	VpnrLeakPacket packet = { .protocol = IPPROTO_UDP, .dest = loopback_private(54) };

	vpnr_leak_trial_note(&trial, &packet, "eth0");
	g_assert_false(trial.facts.outside);
	packet.dest.port = 53;
	packet.protocol = IPPROTO_TCP;
	vpnr_leak_trial_note(&trial, &packet, "eth0");
	g_assert_false(trial.facts.outside);
	packet.protocol = IPPROTO_UDP;
	vpnr_leak_trial_note(&trial, &packet, "eth0");
	g_assert_true(trial.facts.outside);
	g_assert_cmpstr(trial.interface, ==, "eth0");
}

int
main(int argc, char **argv)
{
	gboolean alone;

	g_test_init(&argc, &argv, NULL);
	alone = loopback_own_network();
	g_test_add_func("/trial/tcp", test_tcp);
	g_test_add_func("/trial/reset", test_reset);
	g_test_add_func("/trial/refused", test_refused);
	loopback_add_alone("/trial/no-route", alone, test_no_route);
	g_test_add_func("/trial/note", test_note);
	return g_test_run();
}
