/* SPDX-License-Identifier: MIT
 *
 * control_ask: vpnrctl's side of the control socket, and what both sides share.
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

/* Bytes of an answer: some 300 for each of 100,000 connections. */
#define ANSWER_MAX (32 * 1024 * 1024)

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_control_error_quark(void)
{
	return g_quark_from_static_string("vpnr-control-error");
}

gboolean
vpnr_control_address(const char *path, struct sockaddr_un *address, GError **error)
{
	gsize n = strlen(path);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof address->sun_path) {
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED,
			    "%s: the path of a control socket has 1 to %zu bytes", path,
			    sizeof address->sun_path - 1);
		return FALSE;
	}
	memcpy(address->sun_path, path, n);
	return TRUE;
}

gboolean
vpnr_control_send(int fd, const char *bytes, gsize n, gint64 deadline)
{
	while (n > 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= (gsize)sent;
		} else if (errno == EAGAIN) {
			if (poll(&poll_fd, 1, vpnr_deadline_left(deadline)) == 0) {
				errno = ETIMEDOUT;
				return FALSE;
			}
		} else if (errno != EINTR) {
			return FALSE;
		}
	}
	return TRUE;
}

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

static int
open_connection(const char *path, GError **error)
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

/* Receives into answer until the other side closes; FALSE with errno. */
static gboolean
receive_all(int fd, GString *answer, gint64 deadline)
{
	char chunk[16384];

	while (answer->len < ANSWER_MAX) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		ssize_t got = recv(fd, chunk, sizeof chunk, 0);

		/* A reset says that the other side closed before it had read all: the answer that
		 * came before it is whole. */
		if (got == 0 || (got < 0 && errno == ECONNRESET && answer->len > 0))
			return TRUE;
		if (got > 0) {
			g_string_append_len(answer, chunk, got);
		} else if (errno == EAGAIN) {
			if (poll(&poll_fd, 1, vpnr_deadline_left(deadline)) == 0) {
				errno = ETIMEDOUT;
				return FALSE;
			}
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

char *
vpnr_control_ask(const char *path, const char *command, GError **error)
{
	g_autofree char *line = g_strconcat(command, "\n", NULL);
	g_autoptr(GString) answer = g_string_new(NULL);
	gint64 deadline = vpnr_deadline_after(ASK_MS);
	g_auto(VpnrFd) fd = open_connection(path, error);

	if (fd < 0)
		return NULL;
	/* A program that turns the caller away at once has closed before the command is there; what
	 * it said still counts. */
	gboolean sent = vpnr_control_send(fd, line, strlen(line), deadline);
	if ((!sent && errno != EPIPE) || !receive_all(fd, answer, deadline)) {
		set_errno_error(error, path, "no answer from the control socket");
		return NULL;
	}
	if (!check_answer(path, answer->str, error))
		return NULL;
	return g_strchomp(g_string_free(g_steal_pointer(&answer), FALSE));
}
