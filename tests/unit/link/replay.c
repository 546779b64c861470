/* SPDX-License-Identifier: MIT
 *
 * replay: what is kept, what is sent again, and a random walk beside a plain model.
 */
#include "link/replay.h"

#include <string.h>

/* A DATA frame that says which number it is to have. */
static VpnrFrame *
numbered(guint64 number, gsize size)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, sizeof number + size);

	memcpy(frame->data, &number, sizeof number);
	return frame;
}

static void
push(VpnrReplay *replay, guint n)
{
	for (; n > 0; n--)
		vpnr_replay_push(replay, numbered(vpnr_replay_sent(replay), 0));
}

static void
assert_next(VpnrReplay *replay, guint64 number)
{
	const VpnrFrame *frame = vpnr_replay_next(replay);
	guint64 got;

	g_assert_nonnull(frame);
	memcpy(&got, frame->data, sizeof got);
	g_assert_cmpuint(got, ==, number);
}

/* All that is sent again is from first on, up to what was sent. */
static void
assert_again(VpnrReplay *replay, guint64 first)
{
	for (; first < vpnr_replay_sent(replay); first++)
		assert_next(replay, first);
	g_assert_null(vpnr_replay_next(replay));
}

static void
test_empty(void)
{
	g_autoptr(VpnrReplay) replay = vpnr_replay_new();

	g_assert_cmpuint(vpnr_replay_acked(replay), ==, 0);
	g_assert_cmpuint(vpnr_replay_sent(replay), ==, 0);
	g_assert_cmpuint(vpnr_replay_length(replay), ==, 0);
	g_assert_cmpuint(vpnr_replay_bytes(replay), ==, 0);
	vpnr_replay_ack(replay, 0);
	vpnr_replay_rewind(replay);
	g_assert_null(vpnr_replay_next(replay));
	vpnr_replay_free(NULL);
}

