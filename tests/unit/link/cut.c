/* SPDX-License-Identifier: MIT
 *
 * Goal: whatever the byte after which a link is cut, nothing is lost, nothing comes twice, and
 * nothing is out of order (docs/protocol.md, 2.11).
 *
 * A client's session and a server's exchange what the script below says, over connections that let
 * an exact number of bytes pass in one direction and then break. They meet again, and go on. What
 * the threads do around the cut varies from round to round, as do the places of PINGs and ACKs; the
 * result must not. Three things are checked:
 *
 *   - a side's handler gets the other side's frames, byte for byte and in order;
 *   - a link carries the frames from the one on that its HELLOs name, and no others;
 *   - exactly the frames that have passed whole count as received.
 */
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/latch.h"
#include "link/session.h"
#include "link/wire.h"
#include "proto/v2.h"
#include "tests/unit/link/meeting.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Under ThreadSanitizer a round takes ten times as long: there, only each n-th place is tried. The
 * number is prime, so that the places are not all at the same offset of some frame. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define STEP 5
#else
#define STEP 1
#endif

/* --- the script ------------------------------------------------------------------------------- */

typedef enum {
	CLIENT,
	SERVER,
} Role;

/* A link knows no streams, so the script need not make sense as one: it has every type of frame,
 * and what goes in one turn is in the order in which the schedule sends it. A side begins its next
 * turn when its last one has gone out for the first time and the other's has come, so there is
 * always something under way in both directions. */
typedef struct {
	guint turn;
	VpnrFrameType type;
	guint32 stream;
	guint32 value; /* DATA: bytes; WINDOW: the limit; RESET: the reason */
} Line;

static const Line client_lines[] = {
	{ 0, VPNR_FRAME_OPEN, 1, 0 },      { 0, VPNR_FRAME_DATA, 1, 1 },
	{ 0, VPNR_FRAME_DATA, 1, 40 },     { 1, VPNR_FRAME_OPEN, 3, 0 },
	{ 1, VPNR_FRAME_WINDOW, 1, 9999 }, { 1, VPNR_FRAME_DATA, 3, 300 },
	{ 2, VPNR_FRAME_RESET, 3, 8 },     { 2, VPNR_FRAME_DATA, 1, 17 },
	{ 2, VPNR_FRAME_FIN, 1, 0 },       { 3, VPNR_FRAME_OPEN, 5, 0 },
	{ 3, VPNR_FRAME_DATA, 5, 8 },
};

static const Line server_lines[] = {
	{ 0, VPNR_FRAME_WINDOW, 7, 1 },    { 0, VPNR_FRAME_DATA, 7, 5 },
	{ 1, VPNR_FRAME_OPENED, 1, 0 },    { 1, VPNR_FRAME_DATA, 1, 200 },
	{ 1, VPNR_FRAME_DATA, 1, 3 },      { 2, VPNR_FRAME_OPENED, 3, 0 },
	{ 2, VPNR_FRAME_WINDOW, 1, 9999 }, { 2, VPNR_FRAME_DATA, 1, 60 },
	{ 2, VPNR_FRAME_FIN, 1, 0 },       { 3, VPNR_FRAME_OPENED, 5, 0 },
	{ 3, VPNR_FRAME_RESET, 5, 8 },
};

#define N_LINES G_N_ELEMENTS(client_lines)
G_STATIC_ASSERT(G_N_ELEMENTS(server_lines) == N_LINES);

/* Bytes on the wire that two turns of one side have at the most: what can be under way. */
#define TWO_TURNS 420

static const Line *const scripts[] = { client_lines, server_lines };

static VpnrFrame *
make_frame(const Line *line)
{
	static const VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2 } };
	VpnrFrame *frame;

	if (line->type == VPNR_FRAME_OPEN)
		return vpnr_frame_new_open(line->stream, VPNR_KIND_TCP, &dest);
	if (line->type == VPNR_FRAME_WINDOW)
		return vpnr_frame_new_window(line->stream, line->value);
	if (line->type == VPNR_FRAME_RESET)
		return vpnr_frame_new_reset(line->stream, line->value);
	frame = vpnr_frame_new(line->type, line->stream, line->value);
	pattern_fill(frame->data, line->value, line->value);
	return frame;
}

