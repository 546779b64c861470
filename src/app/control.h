/* SPDX-License-Identifier: MIT
 *
 * control: the socket that vpnrctl talks to: one line with a command in, one JSON object out, then
 * the end.
 *
 * The listening socket belongs to main's GMainContext; each connection is answered on a thread of
 * its own pool with a time limit, so that a client that does not read holds up nobody. The socket's
 * file has mode 0600 and is removed at the end.
 */
#pragma once

#include <glib.h>

#include "base/fds.h"
#include "base/pool.h"

G_BEGIN_DECLS

/* Where the programs listen unless their configuration says otherwise. */
#define VPNR_CONTROL_CLIENT_PATH "/run/vpnr/client.sock"
#define VPNR_CONTROL_SERVER_PATH "/run/vpnr/server.sock"

typedef struct VpnrControl VpnrControl;

#define VPNR_CONTROL_ERROR (vpnr_control_error_quark())
GQuark vpnr_control_error_quark(void);

typedef enum {
	VPNR_CONTROL_ERROR_ABSENT,  /* nobody listens at the path */
	VPNR_CONTROL_ERROR_TAKEN,   /* somebody listens there already */
	VPNR_CONTROL_ERROR_REFUSED, /* the program answered with an error */
	VPNR_CONTROL_ERROR_FAILED,  /* anything else; the message says what */
} VpnrControlError;

/* A command that lasts as long as the connection of its caller, and may bring descriptors. On pool
 * threads, several at once. */
typedef struct {
	/* Begins it: returns what is to be ended (transfer full) and in *json the JSON text of one
	 * object (transfer full), or NULL with an error for the caller. Takes those descriptors out
	 * of fds that it keeps; the rest are closed. */
	gpointer (*begin)(gpointer data, VpnrFds *fds, char **json, GError **error);
	/* The caller has closed the connection, or the program stops. */
	void (*end)(gpointer data, gpointer begun);
} VpnrControlLasting;

/* A command, in printable ASCII, and what answers it, on a pool thread, several at once: returns
 * the JSON text of one object (transfer full), or NULL with an error whose message goes to the
 * caller as {"error": "..."}. */
typedef struct {
	const char *name;
	char *(*answer)(gpointer data, GError **error);
	const VpnrControlLasting *lasting; /* in its place */
} VpnrControlCommand;

/* Commands of the lasting kind that may be under way at one time, each with a thread. */
#define VPNR_CONTROL_LASTING_MAX 32

/* Answers these commands (ended by one without a name; outlive the control) on the Unix socket at
 * path. A stale file of a process that is gone is replaced; one that
 * answers is an error that names it, as is a path that is too long. Missing parent folders are made
 * (mode 0755). */
VpnrControl *vpnr_control_start(const char *path, const VpnrControlCommand *commands, gpointer data,
				GError **error);

/* Stops listening, waits for the answers under way (at most a second), removes the file, frees.
 * Takes NULL. */
void vpnr_control_stop(VpnrControl *control);

/* vpnrctl's side: sends command to the socket at path and returns the JSON text (transfer full), or
 * NULL with an error that names the path. An {"error": ...} answer becomes the error. */
char *vpnr_control_ask(const char *path, const char *command, GError **error);

/* The same on a connection of vpnr_control_connect(), which is good for one question: another
 * thread can break it off by shutdown(2). */
char *vpnr_control_ask_on(int fd, const char *path, const char *command, GError **error);

/* The same for a command that lasts: on a connection of vpnr_control_connect(), with at least one
 * descriptor (transfer none). It lasts until fd is closed; that the program has ended it is seen by
 * the end of what can be read from fd. */
char *vpnr_control_lend(int fd, const char *path, const char *command, const VpnrFds *fds,
			GError **error);

/* A connection to the program at path (transfer full); -1 with an error that names the path. */
int vpnr_control_connect(const char *path, GError **error);

G_END_DECLS
