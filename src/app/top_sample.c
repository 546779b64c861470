/* SPDX-License-Identifier: MIT
 *
 * top_sample: see top_sample.h.
 */
#include "app/top_sample.h"

#include "app/ctl_json.h"

static gboolean
is_server(JsonObject *status)
{
	g_autofree char *role = vpnr_ctl_json_text(status, "role");

	return g_str_equal(role, "server");
}

/* Bytes of a connection or of all, from the view of the destination and the application. */
static void
read_bytes(JsonObject *object, gboolean server, double *down, double *up)
{
	*down = vpnr_ctl_json_number(object, server ? "bytes_sent" : "bytes_received");
	*up = vpnr_ctl_json_number(object, server ? "bytes_received" : "bytes_sent");
}

/* VPNr/1 uses ids again, and a server has several sessions of one client, each of which counts from
 * 1: no two of them begin in the same microsecond with the same id. A program of an older version
 * does not tell when, and what is left must do. */
static char *
make_key(JsonObject *answer)
{
	g_autofree char *id = vpnr_ctl_json_text(answer, "id");
	g_autofree char *started = vpnr_ctl_json_text(answer, "started_us");
	g_autofree char *thread = vpnr_ctl_json_text(answer, "thread");
	g_autofree char *destination = vpnr_ctl_json_text(answer, "destination");
	g_autofree char *link = vpnr_ctl_json_text(answer, "link");

	return json_object_has_member(answer, "started_us")
		   ? g_strjoin(" ", id, started, link, NULL)
		   : g_strjoin(" ", id, thread, destination, link, NULL);
}

static VpnrTopStream *
stream_new(JsonObject *answer, gboolean server)
{
	VpnrTopStream *stream = g_new(VpnrTopStream, 1);

	stream->answer = json_object_ref(answer);
	stream->key = make_key(answer);
	stream->destination = vpnr_ctl_json_text(answer, "destination");
	stream->age_s = vpnr_ctl_json_number(answer, "age_s");
	read_bytes(answer, server, &stream->down, &stream->up);
	return stream;
}

static void
stream_free(gpointer data)
{
	VpnrTopStream *stream = data;

	json_object_unref(stream->answer);
	g_free(stream->key);
	g_free(stream->destination);
	g_free(stream);
}

VpnrTopSample *
vpnr_top_sample_new(const VpnrTopAnswers *answers, GError **error)
{
	g_autoptr(JsonObject) status = vpnr_ctl_json_parse(answers->status, error);
	g_autoptr(JsonObject) connections =
	    status != NULL ? vpnr_ctl_json_parse(answers->connections, error) : NULL;

	if (connections == NULL)
		return NULL;
	g_autoptr(GPtrArray) objects = vpnr_ctl_json_objects(connections, "connections");
	VpnrTopSample *sample = g_new(VpnrTopSample, 1);
	gboolean server = is_server(status);

	sample->status_us = answers->status_us;
	sample->streams_us = answers->connections_us;
	sample->streams = g_ptr_array_new_full(objects->len, stream_free);
	for (guint i = 0; i < objects->len; i++)
		g_ptr_array_add(sample->streams, stream_new(g_ptr_array_index(objects, i), server));
	read_bytes(status, server, &sample->down, &sample->up);
	sample->status = g_steal_pointer(&status);
	return sample;
}

char *
vpnr_top_sample_role(const VpnrTopSample *sample)
{
	return vpnr_ctl_json_text(sample->status, "role");
}

void
vpnr_top_sample_free(VpnrTopSample *sample)
{
	if (sample == NULL)
		return;
	json_object_unref(sample->status);
	g_ptr_array_unref(sample->streams);
	g_free(sample);
}
