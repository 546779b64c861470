/* SPDX-License-Identifier: MIT
 *
 * cancel: who decides that a wait is over.
 */
#include "base/cancel.h"

#include <poll.h>

typedef struct {
	gboolean answer;
	guint n_asked;
} Owner;

static gboolean
on_asked(gpointer data)
{
	Owner *owner = data;

	owner->n_asked++;
	return owner->answer;
}

static void
test_is_due(void)
{
	Owner owner = { .answer = FALSE };
	VpnrCancel cancel = { .fd = 0, .cancelled = on_asked, .data = &owner };
	VpnrCancel at_once = { .fd = 0 };

	g_assert_false(vpnr_cancel_is_due(&cancel, 0));
	g_assert_cmpuint(owner.n_asked, ==, 0);
	g_assert_false(vpnr_cancel_is_due(&cancel, POLLIN));
	owner.answer = TRUE;
	g_assert_true(vpnr_cancel_is_due(&cancel, POLLIN));
	g_assert_cmpuint(owner.n_asked, ==, 2);

	g_assert_true(vpnr_cancel_is_due(&at_once, POLLIN));
	g_assert_false(vpnr_cancel_is_due(&VPNR_CANCEL_NEVER, 0));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cancel/is-due", test_is_due);
	return g_test_run();
}
