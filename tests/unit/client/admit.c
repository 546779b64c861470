/* SPDX-License-Identifier: MIT
 *
 * admit: a stream on the link that is there, or on the next one, or none.
 */
#include "client/admit.h"

#include "stream/flow.h"
#include "tests/unit/client/linked.h"
#include "tests/unit/patience.h"

typedef struct {
	Linked linked;
	VpnrLatch *stop;
	_Atomic guint waiting;
	VpnrAddr dest;
	/* of the last vpnr_admit() */
	VpnrTableResult result;
	VpnrAwait end;
} Bench;

static void
start(Bench *bench)
{
	*bench = (Bench){ .stop = vpnr_latch_new(NULL) };
	linked_start(&bench->linked, 1000, 1);
	g_assert_true(vpnr_addr_parse("192.0.2.1:53", 0, &bench->dest, NULL));
}

static void
bench_clear(Bench *bench)
{
	linked_end(&bench->linked);
	vpnr_latch_free(bench->stop);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
admit(Bench *bench, int max_ms)
{
	const VpnrAdmitParams params = { .uplinks = bench->linked.uplinks,
					 .kind = VPNR_KIND_UDP,
					 .dest = &bench->dest,
					 .peer = &bench->dest,
					 .fd = -1,
					 .stop = bench->stop,
					 .max_ms = max_ms,
					 .n_waiting = &bench->waiting };
	VpnrTable *table;
	VpnrStream *stream;

	bench->result = vpnr_admit(&params, &table, &stream, &bench->end);
	if (bench->result == VPNR_TABLE_OK)
		vpnr_flow_fail(vpnr_flow_new(table, stream, &(VpnrFlowParams){ .idle_ms = 1 }),
			       VPNR_REASON_ABORTED);
}

static void
on_thread(gpointer data)
{
	admit(data, -1);
}

static void
run_and_wait(Bench *bench)
{
	g_assert_true(vpnr_pool_run(bench->linked.pool, on_thread, bench));
	for (gint64 begin = g_get_monotonic_time(); atomic_load(&bench->waiting) != 1;
	     patience(begin))
		;
}

static void
wait_done(Bench *bench)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_pool_busy(bench->linked.pool) > 0;
	     patience(begin))
		;
	g_assert_cmpuint(atomic_load(&bench->waiting), ==, 0);
}

static void
test_at_once(void)
{
	g_auto(Bench) bench;

	start(&bench);
	linked_greet(&bench.linked, TRUE);
	admit(&bench, -1);
	g_assert_cmpint(bench.result, ==, VPNR_TABLE_OK);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
}

static void
test_next_link(void)
{
	g_auto(Bench) bench;

	start(&bench);
	run_and_wait(&bench);
	linked_greet(&bench.linked, TRUE);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	wait_done(&bench);
	g_assert_cmpint(bench.result, ==, VPNR_TABLE_OK);
}

static void
test_too_long(void)
{
	g_test_summary("The caller's patience may be shorter than the uplinks'.");

	g_auto(Bench) bench;

	start(&bench);
	admit(&bench, 1);
	g_assert_cmpint(bench.result, ==, VPNR_TABLE_CLOSED);
	g_assert_cmpint(bench.end, ==, VPNR_AWAIT_TIMEOUT);
}

static void
test_stop(void)
{
	g_auto(Bench) bench;

	start(&bench);
	run_and_wait(&bench);
	vpnr_latch_trip(bench.stop);
	wait_done(&bench);
	g_assert_cmpint(bench.result, ==, VPNR_TABLE_CLOSED);
	g_assert_cmpint(bench.end, ==, VPNR_AWAIT_STOPPED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/admit/at-once", test_at_once);
	g_test_add_func("/admit/next-link", test_next_link);
	g_test_add_func("/admit/too-long", test_too_long);
	g_test_add_func("/admit/stop", test_stop);
	return g_test_run();
}
