/* SPDX-License-Identifier: MIT
 *
 * ctl_request: what vpnrctl has been asked to do: a command out of a table, the options that it
 * takes, and what stands behind "--". Knows no command itself.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a command may be given. */
typedef enum {
	VPNR_CTL_SOCKET = 1 << 0,  /* --socket: it asks a program */
	VPNR_CTL_JSON = 1 << 1,    /* --json */
	VPNR_CTL_PROGRAM = 1 << 2, /* a program with its arguments, behind "--"; it must be given */
	VPNR_CTL_CONFIG = 1 << 3,  /* --config */
	VPNR_CTL_KILL_SWITCH = 1 << 4,   /* --kill-switch */
	VPNR_CTL_TARGET = 1 << 5,        /* --target: any number of them */
	VPNR_CTL_SERVER = 1 << 6,        /* --server */
	VPNR_CTL_NAME = 1 << 7,          /* a name, behind the command; it must be given */
	VPNR_CTL_CONFIG_NEEDED = 1 << 8, /* --config, which must be given */
} VpnrCtlTakes;

typedef struct VpnrCtlRequest VpnrCtlRequest;

typedef struct {
	const char *name; /* one word, or more with a space between them */
	guint takes;      /* VpnrCtlTakes */
	/* Carries it out and returns vpnrctl's exit status; an error is for the user. */
	int (*run)(const VpnrCtlRequest *request, GError **error);
	/* Of a command that is no more than a question to a program: its answer in words (transfer
	 * full), or NULL with an error. */
	char *(*show)(const char *json, GError **error);
	const char *description;
} VpnrCtlCommand;

struct VpnrCtlRequest {
	const VpnrCtlCommand *command; /* NULL: only the version is wanted */
	char *socket;                  /* NULL: of the program that answers */
	gboolean json;
	char *config; /* NULL: none */
	char *server; /* NULL: none */
	char *name;   /* NULL: the command takes none */
	gboolean kill_switch;
	char **targets; /* NULL: none */
	gboolean version;
	char **program; /* NULL-terminated; NULL: none */
};

/* Reads the command line, of which the first word is vpnrctl itself, into an empty request.
 * commands ends with one that has no name and outlives the request. Returns NULL, or what is wrong
 * (transfer full). --help prints the table and exits. */
char *vpnr_ctl_request_parse(VpnrCtlRequest *request, const VpnrCtlCommand *commands, char **argv);

void vpnr_ctl_request_clear(VpnrCtlRequest *request);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VpnrCtlRequest, vpnr_ctl_request_clear)

G_END_DECLS
