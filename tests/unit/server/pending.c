/* SPDX-License-Identifier: MIT
 *
 * pending: who is taken in, who makes way, and who counts as one source.
 */
#include "server/pending.h"

/* Services that are compared, and nothing else. */
static guint8 services[3 * VPNR_PENDING_MAX];

static VpnrService *
service(guint i)
{
	return (VpnrService *)&services[i];
}

/* So many of them have addresses of their own, which do not count as one source. */
static VpnrAddr
peer(guint i)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV6,
			   .port = (guint16)i,
			   .ip6 = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, (guint8)(i >> 8), (guint8)i } };
}

/* Returns who has to make way, or NULL. */
static VpnrService *
add(VpnrPending *pending, guint i)
{
	VpnrAddr addr = peer(i);
	VpnrService *oldest;

	g_assert_true(vpnr_pending_add(pending, service(i), &addr, &oldest));
	return oldest;
}

static gboolean
is_refused(VpnrPending *pending, const VpnrAddr *addr)
{
	VpnrService *oldest;

	if (!vpnr_pending_add(pending, service(0), addr, &oldest))
		return TRUE;
	vpnr_pending_remove(pending, service(0));
	return FALSE;
}

static void
test_oldest(void)
{
	g_test_summary("The oldest of those who are still there makes way.");

	g_autoptr(VpnrPending) pending = vpnr_pending_new();
	guint i;

	for (i = 0; i < VPNR_PENDING_MAX; i++)
		g_assert_null(add(pending, i));
	g_assert_true(add(pending, i++) == service(0));
	vpnr_pending_remove(pending, service(0));
	vpnr_pending_remove(pending, service(1));
	g_assert_null(add(pending, i++));
	g_assert_true(add(pending, i++) == service(2));
	vpnr_pending_remove(pending, service(3));
	vpnr_pending_remove(pending, service(2));
	g_assert_null(add(pending, i++));
	vpnr_pending_free(NULL);
}

static void
test_leaving(void)
{
	g_test_summary("Those who have made way and are still there have a bound as well.");

	g_autoptr(VpnrPending) pending = vpnr_pending_new();
	VpnrAddr next = peer(2 * VPNR_PENDING_MAX);
	guint i;

	for (i = 0; i < VPNR_PENDING_MAX; i++)
		g_assert_null(add(pending, i));
	for (; i < 2 * VPNR_PENDING_MAX; i++)
		g_assert_true(add(pending, i) == service(i - VPNR_PENDING_MAX));
	g_assert_true(is_refused(pending, &next));
	vpnr_pending_remove(pending, service(0));
	g_assert_true(add(pending, i) == service(VPNR_PENDING_MAX));
}

static void
test_source(void)
{
	g_autoptr(VpnrPending) pending = vpnr_pending_new();
	VpnrAddr same = peer(7), other = peer(8);
	VpnrAddr ip4 = { .type = VPNR_ADDR_IPV4, .ip4 = { 192, 0, 2, 1 } };
	VpnrService *oldest;

	for (guint i = 1; i <= VPNR_PENDING_PER_SOURCE_MAX; i++) {
		same.port = (guint16)i;
		same.ip6[15] = (guint8)i; /* within the /64 */
		g_assert_true(vpnr_pending_add(pending, service(i), &same, &oldest));
		ip4.port = (guint16)i;
		g_assert_true(vpnr_pending_add(pending, service(100 + i), &ip4, &oldest));
	}
	g_assert_true(is_refused(pending, &same));
	g_assert_true(is_refused(pending, &ip4));
	g_assert_false(is_refused(pending, &other));
	ip4.ip4[3] = 2;
	g_assert_false(is_refused(pending, &ip4));
	vpnr_pending_remove(pending, service(5));
	g_assert_false(is_refused(pending, &same));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pending/oldest", test_oldest);
	g_test_add_func("/pending/leaving", test_leaving);
	g_test_add_func("/pending/source", test_source);
	return g_test_run();
}
