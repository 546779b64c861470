/* SPDX-License-Identifier: MIT
 *
 * top_sample: what a program has said of itself and its connections at one moment. Pure.
 *
 * Down is what comes from a destination to an application, up what goes to the destination: a
 * client receives the one, a server sends it, and vpnrctl calls it the same with both.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
	JsonObject *answer; /* its object in "connections" */
	char *key;          /* what no other connection of this program has, now or later */
	char *destination;  /* printable */
	double down, up;    /* bytes since it began; NAN: not known */
	double age_s;       /* NAN: not known */
} VpnrTopStream;

typedef struct {
	gint64 status_us;   /* when that was asked for, monotonic */
	JsonObject *status; /* the answer to "status" */
	double down, up;    /* bytes of all connections since the start; NAN: not known */

	gint64 streams_us;  /* the same of "connections" */
	GPtrArray *streams; /* VpnrTopStream, in the order of the answer */
} VpnrTopSample;

/* The answers to "status" and "connections", and when they were asked for, in microseconds of the
 * monotonic clock: a long answer takes a while to come, but was true at its beginning. */
typedef struct {
	const char *status;
	gint64 status_us;
	const char *connections;
	gint64 connections_us;
} VpnrTopAnswers;

/* Reads the answers (transfer none); NULL with an error if one is no JSON object. */
VpnrTopSample *vpnr_top_sample_new(const VpnrTopAnswers *answers, GError **error);

/* "client" or "server" (transfer full); "-" if the program has not said it. */
char *vpnr_top_sample_role(const VpnrTopSample *sample);

/* Takes NULL. */
void vpnr_top_sample_free(VpnrTopSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrTopSample, vpnr_top_sample_free)

G_END_DECLS
