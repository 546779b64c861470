/* SPDX-License-Identifier: MIT
 *
 * control: the program's side of the control socket.
 *
 * Main's context accepts and hands each connection to a thread of the pool, which reads one line,
 * asks the program for the answer, writes it and closes. Nothing here knows a command.
 */
#include "app/control.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/control_wire.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"

/* A person, a monitoring system and their retries; each costs a thread while it lasts. */
#define MAX_CONVERSATIONS 8

/* Milliseconds: for the line that a program sends at once, and for the answer, whose reader has
 * nothing else to do. The second is also how long a stop may have to wait. */
#define REQUEST_MS 2000
#define ANSWER_MS  1000

/* Milliseconds: as in base/accept.c, for callers that can be neither accepted nor turned away. */
#define RETRY_MS 100

struct VpnrControl {
	/* const after start */
	char *path;
	const VpnrControlCommand *commands;
	gpointer data;
	VpnrPool *pool;
	VpnrLatch *stop;
	dev_t device; /* which file is ours, should somebody have replaced it */
	ino_t inode;

	/* atomic */
	_Atomic guint asking;  /* conversations, without those that last */
	_Atomic guint lasting; /* commands that last */

	/* main thread */
	VpnrFd fd;
	VpnrFd spare; /* given up for a moment to turn callers away when no descriptor is left */
	guint source;
};

typedef struct {
	VpnrControl *control;
	VpnrFd fd;
	VpnrFds fds; /* that came with the command */
} Conversation;

static char *
error_to_json(const char *message)
{
	g_autofree char *valid = g_utf8_make_valid(message, -1);
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_object_set_string_member(object, "error", valid);
	json_node_set_object(node, object);
	return json_to_string(node, FALSE);
}

static void
send_answer(int fd, const char *json)
{
	g_autofree char *line = g_strconcat(json, "\n", NULL);

	/* A caller that is gone or does not read gets no answer; there is nobody to tell. */
	(void)vpnr_control_send(fd, line, strlen(line), vpnr_deadline_after(ANSWER_MS));
}

static void
send_error(int fd, const char *message)
{
	g_autofree char *json = error_to_json(message);

	send_answer(fd, json);
}

/* Waits for more of the request; FALSE if the time is over or the program stops. */
static gboolean
wait_readable(const VpnrControl *control, int fd, gint64 deadline)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = vpnr_latch_fd(control->stop), .events = POLLIN } };
	int n = poll(fds, G_N_ELEMENTS(fds), vpnr_deadline_left(deadline));

	return n < 0 ? errno == EINTR : n > 0 && fds[1].revents == 0;
}

/* Reads up to the first '\n', which it replaces by NUL. Returns NULL, or what is wrong. */
static const char *
receive_line(Conversation *conversation, char line[static VPNR_CONTROL_LINE_MAX + 1])
{
	gint64 deadline = vpnr_deadline_after(REQUEST_MS);
	gsize n = 0;

	while (n <= VPNR_CONTROL_LINE_MAX) {
		if (!wait_readable(conversation->control, conversation->fd, deadline))
			return "no command came in time";
		ssize_t got = vpnr_fds_receive(conversation->fd, line + n,
					       VPNR_CONTROL_LINE_MAX + 1 - n, &conversation->fds);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0 && errno == EMFILE)
			return "more descriptors came than can be taken";
		if (got <= 0)
			return "no command came";
		char *end = memchr(line + n, '\n', (gsize)got);
		if (end != NULL) {
			*end = '\0';
			return NULL;
		}
		n += (gsize)got;
	}
	return "the command is too long";
}

static gboolean
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (!g_ascii_isprint(*text))
			return FALSE;
	}
	return TRUE;
}

static const VpnrControlCommand *
find_command(const VpnrControl *control, const char *line, GError **error)
{
	for (const VpnrControlCommand *command = control->commands; command->name != NULL;
	     command++)
		if (g_str_equal(line, command->name))
			return command;
	g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED,
		    "\"%s\" is no command of this program", line);
	return NULL;
}

/* --- commands that last ----------------------------------------------------------------------- */

