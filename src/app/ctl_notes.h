/* SPDX-License-Identifier: MIT
 *
 * ctl_notes: what a user must know of a client's capture at once, as vpnrctl says it wherever it
 * shows the client. Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
	const char *what; /* in capitals */
	const char *why;  /* NULL: that says it itself */
	const char *then; /* what follows, or what to do */
} VpnrCtlNote;

/* The notes (const VpnrCtlNote *, transfer container) that capture, a member of "status" or the
 * answer to "rules", gives reason for; NULL gives none. linked: whether the client has a link. */
GPtrArray *vpnr_ctl_notes(JsonObject *capture, gboolean linked);

/* One in full (transfer full). */
char *vpnr_ctl_note_text(const VpnrCtlNote *note);

G_END_DECLS
