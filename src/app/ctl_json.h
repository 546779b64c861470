/* SPDX-License-Identifier: MIT
 *
 * ctl_json: reads what may or may not be in an answer of the control socket: a program of another
 * version may leave things out, or say more.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The object that text is (transfer full), or NULL with an error. */
JsonObject *vpnr_ctl_json_parse(const char *text, GError **error);

/* A member as text that a terminal can take (transfer full); "-" if it is missing or null. */
char *vpnr_ctl_json_text(JsonObject *object, const char *name);

/* A member as a number; NAN if it is none. */
double vpnr_ctl_json_number(JsonObject *object, const char *name);

/* The objects in a member that is an array, each (transfer none), in a new array (transfer
 * container); empty if it is no array. */
GPtrArray *vpnr_ctl_json_objects(JsonObject *object, const char *name);

/* A member that is an object (transfer none), or NULL. */
JsonObject *vpnr_ctl_json_object(JsonObject *object, const char *name);

G_END_DECLS