/* Waits until the caller has closed its side, whatever else it sends, or the program stops. */
static void
wait_until_left(const VpnrControl *control, int fd)
{
	char ignored[64];
	ssize_t got;

	do {
		if (!wait_readable(control, fd, VPNR_DEADLINE_NEVER))
			return;
		got = recv(fd, ignored, sizeof ignored, 0);
	} while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
}

/* A command that lasts no longer counts among those who ask, for which there is little room. */
static gboolean
enter_lasting(VpnrControl *control, GError **error)
{
	if (atomic_fetch_add(&control->lasting, 1) < VPNR_CONTROL_LASTING_MAX) {
		atomic_fetch_sub(&control->asking, 1);
		return TRUE;
	}
	atomic_fetch_sub(&control->lasting, 1);
	g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED,
		    "%u of these are under way already", VPNR_CONTROL_LASTING_MAX);
	return FALSE;
}

static void
leave_lasting(VpnrControl *control)
{
	atomic_fetch_add(&control->asking, 1);
	atomic_fetch_sub(&control->lasting, 1);
}

static gboolean
last(Conversation *conversation, const VpnrControlLasting *lasting, GError **error)
{
	VpnrControl *control = conversation->control;
	g_autofree char *json = NULL;
	gpointer begun;

	if (!enter_lasting(control, error))
		return FALSE;
	begun = lasting->begin(control->data, &conversation->fds, &json, error);
	if (begun != NULL) {
		send_answer(conversation->fd, json);
		wait_until_left(control, conversation->fd);
		lasting->end(control->data, begun);
	}
	leave_lasting(control);
	return begun != NULL;
}

/* --- conversations ---------------------------------------------------------------------------- */

static gboolean
carry_out(Conversation *conversation, const char *line, GError **error)
{
	VpnrControl *control = conversation->control;
	const VpnrControlCommand *command = find_command(control, line, error);

	if (command == NULL)
		return FALSE;
	if (command->lasting != NULL)
		return last(conversation, command->lasting, error);
	g_autofree char *json = command->answer(control->data, error);
	if (json == NULL)
		return FALSE;
	send_answer(conversation->fd, json);
	return TRUE;
}

static void
answer(Conversation *conversation)
{
	char line[VPNR_CONTROL_LINE_MAX + 1];
	g_autoptr(GError) error = NULL;
	const char *wrong = receive_line(conversation, line);

	if (vpnr_latch_is_tripped(conversation->control->stop))
		return;
	if (wrong == NULL && !is_printable(line))
		wrong = "the command is not plain text";
	if (wrong != NULL)
		send_error(conversation->fd, wrong);
	else if (!carry_out(conversation, line, &error))
		send_error(conversation->fd, error->message);
}

static void
run_conversation(gpointer data)
{
	Conversation *conversation = data;
	VpnrControl *control = conversation->control;

	answer(conversation);
	vpnr_fds_clear(&conversation->fds);
	vpnr_fd_close(conversation->fd);
	g_free(conversation);
	atomic_fetch_sub(&control->asking, 1);
}

static gboolean
has_room(VpnrControl *control)
{
	if (atomic_fetch_add(&control->asking, 1) < MAX_CONVERSATIONS)
		return TRUE;
	atomic_fetch_sub(&control->asking, 1);
	return FALSE;
}

static void
start_conversation(VpnrControl *control, int fd)
{
	Conversation *conversation = g_new0(Conversation, 1);

	conversation->control = control;
	conversation->fd = fd;
	if (has_room(control)) {
		if (vpnr_pool_run(control->pool, run_conversation, conversation))
			return;
		atomic_fetch_sub(&control->asking, 1);
	}
	g_free(conversation);
	send_error(fd, "too many others are asking, or no thread is left: try again");
	vpnr_fd_close(fd);
}

