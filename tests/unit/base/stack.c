/* SPDX-License-Identifier: MIT
 *
 * stack: what a deep call has touched is given back, what the thread still needs is not.
 */
#include "base/stack.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"

#define DEEP (64 * 1024)

/* Pages between the frame of the thread's function and those that may be kept: the page that the
 * frames end in, and one for the frames of this test, which sanitizers make large. */
#define KEPT 3

typedef struct {
	void (*func)(void);
	guint before; /* pages below */
	guint after;
	gboolean intact;
} Visit;

static gsize
page_size(void)
{
	return (gsize)sysconf(_SC_PAGESIZE);
}

/* Pages of the stack below the caller that are in memory, but for KEPT. */
__attribute__((noinline)) static guint
pages_below(void)
{
	guintptr page = page_size();
	guintptr end = ((guintptr)__builtin_frame_address(0) & ~(page - 1)) - KEPT * page;
	guint n = 0;

	for (guintptr at = (guintptr)vpnr_thread_stack(); at < end; at += page) {
		unsigned char resident = 0;

		g_assert_cmpint(mincore((void *)at, page, &resident), ==, 0);
		n += resident & 1;
	}
	return n;
}

__attribute__((noinline)) static void
go_deep(void)
{
	volatile char bytes[DEEP];

	for (gsize i = 0; i < sizeof bytes; i += 512)
		bytes[i] = (char)i;
	g_assert_cmpint(bytes[512], ==, (char)512);
}

static void
visit(gpointer data)
{
	Visit *visit = data;
	volatile guint8 mine[256];

	for (guint i = 0; i < sizeof mine; i++)
		mine[i] = (guint8)i;
	go_deep();
	visit->before = pages_below();
	visit->func();
	visit->after = pages_below();
	visit->intact = TRUE;
	for (guint i = 0; i < sizeof mine; i++)
		visit->intact &= mine[i] == (guint8)i;
	go_deep();
}

static Visit
visit_with(void (*func)(void))
{
	Visit result = { .func = func };
	VpnrThread *thread = vpnr_thread_start("visit", visit, &result, NULL);

	g_assert_nonnull(thread);
	vpnr_thread_join(thread);
	g_assert_cmpuint(result.before, >=, DEEP / page_size() / 2);
	g_assert_true(result.intact);
	return result;
}

static void
test_release(void)
{
	g_assert_cmpuint(visit_with(vpnr_stack_release).after, ==, 0);
}

/* Main's stack is not ours. */
static void
test_main(void)
{
	g_assert_null(vpnr_thread_stack());
	vpnr_stack_release();
}

static void
sleep_too_short(void)
{
	g_assert_cmpint(vpnr_stack_poll(NULL, 0, 1), ==, 0);
}

static void
sleep_long(void)
{
	gint64 start = g_get_monotonic_time();
	gint64 slept;

	g_assert_cmpint(vpnr_stack_poll(NULL, 0, VPNR_STACK_PATIENCE_MS + 50), ==, 0);
	slept = g_get_monotonic_time() - start;
	g_assert_cmpint(slept, >=, (VPNR_STACK_PATIENCE_MS + 50) * 1000);
}

static void
find_event(void)
{
	g_auto(VpnrFd) fd = eventfd(1, EFD_CLOEXEC);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	g_assert_cmpint(vpnr_stack_poll(&pollfd, 1, -1), ==, 1);
	g_assert_cmpint(pollfd.revents, ==, POLLIN);
}

/* Who is woken soon does not pay. */
static void
test_poll_short(void)
{
	Visit event = visit_with(find_event);
	Visit timeout = visit_with(sleep_too_short);

	g_assert_cmpuint(event.after, ==, event.before);
	g_assert_cmpuint(timeout.after, ==, timeout.before);
}

static void
test_poll_long(void)
{
	g_assert_cmpuint(visit_with(sleep_long).after, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary("A thread that sleeps gives back the stack that it does not need.");
	g_test_add_func("/stack/release", test_release);
	g_test_add_func("/stack/main", test_main);
	g_test_add_func("/stack/poll-short", test_poll_short);
	g_test_add_func("/stack/poll-long", test_poll_long);
	return g_test_run();
}
