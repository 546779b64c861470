/* SPDX-License-Identifier: MIT
 *
 * confine: what the process gives up for good once it has what it needs for its start: root's
 * capabilities (capabilities(7)), root itself if it is told so, and most system calls (seccomp(2)).
 *
 * What a thread may do it has from the one that started it, so this is done while there is only
 * main. Whoever takes over the program then is not root any more; what a new program may do, such
 * as iptables, is no more than what is left here (no_new_privs).
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define VPNR_CONFINE_ERROR (vpnr_confine_error_quark())
GQuark vpnr_confine_error_quark(void);

typedef enum {
	VPNR_CONFINE_ERROR_NO_USER,   /* there is no user of this name */
	VPNR_CONFINE_ERROR_FORBIDDEN, /* the process may not become that user */
	VPNR_CONFINE_ERROR_FAILED,    /* the kernel refuses something else; the message says what */
} VpnrConfineError;

/* A user of this machine: a plain value. */
typedef struct {
	uid_t uid;
	gid_t gid; /* of his first group */
} VpnrUser;

/* What is left. */
typedef struct {
	const char *user;        /* by name, with the groups that he is in; NULL: no other one */
	const int *capabilities; /* CAP_*, ended by -1: those of them that there are now */
	gboolean programs;       /* it starts other programs, which have these capabilities, too */
	gboolean filter;         /* only those system calls that syscalls.h has */
} VpnrConfine;

/* Finds a user; user may be NULL. FALSE with an error that quotes the name. */
gboolean vpnr_confine_find_user(const char *name, VpnrUser *user, GError **error);

/* Gives up the rest. FALSE with an error if that does not succeed; then nothing may be relied on.
 * But where the kernel, or who has started the process, allows no filter, the log has a warning.
 * Threads can still have back the nice value that the process has now: by RLIMIT_NICE, or where
 * that cannot be raised, as CAP_SYS_NICE is kept. */
gboolean vpnr_confine(const VpnrConfine *confine, GError **error);

G_END_DECLS
