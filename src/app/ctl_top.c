/* SPDX-License-Identifier: MIT
 *
 * ctl_top: "vpnrctl top". One loop waits for keys, signals, the asker's answer and the next second;
 * what is to be seen then is up to top_page. A part of vpnrctl alone, for the screen's sake.
 */
#include "app/ctl_top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/top_asker.h"
#include "app/top_json.h"
#include "app/top_page.h"
#include "app/top_rates.h"
#include "app/top_screen.h"
#include "base/deadline.h"
#include "base/fd.h"

#define INTERVAL_MS 1000

/* Milliseconds between two questions at least, however often a user asks for one: a rate of less
 * says little. */
#define INTERVAL_MIN_MS 250

/* Milliseconds after which a user should know that an answer is late. */
#define LATE_MS 3000

typedef struct {
	VpnrTopAsker *asker;
	VpnrTopScreen *screen;
	int signals; /* signalfd */

	VpnrTopView view;
	VpnrTopSample *now;  /* the last one; NULL: the program is away */
	VpnrTopRates *rates; /* of it */
	GError *trouble;     /* why there is none */

	gboolean asking;
	gint64 asked_us; /* when it was asked last */
	gint64 next;     /* deadline of the next question */
	gboolean quit;
} Top;

/* --- the program ------------------------------------------------------------------------------ */

static void
ask(Top *top)
{
	top->asking = TRUE;
	top->asked_us = g_get_monotonic_time();
	top->next = vpnr_deadline_after(INTERVAL_MS);
	vpnr_top_asker_ask(top->asker);
}

static void
ask_soon(Top *top)
{
	top->next = MIN(top->next, top->asked_us + INTERVAL_MIN_MS * G_TIME_SPAN_MILLISECOND);
}

/* Takes over the next sample, or NULL: the program is away, and what was counted before that does
 * not matter when it comes back. */
static void
set_sample(Top *top, VpnrTopSample *sample)
{
	VpnrTopRates *rates = sample != NULL ? vpnr_top_rates_new(top->now, sample) : NULL;

	vpnr_top_rates_free(top->rates);
	vpnr_top_sample_free(top->now);
	top->rates = rates;
	top->now = sample;
}

static void
take_answer(Top *top)
{
	top->asking = FALSE;
	g_clear_error(&top->trouble);
	set_sample(top, vpnr_top_asker_take(top->asker, &top->trouble));
}

/* --- the terminal ----------------------------------------------------------------------------- */

static void
draw(Top *top)
{
	gint64 waited_us = top->asking ? g_get_monotonic_time() - top->asked_us : 0;
	VpnrTopNews news = {
		.rates = top->rates,
		.trouble = top->trouble != NULL ? top->trouble->message : NULL,
		.silent_s = waited_us >= LATE_MS * G_TIME_SPAN_MILLISECOND
				? (guint)(waited_us / G_USEC_PER_SEC)
				: 0,
	};
	guint width, height;

	vpnr_top_screen_size(top->screen, &width, &height);
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&top->view, &news, width, height);
	vpnr_top_screen_draw(top->screen, page);
}

static void
read_keys(Top *top)
{
	VpnrTopKey key;

	while (vpnr_top_screen_read(top->screen, &key)) {
		VpnrTopAction action = vpnr_top_view_press(&top->view, key);

		if (action == VPNR_TOP_QUIT)
			top->quit = TRUE;
		else if (action == VPNR_TOP_REFRESH)
			ask_soon(top);
	}
}

/* --- signals ---------------------------------------------------------------------------------- */

/* Blocked, so that they come by the descriptor, at a moment when the terminal may be touched. */
static void
fill_signals(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH };

	sigemptyset(set);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaddset(set, signals[i]);
}

/* Stops this process as if nobody had blocked the signal, and returns when it goes on. ncurses may
 * have put a handler of its own there. */
static void
stop_here(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
on_signal(Top *top, guint32 number)
{
	switch (number) {
	case SIGTSTP:
		vpnr_top_screen_leave(top->screen);
		stop_here();
		vpnr_top_screen_take(top->screen);
		ask_soon(top);
		break;
	case SIGCONT: /* of somebody who had stopped it by another signal, too */
		vpnr_top_screen_take(top->screen);
		ask_soon(top);
		break;
	case SIGWINCH: /* drawing it again is enough */
		break;
	default:
		top->quit = TRUE;
	}
}

static void
read_signal(Top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signals, &info, sizeof info) == sizeof info)
		on_signal(top, info.ssi_signo);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void
wait_for_something(Top *top)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = top->signals, .events = POLLIN },
		{ .fd = vpnr_top_asker_fd(top->asker), .events = POLLIN },
	};

	if (poll(fds, G_N_ELEMENTS(fds), vpnr_deadline_left(top->next)) < 0)
		return;
	if ((fds[1].revents & POLLIN) != 0)
		read_signal(top);
	if ((fds[0].revents & POLLIN) != 0)
		read_keys(top);
	if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		top->quit = TRUE; /* the terminal is gone */
	if ((fds[2].revents & POLLIN) != 0)
		take_answer(top);
}

static void
run(Top *top)
{
	while (!top->quit) {
		if (vpnr_deadline_left(top->next) == 0) {
			if (!top->asking)
				ask(top);
			else
				top->next = vpnr_deadline_after(INTERVAL_MS);
		}
		draw(top);
		wait_for_something(top);
	}
}

static gboolean
set_up(Top *top, const char *path, const sigset_t *signals, GError **error)
{
	top->asked_us = top->now->status_us;
	top->next = top->asked_us + INTERVAL_MS * G_TIME_SPAN_MILLISECOND;
	top->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (top->signals < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			    "cannot make a signalfd: %s", g_strerror(errno));
		return FALSE;
	}
	top->asker = vpnr_top_asker_start(path, error);
	if (top->asker == NULL)
		return FALSE;
	top->screen = vpnr_top_screen_open(error);
	return top->screen != NULL;
}

static void
clear(Top *top)
{
	vpnr_top_screen_close(top->screen);
	vpnr_top_asker_stop(top->asker);
	vpnr_fd_close(top->signals);
	set_sample(top, NULL);
	g_clear_error(&top->trouble);
}

static gboolean
show(Top *top, const char *path, GError **error)
{
	sigset_t signals, old;

	fill_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, &old);
	gboolean ok = set_up(top, path, &signals, error);
	if (ok)
		run(top);
	clear(top);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

gboolean
vpnr_ctl_top(const char *path, GError **error)
{
	Top top = { .signals = -1 };

	if (!vpnr_top_screen_check(error))
		return FALSE;
	/* A program that is not there at all is an error, and no reason to clear the terminal. */
	set_sample(&top, vpnr_top_ask(path, error));
	return top.now != NULL && show(&top, path, error);
}

char *
vpnr_ctl_top_json(const char *path, GError **error)
{
	g_autoptr(VpnrTopSample) before = vpnr_top_ask(path, error);

	if (before == NULL)
		return NULL;
	g_usleep(INTERVAL_MS * G_TIME_SPAN_MILLISECOND);
	g_autoptr(VpnrTopSample) now = vpnr_top_ask(path, error);
	if (now == NULL)
		return NULL;
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);
	return vpnr_top_json(rates);
}
