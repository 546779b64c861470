/* SPDX-License-Identifier: MIT
 *
 * top_asker: see top_asker.h. Two descriptors count: the owner's questions for the thread, and the
 * thread's answers for the owner. One question at a time is under way.
 */
#include "app/top_asker.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/control.h"
#include "base/fd.h"
#include "base/thread.h"

struct VpnrTopAsker {
	/* const after start */
	char *path;
	VpnrThread *thread;
	int asked;    /* eventfd, blocking: the thread waits in it */
	int answered; /* eventfd */

	pthread_mutex_t lock; /* protects: */
	gboolean stopping;
	int connection; /* of the question that is under way; -1: none */

	/* the thread's while a question is under way, else the owner's */
	VpnrTopSample *sample;
	GError *error;
};

static void
count(int fd)
{
	guint64 one = 1;

	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static void
uncount(int fd)
{
	guint64 number;

	while (read(fd, &number, sizeof number) < 0 && errno == EINTR)
		continue;
}

/* Makes the connection known (-1: none), so that it can be broken off; FALSE when it is to be. */
static gboolean
publish(VpnrTopAsker *asker, int connection)
{
	gboolean stopping;

	if (asker == NULL)
		return TRUE;
	pthread_mutex_lock(&asker->lock);
	asker->connection = connection;
	stopping = asker->stopping;
	pthread_mutex_unlock(&asker->lock);
	return !stopping;
}

/* asker: NULL if nobody will break it off. */
static char *
ask(VpnrTopAsker *asker, const char *path, const char *command, GError **error)
{
	g_auto(VpnrFd) fd = vpnr_control_connect(path, error);
	char *answer = NULL;

	if (fd < 0)
		return NULL;
	if (publish(asker, fd))
		answer = vpnr_control_ask_on(fd, path, command, error);
	else
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED, "%s: broken off",
			    path);
	publish(asker, -1);
	return answer;
}

static VpnrTopSample *
ask_both(VpnrTopAsker *asker, const char *path, GError **error)
{
	VpnrTopAnswers answers = { .status_us = g_get_monotonic_time() };
	g_autofree char *status = ask(asker, path, "status", error);

	if (status == NULL)
		return NULL;
	answers.connections_us = g_get_monotonic_time();
	g_autofree char *connections = ask(asker, path, "connections", error);
	if (connections == NULL)
		return NULL;
	answers.status = status;
	answers.connections = connections;
	return vpnr_top_sample_new(&answers, error);
}

VpnrTopSample *
vpnr_top_ask(const char *path, GError **error)
{
	return ask_both(NULL, path, error);
}

static void
run(gpointer data)
{
	VpnrTopAsker *asker = data;

	for (;;) {
		uncount(asker->asked);
		if (!publish(asker, -1))
			return;
		asker->sample = ask_both(asker, asker->path, &asker->error);
		count(asker->answered);
	}
}

static void
free_asker(VpnrTopAsker *asker)
{
	vpnr_fd_close(asker->asked);
	vpnr_fd_close(asker->answered);
	vpnr_top_sample_free(asker->sample);
	g_clear_error(&asker->error);
	pthread_mutex_destroy(&asker->lock);
	g_free(asker->path);
	g_free(asker);
}

VpnrTopAsker *
vpnr_top_asker_start(const char *path, GError **error)
{
	VpnrTopAsker *asker = g_new0(VpnrTopAsker, 1);

	asker->path = g_strdup(path);
	asker->connection = -1;
	asker->asked = eventfd(0, EFD_CLOEXEC);
	asker->answered = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&asker->lock, NULL);
	if (asker->asked < 0 || asker->answered < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			    "cannot make an eventfd: %s", g_strerror(errno));
	else
		asker->thread = vpnr_thread_start("vpnrctl-asker", run, asker, error);
	if (asker->thread != NULL)
		return asker;
	free_asker(asker);
	return NULL;
}

void
vpnr_top_asker_ask(VpnrTopAsker *asker)
{
	count(asker->asked);
}

int
vpnr_top_asker_fd(const VpnrTopAsker *asker)
{
	return asker->answered;
}

VpnrTopSample *
vpnr_top_asker_take(VpnrTopAsker *asker, GError **error)
{
	uncount(asker->answered);
	if (asker->error != NULL)
		g_propagate_error(error, g_steal_pointer(&asker->error));
	return g_steal_pointer(&asker->sample);
}

void
vpnr_top_asker_stop(VpnrTopAsker *asker)
{
	if (asker == NULL)
		return;
	pthread_mutex_lock(&asker->lock);
	asker->stopping = TRUE;
	if (asker->connection >= 0)
		shutdown(asker->connection, SHUT_RDWR);
	pthread_mutex_unlock(&asker->lock);
	count(asker->asked);
	vpnr_thread_join(asker->thread);
	free_asker(asker);
}
