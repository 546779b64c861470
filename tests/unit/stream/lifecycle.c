/* SPDX-License-Identifier: MIT
 *
 * lifecycle: the whole table, every state with every event for each kind, and whole lives.
 */
#include "stream/lifecycle.h"

#include <string.h>

#define FIN   VPNR_ACTION_SEND_FIN
#define RESET VPNR_ACTION_SEND_RESET
#define DROP  VPNR_ACTION_DROP_OUTPUT
#define SHUT  VPNR_ACTION_SHUT_OUTPUT
#define CLOSE VPNR_ACTION_CLOSE
#define LEAVE (VPNR_ACTION_DROP_INPUT | VPNR_ACTION_CLOSE)
#define ABORT VPNR_ACTION_ABORT

#define N_KINDS  3
#define N_EVENTS 7

static const char *const kind_names[N_KINDS] = { "symmetric", "v1 server", "rust server" };
static const char *const event_names[N_EVENTS] = { "input EOF", "socket error", "output error",
						   "FIN",       "END",          "RESET",
						   "drained" };

/* Where an event leads. Two letters for input and output: o(pen), d(iscard or draining), c(losed);
 * "cc" is over; ! is broken. */
typedef struct {
	const char *state;
	VpnrActions actions;
} Step;

/* A state and its steps, in the order of VpnrEvent. */
typedef struct {
	const char *state;
	Step steps[N_EVENTS];
} Row;

static const Row symmetric[] = {
	{ "oo",
	  { { "co", FIN },
	    { "cc", RESET | ABORT },
	    { "oc!", DROP },
	    { "od", 0 },
	    { "dd", RESET },
	    { "cc", ABORT },
	    { "oo", 0 } } },
	{ "od",
	  { { "cd", FIN },
	    { "cc", RESET | ABORT },
	    { "oc!", DROP },
	    { "od", 0 },
	    { "dd", RESET },
	    { "cc", ABORT },
	    { "oc", SHUT } } },
	{ "oc",
	  { { "cc", FIN | CLOSE },
	    { "cc", RESET | ABORT },
	    { "oc!", DROP },
	    { "oc", 0 },
	    { "dc", RESET },
	    { "cc", ABORT },
	    { "oc", 0 } } },
	{ "oc!",
	  { { "cc!", RESET | ABORT },
	    { "cc!", RESET | ABORT },
	    { "oc!", DROP },
	    { "oc!", 0 },
	    { "dc!", RESET },
	    { "cc!", ABORT },
	    { "oc!", 0 } } },
	{ "dd",
	  { { "cd", 0 },
	    { "cc", ABORT },
	    { "cc", ABORT },
	    { "dd", 0 },
	    { "dd", 0 },
	    { "cc", ABORT },
	    { "dc", SHUT } } },
	{ "dc",
	  { { "cc", CLOSE },
	    { "cc", ABORT },
	    { "cc", ABORT },
	    { "dc", 0 },
	    { "dc", 0 },
	    { "cc", ABORT },
	    { "dc", 0 } } },
	{ "dc!",
	  { { "cc!", ABORT },
	    { "cc!", ABORT },
	    { "cc!", ABORT },
	    { "dc!", 0 },
	    { "dc!", 0 },
	    { "cc!", ABORT },
	    { "dc!", 0 } } },
	{ "co",
	  { { "co", 0 },
	    { "cc", RESET | ABORT },
	    { "cc", RESET | ABORT },
	    { "cd", 0 },
	    { "cd", RESET },
	    { "cc", ABORT },
	    { "co", 0 } } },
	{ "cd",
	  { { "cd", 0 },
	    { "cc", ABORT },
	    { "cc", ABORT },
	    { "cd", 0 },
	    { "cd", 0 },
	    { "cc", ABORT },
	    { "cc", CLOSE } } },
	{ "cc",
	  { { "cc", 0 },
	    { "cc", 0 },
	    { "cc", 0 },
	    { "cc", 0 },
	    { "cc", 0 },
	    { "cc", 0 },
	    { "cc", 0 } } },
};

/* What differs from the above. */
typedef struct {
	VpnrLifeKind kind;
	const char *state;
	VpnrEvent event;
	Step step;
} Difference;

static const Difference differences[] = {
	/* The application is gone: the destination has what was sent, so it is closed. */
	{ VPNR_LIFE_V1_SERVER, "dd", VPNR_EVENT_DRAINED, { "cc", SHUT | LEAVE } },
	{ VPNR_LIFE_V1_SERVER, "oc", VPNR_EVENT_END, { "cc", RESET | LEAVE } },
	{ VPNR_LIFE_V1_SERVER, "dc", VPNR_EVENT_END, { "cc", LEAVE } },
	{ VPNR_LIFE_V1_SERVER, "oc!", VPNR_EVENT_END, { "cc!", RESET | LEAVE } },
	{ VPNR_LIFE_V1_SERVER, "dc!", VPNR_EVENT_END, { "cc!", LEAVE } },
	{ VPNR_LIFE_RUST_SERVER, "dd", VPNR_EVENT_DRAINED, { "cc", SHUT | LEAVE } },
	{ VPNR_LIFE_RUST_SERVER, "oc", VPNR_EVENT_END, { "cc", RESET | LEAVE } },
	{ VPNR_LIFE_RUST_SERVER, "dc", VPNR_EVENT_END, { "cc", LEAVE } },
	{ VPNR_LIFE_RUST_SERVER, "oc!", VPNR_EVENT_END, { "cc!", RESET | LEAVE } },
	{ VPNR_LIFE_RUST_SERVER, "dc!", VPNR_EVENT_END, { "cc!", LEAVE } },
	/* The end of the destination is the end of the stream (docs/protocol.md, 1.4.6). */
	{ VPNR_LIFE_RUST_SERVER, "oo", VPNR_EVENT_INPUT_EOF, { "cc", FIN | CLOSE } },
	{ VPNR_LIFE_RUST_SERVER, "od", VPNR_EVENT_INPUT_EOF, { "cc", FIN | CLOSE } },
	{ VPNR_LIFE_RUST_SERVER, "dd", VPNR_EVENT_INPUT_EOF, { "cc", CLOSE } },
};

