/* SPDX-License-Identifier: MIT
 *
 * renewal: when a link is replaced, by age and by changes of the network.
 */
#include "client/renewal.h"

#define MS (gint64)1000
#define S  (gint64) G_USEC_PER_SEC

static void
test_age(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(5 * S, 3600);

	g_assert_false(vpnr_renewal_is_due(&renewal, 3605 * S - 1));
	g_assert_true(vpnr_renewal_is_due(&renewal, 3605 * S));
}

static void
test_for_ever(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(5 * S, 0);

	g_assert_false(vpnr_renewal_is_due(&renewal, G_MAXINT64 - 1));
}

/* Four links that have begun together are due in turn, the first of them at its full age. */
static void
test_stagger(void)
{
	for (guint i = 0; i < 4; i++) {
		VpnrRenewal renewal = vpnr_renewal_begin(5 * S, 3600);
		gint64 due = 5 * S + (4 - i) * 900 * S;

		vpnr_renewal_stagger(&renewal, i, 4);
		g_assert_false(vpnr_renewal_is_due(&renewal, due - 1));
		g_assert_true(vpnr_renewal_is_due(&renewal, due));
	}
}

static void
test_stagger_for_ever(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(5 * S, 0);

	vpnr_renewal_stagger(&renewal, 3, 4);
	g_assert_false(vpnr_renewal_is_due(&renewal, G_MAXINT64 - 1));
}

static void
test_other_path(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(0, 3600);

	vpnr_renewal_network_changed(&renewal, 1 * S, FALSE);
	g_assert_true(vpnr_renewal_is_due(&renewal, 1 * S));
}

/* A young link is spared, an old one gets a moment, and more changes do not put it off. */
static void
test_same_path(void)
{
	VpnrRenewal young = vpnr_renewal_begin(0, 0);
	VpnrRenewal old = vpnr_renewal_begin(0, 3600);
	gint64 min_age = VPNR_RENEWAL_MIN_AGE_MS * MS;
	gint64 settled = VPNR_RENEWAL_SETTLED_MS * MS;

	vpnr_renewal_network_changed(&young, 1 * S, TRUE);
	g_assert_false(vpnr_renewal_is_due(&young, min_age - 1));
	g_assert_true(vpnr_renewal_is_due(&young, min_age));

	vpnr_renewal_network_changed(&old, 60 * S, TRUE);
	vpnr_renewal_network_changed(&old, 60 * S + settled / 2, TRUE);
	g_assert_false(vpnr_renewal_is_due(&old, 60 * S + settled - 1));
	g_assert_true(vpnr_renewal_is_due(&old, 60 * S + settled));
}

/* A change does not make a link live longer. */
static void
test_never_later(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(0, 60);

	vpnr_renewal_network_changed(&renewal, 60 * S - 1, TRUE);
	g_assert_true(vpnr_renewal_is_due(&renewal, 60 * S));
}

static void
test_failed(void)
{
	VpnrRenewal renewal = vpnr_renewal_begin(0, 60);
	gint64 retry = VPNR_RENEWAL_RETRY_MS * MS;

	vpnr_renewal_failed(&renewal, 61 * S);
	g_assert_false(vpnr_renewal_is_due(&renewal, 61 * S + retry - 1));
	g_assert_true(vpnr_renewal_is_due(&renewal, 61 * S + retry));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/renewal/age", test_age);
	g_test_add_func("/renewal/for-ever", test_for_ever);
	g_test_add_func("/renewal/stagger", test_stagger);
	g_test_add_func("/renewal/stagger/for-ever", test_stagger_for_ever);
	g_test_add_func("/renewal/other-path", test_other_path);
	g_test_add_func("/renewal/same-path", test_same_path);
	g_test_add_func("/renewal/never-later", test_never_later);
	g_test_add_func("/renewal/failed", test_failed);
	return g_test_run();
}