/* Frames of a side's script, in the form of the wire. */
static GByteArray *
script_bytes(Role role, guint64 first, guint64 end)
{
	GByteArray *bytes = g_byte_array_new();

	for (; first < end; first++) {
		g_autoptr(VpnrFrame) frame = make_frame(&scripts[role][first]);

		vpnr_v2_encode(frame, bytes);
	}
	return bytes;
}

/* TRUE if bytes begins with all of start. An empty array has no pointer for memcmp(). */
static gboolean
begins_with(const GByteArray *bytes, const GByteArray *start)
{
	return start->len <= bytes->len &&
	       (start->len == 0 || memcmp(bytes->data, start->data, start->len) == 0);
}

static gsize
script_size(Role role)
{
	g_autoptr(GByteArray) bytes = script_bytes(role, 0, N_LINES);

	return bytes->len;
}

/* --- a side ----------------------------------------------------------------------------------- */

typedef struct {
	Role role;
	VpnrSession *session;
	VpnrStats stats;
	VpnrLatch *done; /* the other's script has come */
	/* reader thread; main's while there is no link */
	guint64 position; /* in the other's script */
	GByteArray *got;  /* the other's frames, in the form of the wire */
	/* writer thread; main's while there is no link */
	gsize left;       /* bytes that the link still lets pass */
	GByteArray *sent; /* what it has let pass */
	guint64 released; /* frames */
	/* atomic */
	_Atomic guint n_events; /* turns that have come, and turns that have gone out */
	guint turn;             /* the next; of whoever has made n_events even */
} Side;

static Role
other(Role role)
{
	return role == CLIENT ? SERVER : CLIENT;
}

static void
push_turn(Side *side)
{
	for (guint i = 0; i < N_LINES; i++)
		if (scripts[side->role][i].turn == side->turn)
			vpnr_mailbox_push(vpnr_session_outbox(side->session),
					  make_frame(&scripts[side->role][i]));
}

/* TRUE if the first n lines are all there is of some turns. */
static gboolean
ends_a_turn(const Line *lines, guint64 n)
{
	return n == N_LINES || lines[n - 1].turn != lines[n].turn;
}

/* Both must have come for the next turn: the other's, and the end of our own. */
static void
on_event(Side *side)
{
	if (atomic_fetch_add(&side->n_events, 1) % 2 == 0)
		return;
	side->turn++;
	push_turn(side);
}

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Side *side = data;

	vpnr_v2_encode(frame, side->got);
	vpnr_frame_free(frame);
	side->position++;
	if (side->position > N_LINES)
		return "more than the script has";
	if (ends_a_turn(scripts[other(side->role)], side->position))
		on_event(side);
	if (side->position == N_LINES)
		vpnr_latch_trip(side->done);
	return NULL;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Side *side = data;

	side->released++;
	if (ends_a_turn(scripts[side->role], side->released))
		on_event(side);
}

static const VpnrSessionHandler handler = { .frame = on_frame, .released = on_released };

static void
side_init(Side *side, Role role)
{
	g_autoptr(GError) error = NULL;

	memset(side, 0, sizeof *side);
	side->role = role;
	side->done = vpnr_latch_new(NULL);
	side->got = g_byte_array_new();
	side->sent = g_byte_array_sized_new(1024); /* so it has a pointer when it is empty */
	side->session =
	    vpnr_session_new(&(VpnrSessionParams){ .protocol = VPNR_PROTOCOL_V2,
						   .role = role == CLIENT ? VPNR_ROLE_CLIENT
									  : VPNR_ROLE_SERVER,
						   .handler = &handler,
						   .data = side,
						   .stats = &side->stats },
			     &error);
	g_assert_no_error(error);
	push_turn(side); /* before there is a link */
}

static void
side_clear(Side *side)
{
	vpnr_session_free(side->session);
	vpnr_latch_free(side->done);
	g_byte_array_unref(side->got);
	g_byte_array_unref(side->sent);
}

