/* SPDX-License-Identifier: MIT
 *
 * ctl_leak: see ctl_leak.h.
 *
 * What has left this host the kernel tells (leak/watch.h), what is in the tunnel the client, which
 * is asked again and again while anything is open: nothing tells when a stream begins.
 */
#include "app/ctl_leak.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "app/control.h"
#include "app/ctl_json.h"
#include "app/ctl_leak_show.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "leak/watch.h"

/* Milliseconds: a connection that nobody answers is sent again after one second and after three,
 * and a rejection comes at once. */
#define WAIT_MS 3500

/* Milliseconds between two questions to the client. */
#define ASK_EVERY_MS 100

typedef struct {
	const char *path; /* NULL: there is no client to ask */
	int watch;        /* -1: nobody looks */
	VpnrLeakTrial *trials;
	gsize n;
} Test;

static void
test_clear(Test *test)
{
	for (gsize i = 0; i < test->n; i++)
		vpnr_leak_trial_clear(&test->trials[i]);
	g_free(test->trials);
	vpnr_fd_close(test->watch);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

/* --- targets ---------------------------------------------------------------------------------- */

/* NULL: an error, unless texts is NULL (transfer full). */
static GArray *
parse_targets(const char *const *texts, GError **error)
{
	g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));

	for (; *texts != NULL; texts++) {
		VpnrAddr addr;

		if (!vpnr_addr_from_host(*texts, strlen(*texts), 1, &addr) ||
		    addr.type == VPNR_ADDR_NAME) {
			g_set_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID,
				    "--target: \"%s\" is no address", *texts);
			return NULL;
		}
		g_array_append_val(targets, addr);
	}
	return g_steal_pointer(&targets);
}

/* --- what the client says --------------------------------------------------------------------- */

static gboolean
is_same(JsonObject *stream, const char *member, const VpnrAddr *addr)
{
	char text[VPNR_ADDR_STRLEN];
	g_autofree char *value = vpnr_ctl_json_text(stream, member);

	return strcmp(value, vpnr_addr_format(addr, text)) == 0;
}

/* The client may have asked another name server in the place of the one of the probe. */
static gboolean
is_stream_of(JsonObject *stream, const VpnrLeakTrial *trial)
{
	const VpnrLeakProbe *probe = &trial->probe;

	return trial->source.type != VPNR_ADDR_NONE && is_same(stream, "peer", &trial->source) &&
	       (probe->dest.port == 53 || is_same(stream, "destination", &probe->dest));
}

/* A client that does not answer now says nothing; it may have been stopped. */
static void
ask_client(Test *test)
{
	g_autofree char *answer =
	    test->path != NULL ? vpnr_control_ask(test->path, "connections", NULL) : NULL;
	g_autoptr(JsonObject) root = answer != NULL ? vpnr_ctl_json_parse(answer, NULL) : NULL;

	if (root == NULL)
		return;
	g_autoptr(GPtrArray) streams = vpnr_ctl_json_objects(root, "connections");
	for (gsize i = 0; i < test->n; i++)
		for (guint j = 0; j < streams->len && !test->trials[i].facts.listed; j++)
			test->trials[i].facts.listed =
			    is_stream_of(g_ptr_array_index(streams, j), &test->trials[i]);
}

/* --- what the kernel says --------------------------------------------------------------------- */

static void
read_watch(Test *test)
{
	VpnrLeakPacket packet;
	char interface[IF_NAMESIZE];

	while (test->watch >= 0 && vpnr_leak_watch_next(test->watch, &packet, interface))
		for (gsize i = 0; i < test->n; i++)
			vpnr_leak_trial_note(&test->trials[i], &packet, interface);
}

/* Waits until something happens, or it is time to ask the client again. */
static void
wait_for_news(Test *test, gint64 deadline)
{
	g_autofree struct pollfd *fds = g_new0(struct pollfd, test->n + 1);
	int left = vpnr_deadline_left(deadline);

	for (gsize i = 0; i < test->n; i++)
		fds[i] = (struct pollfd){ .fd = test->trials[i].fd,
					  .events = vpnr_leak_trial_events(&test->trials[i]) };
	fds[test->n] = (struct pollfd){ .fd = test->watch, .events = POLLIN };
	if (poll(fds, test->n + 1, MIN(left, ASK_EVERY_MS)) <= 0)
		return;
	for (gsize i = 0; i < test->n; i++)
		if (fds[i].revents != 0)
			vpnr_leak_trial_look(&test->trials[i]);
}

/* --- the test --------------------------------------------------------------------------------- */

static gboolean
is_settled(const Test *test)
{
	for (gsize i = 0; i < test->n; i++)
		if (!vpnr_leak_is_settled(&test->trials[i].facts))
			return FALSE;
	return TRUE;
}

static void
start_all(Test *test, const GArray *probes)
{
	test->trials = g_new0(VpnrLeakTrial, probes->len);
	for (; test->n < probes->len; test->n++) {
		VpnrLeakTrial *trial = &test->trials[test->n];

		vpnr_leak_trial_start(trial, &g_array_index(probes, VpnrLeakProbe, test->n));
		trial->facts.watched = test->watch >= 0;
	}
}

static void
run_all(Test *test)
{
	gint64 deadline = vpnr_deadline_after(WAIT_MS);

	ask_client(test);
	read_watch(test);
	while (!is_settled(test) && vpnr_deadline_left(deadline) > 0) {
		wait_for_news(test, deadline);
		read_watch(test);
		ask_client(test);
	}
	read_watch(test);
}

static VpnrCtlLeak
judge_all(const Test *test)
{
	VpnrCtlLeak worst = VPNR_CTL_LEAK_NONE;

	for (gsize i = 0; i < test->n; i++) {
		switch (vpnr_leak_judge(&test->trials[i].facts)) {
		case VPNR_LEAK_LEAKED:
			return VPNR_CTL_LEAK_FOUND;
		case VPNR_LEAK_UNKNOWN:
			worst = VPNR_CTL_LEAK_UNKNOWN;
			break;
		default:
			break;
		}
	}
	return worst;
}

VpnrCtlLeak
vpnr_ctl_leak(const char *path, const char *const *texts, gboolean json, GError **error)
{
	g_auto(Test) test = { .path = path, .watch = vpnr_leak_watch_open(NULL) };
	g_autoptr(GArray) targets = texts != NULL ? parse_targets(texts, error) : NULL;

	if (texts != NULL && targets == NULL)
		return VPNR_CTL_LEAK_UNKNOWN;
	g_autoptr(GArray) probes = vpnr_leak_probes(targets);
	start_all(&test, probes);
	run_all(&test);
	g_autofree char *text = json ? vpnr_ctl_leak_show_json(test.trials, test.n)
				     : vpnr_ctl_leak_show_table(test.trials, test.n);
	printf("%s%s", text, json ? "\n" : "");
	return judge_all(&test);
}
