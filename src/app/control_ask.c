/* SPDX-License-Identifier: MIT
 *
 * control_ask: vpnrctl's side of the control socket.
 */
#include "app/control.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "app/control_wire.h"
#include "base/deadline.h"
#include "base/fd.h"

/* Milliseconds for the whole answer: a reload reads files, the rest takes a moment. */
#define ASK_MS 10000

/* Bytes of an answer: some 320 for each of 100,000 connections, and as much for long names. */
#define ANSWER_MAX (64 * 1024 * 1024)

static int
set_errno_error(GError **error, const char *path, const char *what)
{
	int code = errno;
	gboolean absent = code == ENOENT || code == ECONNREFUSED;

	g_set_error(error, VPNR_CONTROL_ERROR,
		    absent ? VPNR_CONTROL_ERROR_ABSENT : VPNR_CONTROL_ERROR_FAILED, "%s: %s: %s",
		    path, what, g_strerror(code));
	return -1;
}

int
vpnr_control_connect(const char *path, GError **error)
{
	struct sockaddr_un address;

	if (!vpnr_control_address(path, &address, error))
		return -1;
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return set_errno_error(error, path, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return set_errno_error(error, path, "cannot connect to the control socket");
	return vpnr_fd_steal(&fd);
}

/* Receives into answer until the other side closes, or until the end of a line if the connection
 * is to be kept; FALSE with errno. */
static gboolean
receive_answer(int fd, gboolean keep, GString *answer, gint64 deadline)
{
	char chunk[16384];

	while (answer->len < ANSWER_MAX) {
		ssize_t got = recv(fd, chunk, sizeof chunk, 0);

		/* A reset says that the other side closed before it had read all: the answer that
		 * came before it is whole. */
		if (got == 0 || (got < 0 && errno == ECONNRESET && answer->len > 0))
			return TRUE;
		if (got > 0) {
			g_string_append_len(answer, chunk, got);
			if (keep && chunk[got - 1] == '\n')
				return TRUE;
		} else if (errno == EAGAIN) {
			if (!vpnr_control_wait(fd, POLLIN, deadline))
				return FALSE;
		} else if (errno != EINTR) {
			return FALSE;
		}
	}
	errno = EMSGSIZE;
	return FALSE;
}

/* Checks that the answer is one object, and no error. */
static gboolean
check_answer(const char *path, const char *answer, GError **error)
{
	g_autoptr(JsonNode) node = json_from_string(answer, NULL);

	if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED,
			    "%s: the answer is no JSON object", path);
		return FALSE;
	}
	JsonNode *member = json_object_get_member(json_node_get_object(node), "error");
	if (member == NULL || json_node_get_value_type(member) != G_TYPE_STRING)
		return TRUE;
	g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED, "%s: %s", path,
		    json_node_get_string(member));
	return FALSE;
}

/* Sends the command with the descriptors (NULL: none) on fd and returns the answer. */
static char *
converse(int fd, const char *path, const char *command, const VpnrFds *fds, GError **error)
{
	g_autofree char *line = g_strconcat(command, "\n", NULL);
	g_autoptr(GString) answer = g_string_new(NULL);
	gint64 deadline = vpnr_deadline_after(ASK_MS);

	/* A program that turns the caller away at once has closed before the command is there; what
	 * it said still counts. */
	gboolean sent = fds != NULL ? vpnr_fds_send(fd, line, strlen(line), fds)
				    : vpnr_control_send(fd, line, strlen(line), deadline);
	if ((!sent && errno != EPIPE) || !receive_answer(fd, fds != NULL, answer, deadline)) {
		set_errno_error(error, path, "no answer from the control socket");
		return NULL;
	}
	if (!check_answer(path, answer->str, error))
		return NULL;
	return g_strchomp(g_string_free(g_steal_pointer(&answer), FALSE));
}

char *
vpnr_control_ask(const char *path, const char *command, GError **error)
{
	g_auto(VpnrFd) fd = vpnr_control_connect(path, error);

	return fd >= 0 ? converse(fd, path, command, NULL, error) : NULL;
}

char *
vpnr_control_ask_on(int fd, const char *path, const char *command, GError **error)
{
	return converse(fd, path, command, NULL, error);
}

char *
vpnr_control_lend(int fd, const char *path, const char *command, const VpnrFds *fds, GError **error)
{
	return converse(fd, path, command, fds, error);
}