/* --- a connection that breaks ----------------------------------------------------------------- */

typedef struct {
	VpnrTransport base;
	Side *side; /* whose end it is */
} Wire;

/* The plain transport, but for flush. */
static VpnrTransportClass wire_class;

/* What has passed stays with the receiver, as it does when a network breaks. */
static gboolean
wire_flush(VpnrTransport *transport)
{
	Side *side = ((Wire *)transport)->side;
	GByteArray *gathered = transport->gathered;
	gsize n = gathered->len;
	gsize passing = MIN(n, side->left);

	if (!vpnr_wire_send(transport->fd, gathered->data, passing))
		return FALSE;
	g_byte_array_append(side->sent, gathered->data, (guint)passing);
	g_byte_array_set_size(gathered, 0);
	side->left -= passing;
	if (side->left == 0)
		shutdown(transport->fd, SHUT_RDWR);
	return passing == n;
}

static VpnrTransport *
wire_new(Side *side, int fd, gsize bytes)
{
	VpnrTransport *plain = vpnr_transport_new_plain(fd);
	Wire *wire = g_new0(Wire, 1);

	wire_class = *plain->class;
	wire_class.flush = wire_flush;
	wire->base = *plain;
	wire->base.class = &wire_class;
	wire->side = side;
	side->left = bytes;
	g_byte_array_set_size(side->sent, 0);
	g_free(plain);
	return &wire->base;
}

/* --- a round ---------------------------------------------------------------------------------- */

/* The link breaks when it has let pass so many bytes of what this side sends. */
typedef struct {
	Role role;
	gsize bytes;
} Cut;

typedef struct {
	Side sides[2];
	guint n_cuts; /* that have happened */
} Bench;

static void
bench_init(Bench *bench)
{
	bench->n_cuts = 0;
	for (Role role = CLIENT; role <= SERVER; role++)
		side_init(&bench->sides[role], role);
}

static void
bench_clear(Bench *bench)
{
	for (Role role = CLIENT; role <= SERVER; role++)
		side_clear(&bench->sides[role]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static gboolean
is_done(const Bench *bench)
{
	return vpnr_latch_is_tripped(bench->sides[CLIENT].done) &&
	       vpnr_latch_is_tripped(bench->sides[SERVER].done);
}

/* Waits until the scripts are through, or a link has ended. Returns NULL, or what is wrong. */
static const char *
wait_for_news(const Bench *bench)
{
	VpnrLinkEnd end = VPNR_LINK_OPEN;

	while (end == VPNR_LINK_OPEN && !is_done(bench)) {
		struct pollfd fds[2 * VPNR_SESSION_FDS + 1];
		Role late = vpnr_latch_is_tripped(bench->sides[CLIENT].done) ? SERVER : CLIENT;

		for (Role role = CLIENT; role <= SERVER; role++)
			vpnr_session_prepare_poll(bench->sides[role].session,
						  fds + role * VPNR_SESSION_FDS);
		fds[2 * VPNR_SESSION_FDS] =
		    (struct pollfd){ .fd = vpnr_latch_fd(bench->sides[late].done),
				     .events = POLLIN };
		g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), PATIENCE_MS), >, 0);
		for (Role role = CLIENT; role <= SERVER && end == VPNR_LINK_OPEN; role++)
			end = vpnr_session_link_end(bench->sides[role].session,
						    fds + role * VPNR_SESSION_FDS);
	}
	return end == VPNR_LINK_OPEN || end == VPNR_LINK_LOST ? NULL : "a session was ended";
}

/* What this side's end has let pass. told and before: what the other has said in its HELLO, and
 * what it had received; they differ if it has lied. Returns NULL, or what is wrong. */