static VpnrLifecycle
life_in(VpnrLifeKind kind, const char *state)
{
	static const char letters[] = "odc";

	return (VpnrLifecycle){ .kind = kind,
				.input = strchr(letters, state[0]) - letters,
				.output = strchr(letters, state[1]) - letters,
				.broken = state[2] == '!',
				.over = g_str_has_prefix(state, "cc") };
}

static const Step *
expected_step(VpnrLifeKind kind, const Row *row, VpnrEvent event)
{
	for (gsize i = 0; i < G_N_ELEMENTS(differences); i++)
		if (differences[i].kind == kind && differences[i].event == event &&
		    g_str_equal(differences[i].state, row->state))
			return &differences[i].step;
	return &row->steps[event];
}

static void
check_step(VpnrLifeKind kind, const Row *row, VpnrEvent event)
{
	const Step *step = expected_step(kind, row, event);
	VpnrLifecycle life = life_in(kind, row->state);
	VpnrLifecycle wanted = life_in(kind, step->state);

	g_test_message("%s, %s: %s", kind_names[kind], row->state, event_names[event]);
	g_assert_cmphex(vpnr_lifecycle_step(&life, event), ==, step->actions);
	g_assert_cmpint(life.input, ==, wanted.input);
	g_assert_cmpint(life.output, ==, wanted.output);
	g_assert_cmpint(life.broken, ==, wanted.broken);
	g_assert_cmpint(life.over, ==, wanted.over);
	g_assert_cmpint(life.kind, ==, kind);
}

static void
test_table(void)
{
	for (VpnrLifeKind kind = 0; kind < N_KINDS; kind++)
		for (gsize i = 0; i < G_N_ELEMENTS(symmetric); i++)
			for (VpnrEvent event = 0; event < N_EVENTS; event++)
				check_step(kind, &symmetric[i], event);
}

static void
test_init(void)
{
	for (VpnrLifeKind kind = 0; kind < N_KINDS; kind++) {
		VpnrLifecycle life = vpnr_lifecycle_init(kind);
		VpnrLifecycle wanted = life_in(kind, "oo");

		g_assert_cmpmem(&life, sizeof life, &wanted, sizeof wanted);
	}
}

/* What has been done so far, and what has gone over the link. */
typedef struct {
	guint n_fin, n_reset, n_shut, n_end;
	gboolean fin_came, end_came;
} Tally;

/* docs/protocol.md, 1.3.5 and 1.3.7. */
static gboolean
is_over_on_link(const Tally *tally)
{
	return (tally->n_fin > 0 && tally->fin_came) || (tally->n_reset > 0 && tally->end_came);
}

static void
count(Tally *tally, VpnrEvent event, VpnrActions actions)
{
	gboolean was_over = is_over_on_link(tally);

	tally->fin_came |= event == VPNR_EVENT_FIN;
	tally->end_came |= event == VPNR_EVENT_END;
	tally->n_fin += (actions & FIN) != 0;
	tally->n_reset += (actions & RESET) != 0;
	tally->n_shut += (actions & SHUT) != 0;
	tally->n_end += (actions & (CLOSE | ABORT)) != 0;
	if (was_over)
		g_assert_cmphex(actions & (FIN | RESET), ==, 0);
	else if (event == VPNR_EVENT_END)
		g_assert_cmphex(actions & RESET, ==, RESET);
	g_assert_cmpuint(tally->n_fin, <=, 1);
	g_assert_cmpuint(tally->n_reset, <=, 1);
	g_assert_cmpuint(tally->n_shut, <=, 1);
	g_assert_cmpuint(tally->n_end, <=, 1);
}

/* Every sequence of so many events that may follow. */
static void
check_lives(VpnrLifecycle life, Tally tally, guint n_events)
{
	if (n_events == 0 || life.over)
		return;
	for (VpnrEvent event = 0; event < N_EVENTS; event++) {
		VpnrLifecycle next = life;
		Tally sum = tally;

		count(&sum, event, vpnr_lifecycle_step(&next, event));
		g_assert_cmpint(next.over, ==, sum.n_end > 0);
		if (life.kind == VPNR_LIFE_RUST_SERVER) /* 1.4.6: both are FAIL */
			g_assert_cmpuint(sum.n_fin + sum.n_reset, <=, 1);
		check_lives(next, sum, n_events - 1);
	}
}

static void
test_lives(void)
{
	g_test_summary("Whatever happens in whatever order: FIN and RESET are sent once at the "
		       "most, and not when either has gone both ways; the peer's END is answered; "
		       "the socket is told once, and closed once, at the end.");

	for (VpnrLifeKind kind = 0; kind < N_KINDS; kind++)
		check_lives(vpnr_lifecycle_init(kind), (Tally){ 0 }, 7);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lifecycle/init", test_init);
	g_test_add_func("/lifecycle/table", test_table);
	g_test_add_func("/lifecycle/lives", test_lives);
	return g_test_run();
}