/* FALSE if the caller still waits: another thread was faster to take what was given up for it. */
static gboolean
turn_away(VpnrControl *control)
{
	int fd;

	vpnr_fd_close(vpnr_fd_steal(&control->spare));
	fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		send_error(fd, "no descriptor is left, try again");
	vpnr_fd_close(fd);
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

static gboolean listen_now(gpointer data);

/* A caller who is left waiting keeps the socket readable, and would keep main busy. */
static gboolean
on_readable(int listening, GIOCondition condition, gpointer data)
{
	VpnrControl *control = data;
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		start_conversation(control, fd);
	if (fd >= 0 || errno == EAGAIN || errno == ECONNABORTED || turn_away(control))
		return G_SOURCE_CONTINUE;
	control->source = g_timeout_add(RETRY_MS, listen_now, control);
	return G_SOURCE_REMOVE;
}

static gboolean
listen_now(gpointer data)
{
	VpnrControl *control = data;

	control->source = g_unix_fd_add(control->fd, G_IO_IN, on_readable, control);
	return G_SOURCE_REMOVE;
}

static gboolean
set_errno_error(GError **error, const char *path, const char *what)
{
	int code = errno;

	g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED, "%s: %s: %s", path, what,
		    g_strerror(code));
	return FALSE;
}

static gboolean
make_folder(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (g_mkdir_with_parents(folder, 0755) < 0)
		return set_errno_error(error, folder, "cannot make the control socket's folder");
	return TRUE;
}

/* Removes the socket of a process that is gone. Any other file is left for bind() to fail on. */
static gboolean
clear_stale(const char *path, const struct sockaddr_un *address, GError **error)
{
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return set_errno_error(error, path, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
	    errno == EAGAIN) {
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_TAKEN,
			    "%s: another process answers at this control socket", path);
		return FALSE;
	}
	if (errno == ECONNREFUSED && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    unlink(path) < 0)
		return set_errno_error(error, path, "cannot remove the stale control socket");
	return TRUE;
}

/* The mode is set before bind(), which passes it on to the file: there is no moment in which others
 * could connect. */
static int
listen_at(const char *path, const struct sockaddr_un *address, GError **error)
{
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
	    listen(fd, MAX_CONVERSATIONS) < 0) {
		set_errno_error(error, path, "cannot listen on the control socket");
		return -1;
	}
	return vpnr_fd_steal(&fd);
}

static gboolean
open_socket(VpnrControl *control, GError **error)
{
	struct sockaddr_un address;
	struct stat st;

	if (!vpnr_control_address(control->path, &address, error) ||
	    !make_folder(control->path, error) || !clear_stale(control->path, &address, error))
		return FALSE;
	control->fd = listen_at(control->path, &address, error);
	if (control->fd < 0)
		return FALSE;
	if (lstat(control->path, &st) < 0)
		return set_errno_error(error, control->path, "cannot look at the control socket");
	control->device = st.st_dev;
	control->inode = st.st_ino;
	return TRUE;
}

VpnrControl *
vpnr_control_start(const char *path, const VpnrControlCommand *commands, gpointer data,
		   GError **error)
{
	VpnrControl *control = g_new0(VpnrControl, 1);

	control->path = g_strdup(path);
	control->commands = commands;
	control->data = data;
	control->fd = -1;
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	control->pool = vpnr_pool_new("vpnr-control", MAX_CONVERSATIONS + VPNR_CONTROL_LASTING_MAX);
	control->stop = vpnr_latch_new(error);
	if (control->stop == NULL || !open_socket(control, error)) {
		vpnr_control_stop(control);
		return NULL;
	}
	listen_now(control);
	return control;
}

static void
remove_file(const VpnrControl *control)
{
	struct stat st;

	if (lstat(control->path, &st) == 0 && st.st_dev == control->device &&
	    st.st_ino == control->inode)
		unlink(control->path);
}

void
vpnr_control_stop(VpnrControl *control)
{
	if (control == NULL)
		return;
	g_clear_handle_id(&control->source, g_source_remove);
	remove_file(control);
	vpnr_fd_close(control->fd);
	vpnr_fd_close(control->spare);
	if (control->stop != NULL)
		vpnr_latch_trip(control->stop);
	vpnr_pool_free(control->pool);
	vpnr_latch_free(control->stop);
	g_free(control->path);
	g_free(control);
}