static const char *
check_link(const Bench *bench, Role role, guint64 told, guint64 before)
{
	const GByteArray *sent = bench->sides[role].sent;
	guint64 received = vpnr_session_received(bench->sides[other(role)].session);
	g_autoptr(GByteArray) wanted = NULL;
	g_autoptr(GByteArray) passed = g_byte_array_new();
	VpnrFrame *frame = NULL;
	const char *why;
	guint64 n = 0;
	gsize at = 0, used;

	while (vpnr_v2_decode(sent->data + at, sent->len - at, &frame, &used, &why) ==
	       VPNR_DECODE_OK) {
		if (vpnr_frame_is_sequenced(frame)) {
			g_byte_array_append(passed, sent->data + at, (guint)used);
			n++;
		}
		at += used;
		vpnr_frame_free(frame);
	}
	if (n != received - before)
		return "not the frames that have passed whole count as received";
	wanted = script_bytes(role, told, MIN(told + n, N_LINES));
	if (wanted->len != passed->len || !begins_with(wanted, passed))
		return "not the frames that the HELLO names were sent";
	return NULL;
}

/* One connection, from its HELLOs to its end. cut: nullable. lie: see meeting.h. Returns NULL, or
 * what is wrong. */
static const char *
use_link(Bench *bench, const Cut *cut, gint lie)
{
	Side *client = &bench->sides[CLIENT], *server = &bench->sides[SERVER];
	Meeting meeting = { .client = client->session, .server = server->session, .lie = lie };
	guint64 client_received = vpnr_session_received(client->session);
	guint64 server_received = vpnr_session_received(server->session);
	guint64 server_told = server_received + (guint64)lie;
	const char *fault = NULL;
	int fds[2];

	server->position = server_told;
	meeting_sockets(&fds[CLIENT], &fds[SERVER]);
	for (Role role = CLIENT; role <= SERVER; role++) {
		gboolean breaks = cut != NULL && cut->role == role;
		VpnrTransport *end =
		    wire_new(&bench->sides[role], fds[role], breaks ? cut->bytes : G_MAXSIZE);

		*(role == CLIENT ? &meeting.client_end : &meeting.server_end) = end;
	}
	switch (meeting_hold(&meeting)) {
	case MEETING_HELD:
		fault = wait_for_news(bench);
		break;
	case MEETING_REFUSED:
		fault = "refused to resume";
		break;
	case MEETING_BROKEN:
		break;
	}
	vpnr_session_detach(client->session);
	vpnr_session_detach(server->session);
	if (cut != NULL)
		bench->n_cuts += bench->sides[cut->role].left == 0;
	if (fault == NULL)
		fault = check_link(bench, CLIENT, server_told, server_received);
	if (fault == NULL)
		fault = check_link(bench, SERVER, client_received, client_received);
	return fault;
}

/* FALSE: something was lost or came twice, or out of order. */
static gboolean
got_in_order(const Side *side)
{
	g_autoptr(GByteArray) wanted = script_bytes(other(side->role), 0, N_LINES);

	return begins_with(wanted, side->got);
}

static gboolean
got_all(const Side *side)
{
	return got_in_order(side) && side->got->len == script_size(other(side->role));
}

/* The script, on links that break one after the other, the last one excepted. The link behind the
 * first cut begins with a lie. Returns NULL, or what is wrong. */
static const char *
play(Bench *bench, const Cut *cuts, guint n_cuts, gint lie)
{
	const char *fault = NULL;

	for (guint i = 0; fault == NULL && i <= n_cuts && !is_done(bench); i++)
		fault = use_link(bench, i < n_cuts ? &cuts[i] : NULL, i == 1 ? lie : 0);
	if (fault == NULL && !is_done(bench))
		fault = "a link that was not cut has broken";
	for (Role role = CLIENT; fault == NULL && role <= SERVER; role++)
		if (!got_all(&bench->sides[role]))
			fault = "not the script has come";
	return fault;
}

/* Returns how many cuts have happened: one does not if the script is through before. */
static guint
expect_whole(const Cut *cuts, guint n_cuts)
{
	g_auto(Bench) bench;
	const char *fault;

	bench_init(&bench);
	fault = play(&bench, cuts, n_cuts, 0);
	for (guint i = 0; fault != NULL && i < n_cuts; i++)
		g_test_message("cut of the %s's bytes after %zu",
			       cuts[i].role == CLIENT ? "client" : "server", cuts[i].bytes);
	g_assert_cmpstr(fault, ==, NULL);
	return bench.n_cuts;
}

