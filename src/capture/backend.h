/* SPDX-License-Identifier: MIT
 *
 * backend: how capture (capture.h) reaches the kernel's packet filter: nftables.c and iptables.c
 * each have a table of these functions.
 *
 * All of them are called by one thread at a time, block as long as the kernel or a helper program
 * takes, and return FALSE with an error that says what the kernel did not like.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

#define VPNR_BACKEND_ERROR (vpnr_backend_error_quark())
GQuark vpnr_backend_error_quark(void);

typedef enum {
	VPNR_BACKEND_ERROR_TAKEN,  /* the name belongs to somebody else: no other backend helps */
	VPNR_BACKEND_ERROR_FAILED, /* this machine cannot, or the kernel refuses */
} VpnrBackendError;

/* How much of the kill switch is in force. */
typedef enum {
	VPNR_KILL_SWITCH_OFF,
	VPNR_KILL_SWITCH_PART, /* somebody else has taken some of it away, or added to it */
	VPNR_KILL_SWITCH_ON,
} VpnrKillSwitch;

typedef struct VpnrBackend VpnrBackend;

typedef struct {
	VpnrCaptureBackend kind;
	const char *name; /* "nft" or "iptables": as in the configuration */

	/* Makes what install() needs (transfer full), without touching the packet filter. NULL with
	 * an error if this machine cannot do it at all. */
	VpnrBackend *(*open)(GError **error);

	/* Finds out whether install() would work, and takes the name of the table, if names can be
	 * taken; no packet sees a difference. NULL: nothing can be said before. */
	gboolean (*check)(VpnrBackend *backend, const VpnrRules *rules, GError **error);

	/* Lets rules be in force, in place of those that this backend has installed before: in one
	 * step, so that no packet sees neither. Stale ones of a client that was killed are removed.
	 * On failure nothing has changed. */
	gboolean (*install)(VpnrBackend *backend, const VpnrRules *rules, GError **error);

	/* TRUE if what install() has brought is still all there; nullable: nobody else can take any
	 * of it away. */
	gboolean (*is_intact)(VpnrBackend *backend);

	/* Removes what install() has brought, if anything. */
	gboolean (*remove)(VpnrBackend *backend, GError **error);

	/* Removes what a client that was killed has left under the names in rules (only table and
	 * numbers are read), whether there is anything or not. */
	gboolean (*clear)(const VpnrRules *rules, GError **error);

	/* The rule set that install() loads for rules, as text for people (transfer full). */
	char *(*describe)(const VpnrRules *rules);

	/* As install() and clear(), for the kill switch, which outlives the backend and the
	 * process. */
	gboolean (*install_kill_switch)(const VpnrRules *rules, GError **error);
	gboolean (*clear_kill_switch)(const VpnrRules *rules, GError **error);

	/* Its rule set, likewise (transfer full). */
	char *(*describe_kill_switch)(const VpnrRules *rules);

	/* What the kernel has of it, by the number of rules in each chain and what leads there. It
	 * is on if there are as many as rules want. If they want none, the kill switch is that of
	 * somebody whose conditions are not known, and on if none of its chains is empty. A rule
	 * that was replaced by another is not seen. */
	VpnrKillSwitch (*find_kill_switch)(const VpnrRules *rules);

	/* Frees it; what is installed and not bound to the process stays. Takes NULL. */
	void (*close)(VpnrBackend *backend);
} VpnrBackendOps;

/* All of them, in the order in which they are tried. */
#define VPNR_BACKENDS 2
extern const VpnrBackendOps *const vpnr_backends[VPNR_BACKENDS];

/* TRUE if rules are for this one, or for whichever works. */
gboolean vpnr_backend_is_wanted(const VpnrBackendOps *ops, const VpnrRules *rules);

G_END_DECLS