static void
test_cost(void)
{
	g_test_summary("Every frame costs its data and a fixed amount, until it is acknowledged.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();

	vpnr_replay_push(replay, vpnr_frame_new(VPNR_FRAME_DATA, 1, 1000));
	vpnr_replay_push(replay, vpnr_frame_new_window(1, 5));
	vpnr_replay_push(replay, vpnr_frame_new(VPNR_FRAME_DATA, 3, 30));
	g_assert_cmpuint(vpnr_replay_bytes(replay), ==, 1030 + 3 * VPNR_REPLAY_FRAME_COST);
	vpnr_replay_ack(replay, 2);
	g_assert_cmpuint(vpnr_replay_bytes(replay), ==, 30 + VPNR_REPLAY_FRAME_COST);
	g_assert_cmpuint(vpnr_replay_length(replay), ==, 1);
	vpnr_replay_ack(replay, 3);
	g_assert_cmpuint(vpnr_replay_bytes(replay), ==, 0);
	g_assert_cmpuint(vpnr_replay_acked(replay), ==, 3);
	g_assert_cmpuint(vpnr_replay_sent(replay), ==, 3);
}

static void
test_resume(void)
{
	g_test_summary("The next link gets what the peer lacks, in order, and then new frames.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();

	push(replay, 10);
	g_assert_null(vpnr_replay_next(replay));
	vpnr_replay_ack(replay, 4);
	vpnr_replay_rewind(replay);
	assert_again(replay, 4);
	push(replay, 2);
	g_assert_null(vpnr_replay_next(replay));
	vpnr_replay_ack(replay, 6);
	vpnr_replay_rewind(replay);
	assert_again(replay, 6);
}

static void
test_lost_while_resuming(void)
{
	g_test_summary("A link that is lost while it repeats: the one after it repeats it all.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();

	push(replay, 5);
	vpnr_replay_rewind(replay);
	assert_next(replay, 0);
	assert_next(replay, 1);
	vpnr_replay_rewind(replay);
	assert_again(replay, 0);
}

static void
test_ack_while_resuming(void)
{
	g_test_summary("What is acknowledged is not sent again, although its turn had not come.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();

	push(replay, 5);
	vpnr_replay_rewind(replay);
	assert_next(replay, 0);
	vpnr_replay_ack(replay, 1);
	assert_next(replay, 1);
	vpnr_replay_ack(replay, 4);
	assert_next(replay, 4);
	g_assert_null(vpnr_replay_next(replay));
	vpnr_replay_rewind(replay);
	vpnr_replay_ack(replay, 5);
	g_assert_null(vpnr_replay_next(replay));
	push(replay, 1);
}

/* Each of these frees or reads what it must not, were it allowed. */
static void
test_misuse(gconstpointer data)
{
	const char *what = data;

	if (g_test_subprocess()) {
		VpnrReplay *replay = vpnr_replay_new();

		push(replay, 3);
		vpnr_replay_ack(replay, 1);
		if (strcmp(what, "push") == 0) {
			vpnr_replay_rewind(replay);
			push(replay, 1);
		} else if (strcmp(what, "not-sequenced") == 0) {
			vpnr_replay_push(replay, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
		} else {
			vpnr_replay_ack(replay, strcmp(what, "ack-low") == 0 ? 0 : 4);
		}
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*assertion failed*");
}

/* What the buffer should hold: data sizes by number, of a session of at most so many frames. */
#define MODEL_MAX 20000
typedef struct {
	guint16 sizes[MODEL_MAX];
	guint64 acked, again, sent;
	gsize bytes;
} Model;

static void
model_ack(Model *model, guint64 count)
{
	for (; model->acked < count; model->acked++)
		model->bytes -= model->sizes[model->acked] + VPNR_REPLAY_FRAME_COST;
	model->again = MAX(model->again, count);
}

static void
model_push(Model *model, VpnrReplay *replay)
{
	guint16 size = (guint16)g_test_rand_int_range(0, 300);

	vpnr_replay_push(replay, numbered(model->sent, size));
	size += sizeof(guint64);
	model->sizes[model->sent] = size;
	model->bytes += size + VPNR_REPLAY_FRAME_COST;
	model->again = ++model->sent;
}

/* One step. fill: rather push than acknowledge, so that the ring grows over the walk and shrinks
 * again. */
static void
step(Model *model, VpnrReplay *replay, gboolean fill)
{
	guint dice = (guint)g_test_rand_int_range(0, 1000);

	if (dice == 0) {
		vpnr_replay_rewind(replay);
		model->again = model->acked;
	} else if (dice < (fill ? 2 : 100)) {
		guint64 count =
		    model->acked +
		    (guint64)g_test_rand_int_range(0, (gint32)(model->sent - model->acked) + 1);

		vpnr_replay_ack(replay, count);
		model_ack(model, count);
	} else if (model->again < model->sent) {
		assert_next(replay, model->again++);
	} else if (model->sent < MODEL_MAX) {
		model_push(model, replay);
	}
}

static void
test_random(void)
{
	g_test_summary("A random session says the same as a plain model of it, at every step.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();
	g_autofree Model *model = g_new0(Model, 1);
	gsize longest = 0;

	for (guint i = 0; i < 3 * MODEL_MAX; i++) {
		step(model, replay, i / 4000 % 2 == 0);
		g_assert_cmpuint(vpnr_replay_acked(replay), ==, model->acked);
		g_assert_cmpuint(vpnr_replay_sent(replay), ==, model->sent);
		g_assert_cmpuint(vpnr_replay_length(replay), ==, model->sent - model->acked);
		g_assert_cmpuint(vpnr_replay_bytes(replay), ==, model->bytes);
		longest = MAX(longest, vpnr_replay_length(replay));
	}
	g_assert_cmpuint(longest, >, 256); /* the ring has grown, more than once */
}

static void
test_long(void)
{
	g_test_summary("A ring that has grown large and wrapped around still has all in order.");

	g_autoptr(VpnrReplay) replay = vpnr_replay_new();
	guint64 acked = 0;

	for (guint round = 0; round < 6; round++) {
		push(replay, 3000);
		acked += 1 + 500 * round;
		vpnr_replay_ack(replay, acked);
		vpnr_replay_rewind(replay);
		assert_again(replay, acked);
	}
	vpnr_replay_ack(replay, vpnr_replay_sent(replay) - 3);
	vpnr_replay_rewind(replay);
	assert_again(replay, vpnr_replay_sent(replay) - 3);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/replay/empty", test_empty);
	g_test_add_func("/replay/cost", test_cost);
	g_test_add_func("/replay/resume", test_resume);
	g_test_add_func("/replay/lost-while-resuming", test_lost_while_resuming);
	g_test_add_func("/replay/ack-while-resuming", test_ack_while_resuming);
	g_test_add_data_func("/replay/misuse/push", "push", test_misuse);
	g_test_add_data_func("/replay/misuse/not-sequenced", "not-sequenced", test_misuse);
	g_test_add_data_func("/replay/misuse/ack-low", "ack-low", test_misuse);
	g_test_add_data_func("/replay/misuse/ack-high", "ack-high", test_misuse);
	g_test_add_func("/replay/random", test_random);
	g_test_add_func("/replay/long", test_long);
	return g_test_run();
}