/* --- the tests -------------------------------------------------------------------------------- */

static gsize
hello_size(void)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	VpnrHello hello = meeting_hello(0);

	frame->hello = vpnr_hello_copy(&hello);
	vpnr_v2_encode(frame, bytes);
	return bytes->len;
}

/* Bytes that a side sends in any case on a link that is not cut, and those that it may send
 * besides: PING, PONG and an ACK for each turn. */
static gsize
sure_size(Role role)
{
	return hello_size() + script_size(role);
}
#define UNSURE_SIZE (6 * 16)

static void
test_once(void)
{
	g_test_summary("One cut after each byte of the exchange, in each direction.");

	for (Role role = CLIENT; role <= SERVER; role++) {
		gsize sure = sure_size(role);

		for (gsize n = 0; n <= sure + UNSURE_SIZE; n += STEP) {
			Cut cut = { role, n };
			guint n_cuts = expect_whole(&cut, 1);

			if (n <= sure)
				g_assert_cmpuint(n_cuts, ==, 1);
		}
	}
}

static void
test_in_the_resume(void)
{
	g_test_summary("A second cut after each byte of HELLO and of what is sent again, in each "
		       "direction.");

	static const guint quarters[] = { 1, 3 };
	guint64 n_cuts = 0, n_rounds = 0;

	for (guint i = 0; i < 2 * G_N_ELEMENTS(quarters); i++) {
		Role first = i % 2;
		gsize at = hello_size() + script_size(first) * quarters[i / 2] / 4;

		for (gsize n = 0; n <= hello_size() + TWO_TURNS; n += STEP)
			for (Role second = CLIENT; second <= SERVER; second++, n_rounds++) {
				Cut cuts[] = { { first, at }, { second, n } };

				n_cuts += expect_whole(cuts, G_N_ELEMENTS(cuts));
			}
	}
	/* Behind the third quarter there are not so many bytes to come. */
	g_test_message("%" G_GUINT64_FORMAT " cuts in %" G_GUINT64_FORMAT " rounds", n_cuts,
		       n_rounds);
	g_assert_cmpuint(n_cuts, >, n_rounds * 3 / 2);
}

static void
test_at_random(void)
{
	g_test_summary("Three cuts at places that the seed chooses.");

	for (guint i = 0; i < 500 / STEP; i++) {
		Cut cuts[3];

		for (guint k = 0; k < G_N_ELEMENTS(cuts); k++) {
			Role role = (Role)g_test_rand_int_range(CLIENT, SERVER + 1);
			gint32 end = (gint32)(sure_size(role) + UNSURE_SIZE);

			cuts[k] = (Cut){ role, (gsize)g_test_rand_int_range(0, end) };
		}
		expect_whole(cuts, G_N_ELEMENTS(cuts));
	}
}

/* Rounds with a lie, none of which may look whole. Returns in how many the frames that have come
 * tell: in the others a session has refused to go on. */
static guint
notice_lie(gint lie)
{
	guint n = 0;

	/* Within the first turn, so that something has come and something is missing. */
	for (gsize at = hello_size() + 33; at < hello_size() + 60; at++) {
		Cut cut = { CLIENT, at };
		g_auto(Bench) bench;

		bench_init(&bench);
		g_assert_nonnull(play(&bench, &cut, 1, lie));
		n += !got_in_order(&bench.sides[SERVER]);
	}
	return n;
}

static void
test_lost_is_noticed(void)
{
	g_test_summary("This test itself: a frame that is not sent again is missed.");

	g_assert_cmpuint(notice_lie(1), >, 0);
}

static void
test_doubled_is_noticed(void)
{
	g_test_summary("This test itself: a frame that comes twice is noticed.");

	g_assert_cmpuint(notice_lie(-1), >, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cut/lost-is-noticed", test_lost_is_noticed);
	g_test_add_func("/cut/doubled-is-noticed", test_doubled_is_noticed);
	g_test_add_func("/cut/once", test_once);
	g_test_add_func("/cut/in-the-resume", test_in_the_resume);
	g_test_add_func("/cut/at-random", test_at_random);
	return g_test_run();
}
