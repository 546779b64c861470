/* SPDX-License-Identifier: MIT
 *
 * capture: has what the rules say led to the client, from the moment there is a link, and takes it
 * all away at the end.
 *
 * The link may be lost later: connections are captured on and wait for it. With the kill switch
 * everything is in place before the first try to reach the server, and the switch itself stays
 * when the client has gone.
 *
 * A backend (backend.h) talks to the packet filter and routing.h to the routing; which backend is
 * found by trying. All functions are thread-safe, and block while the kernel works.
 */
#pragma once

#include <glib.h>

#include "capture/backend.h"
#include "capture/rules.h"

G_BEGIN_DECLS

#define VPNR_CAPTURE_ERROR (vpnr_capture_error_quark())
GQuark vpnr_capture_error_quark(void);

typedef enum {
	VPNR_CAPTURE_ERROR_FORBIDDEN,  /* this process may not; the message says what is missing */
	VPNR_CAPTURE_ERROR_IMPOSSIBLE, /* no backend works; the message has the reason of each */
	VPNR_CAPTURE_ERROR_RESTART,    /* a reload wants what only a start can bring */
} VpnrCaptureError;

typedef struct VpnrCapture VpnrCapture;

/* How it is. A plain value. */
typedef struct {
	VpnrCaptureMode mode;
	const char *backend;          /* "nft" or "iptables"; NULL if the mode is off */
	gboolean installed;           /* connections are captured now */
	gboolean damaged;             /* but somebody else has taken rules away */
	gboolean kill_switch;         /* is in force, by this client or an earlier one */
	gboolean kill_switch_missing; /* is configured, but not as it was any more */
} VpnrCaptureStatus;

/* One for these rules (transfer full) that has done nothing yet. Never fails. */
VpnrCapture *vpnr_capture_new(VpnrRules *rules);

/* Finds out what works on this machine, without capturing anything; but with the kill switch all of
 * it is installed. With mode off it only warns of a kill switch that is still there. */
gboolean vpnr_capture_start(VpnrCapture *capture, GError **error);

/* Installs the rules, unless they are. For the first link. */
gboolean vpnr_capture_install(VpnrCapture *capture, GError **error);

/* Puts other rules (transfer full) in place of those that are installed, in one step. What only a
 * start can change (vpnr_rules_keep()) stays as it is, with a warning. On failure nothing has
 * changed. */
gboolean vpnr_capture_reload(VpnrCapture *capture, VpnrRules *rules, GError **error);

/* A descriptor that is readable when vpnr_capture_look() has something to do; -1 if it never has.
 * Const after vpnr_capture_start(). */
int vpnr_capture_fd(const VpnrCapture *capture);

/* Puts back what others have taken away and the kernel has told of: routing. Never blocks for
 * long. */
void vpnr_capture_look(VpnrCapture *capture);

/* Removes everything but the kill switch. What could not be removed is logged. */
void vpnr_capture_stop(VpnrCapture *capture);

/* SO_MARK of whatever the client sends; 0 if nothing is captured. */
guint32 vpnr_capture_link_mark(VpnrCapture *capture);

/* TRUE if it starts programs of others, after vpnr_capture_start(): those of iptables. */
gboolean vpnr_capture_runs_programs(VpnrCapture *capture);

/* How it is. */
VpnrCaptureStatus vpnr_capture_status(VpnrCapture *capture);

/* The rules in words, one statement a line; and as they are loaded, by the backend's program and
 * ip(8) (transfer full). */
char *vpnr_capture_in_words(VpnrCapture *capture);
char *vpnr_capture_in_full(VpnrCapture *capture);

/* Stops, and frees. Takes NULL. */
void vpnr_capture_free(VpnrCapture *capture);

/* Without a client: removes what a client that was killed has left under the names and numbers of
 * rules, in every backend that works here, and the routing of all clients. */
gboolean vpnr_capture_clear(const VpnrRules *rules, GError **error);

/* Without a client: the kill switch, by the backend of rules, and away again. */
gboolean vpnr_capture_hold(const VpnrRules *rules, GError **error);
gboolean vpnr_capture_release(const VpnrRules *rules, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrCapture, vpnr_capture_free)

G_END_DECLS
