/* SPDX-License-Identifier: MIT
 *
 * daemon: see daemon.h. Main thread.
 */
#include "config.h"

#include "app/daemon.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/notify.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"

/* What is done with signals. */
typedef struct {
	VpnrDaemon *daemon;
	gboolean (*reload)(gpointer data, GError **error);
	gpointer data;
} Handler;

static void
fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void
vpnr_daemon_prepare(void)
{
	sigset_t set;

	fill_signals(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	vpnr_fd_raise_limit();
	vpnr_heap_prepare();
}

static void
reload(const Handler *handler)
{
	g_autoptr(GError) error = NULL;

	vpnr_notify_reloading();
	if (handler->reload(handler->data, &error))
		vpnr_log(VPNR_LOG_INFO, "configuration reloaded");
	else
		vpnr_log(VPNR_LOG_ERROR, "configuration not reloaded, nothing has changed: %s",
			 error->message);
	vpnr_notify_ready();
}

static gboolean
on_signal(gint fd, GIOCondition condition, gpointer data)
{
	const Handler *handler = data;
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof info) != sizeof info)
		return G_SOURCE_CONTINUE;
	if (info.ssi_signo == SIGHUP) {
		reload(handler);
		return G_SOURCE_CONTINUE;
	}
	vpnr_log(VPNR_LOG_INFO, "stopping: %s", g_strsignal((int)info.ssi_signo));
	vpnr_notify_stopping();
	g_main_loop_quit(handler->daemon->loop);
	return G_SOURCE_CONTINUE;
}

gboolean
vpnr_daemon_run(VpnrDaemon *daemon, gboolean (*reload_func)(gpointer data, GError **error),
		gpointer data, GError **error)
{
	sigset_t set;
	Handler handler = { .daemon = daemon, .reload = reload_func, .data = data };
	guint source;
	int fd;

	fill_signals(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		g_set_error_literal(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
				    "no descriptor is left for signals");
		return FALSE;
	}
	daemon->loop = g_main_loop_new(NULL, FALSE);
	source = g_unix_fd_add(fd, G_IO_IN, on_signal, &handler);
	vpnr_notify_ready();
	g_main_loop_run(daemon->loop);
	g_source_remove(source);
	g_clear_pointer(&daemon->loop, g_main_loop_unref);
	vpnr_fd_close(fd);
	if (daemon->failure == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&daemon->failure));
	return FALSE;
}

void
vpnr_daemon_fail(VpnrDaemon *daemon, GError *failure)
{
	g_clear_error(&daemon->failure);
	daemon->failure = failure;
	g_main_loop_quit(daemon->loop);
}

int
vpnr_daemon_main(int argc, char **argv, const char *program, VpnrOptions *options,
		 gboolean (*run)(gpointer app, GError **error), gpointer app)
{
	g_autoptr(GError) error = NULL;
	gboolean ok;

	vpnr_fd_fill_standard();
	ok = vpnr_options_parse(argc, argv, options, &error);
	if (ok && options->version) {
		printf("%s %s\n", program, PACKAGE_VERSION);
	} else if (ok) {
		vpnr_log_set_level(options->verbose ? VPNR_LOG_DEBUG : VPNR_LOG_INFO);
		ok = run(app, &error);
	}
	if (!ok)
		vpnr_log(VPNR_LOG_ERROR, "%s", error->message);
	vpnr_options_clear(options);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
