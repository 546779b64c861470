/* SPDX-License-Identifier: MIT
 *
 * vpnr-client: puts the parts of the client together and takes them apart again.
 */
#include <glib-unix.h>
#include <linux/capability.h>
#include <pthread.h>

#include "app/confine.h"
#include "app/control.h"
#include "app/daemon.h"
#include "app/inbounds.h"
#include "app/options.h"
#include "app/report.h"
#include "app/runs.h"
#include "app/settings.h"
#include "base/log.h"
#include "base/pool.h"
#include "capture/capture.h"
#include "client/uplinks.h"

/* main() has the only one, on its stack; contrib/gdb/vpnr-gdb.py begins its search there. */
typedef struct {
	VpnrOptions options;
	VpnrStats stats;
	gint64 born_us;
	VpnrBudget *budget;
	VpnrPool *pool;
	VpnrCapture *capture;
	VpnrUplinks *uplinks;
	VpnrInbounds *inbounds;
	VpnrRuns *runs;
	VpnrControl *control;
	VpnrDaemon daemon;
	VpnrProtocol protocol;     /* of all links; const after start */
	guint linked;              /* source that waits for the first link; 0: none */
	guint guarded;             /* source that looks after the routing of capture; 0: none */
	pthread_mutex_t reloading; /* one reload at a time: SIGHUP and vpnrctl may meet */
} VpnrClientApp;

static void
fill_target(const VpnrClientSettings *settings, guint32 link_mark, VpnrUplinkTarget *target)
{
	target->server = settings->server;
	target->protocol = settings->protocol;
	target->server_public_key = settings->server_public_key;
	target->private_key = settings->private_key;
	target->resume_timeout_s = settings->resume_timeout_s;
	target->rotate_interval_s = settings->rotate_interval_s;
	target->link_mark = link_mark;
}

/* The server and the keys in the file belong to its protocol: one must not come without the other,
 * or the next link would be in the clear. */
static gboolean
check_protocol(const VpnrClientApp *app, const VpnrClientSettings *settings, GError **error)
{
	if (settings->protocol == app->protocol)
		return TRUE;
	g_set_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID,
		    "%s: [client] protocol: \"%s\" in place of \"%s\" needs a restart",
		    app->options.config, vpnr_protocol_name(settings->protocol),
		    vpnr_protocol_name(app->protocol));
	return FALSE;
}

static gboolean
reload(gpointer data, GError **error)
{
	VpnrClientApp *app = data;
	g_autoptr(VpnrClientSettings) settings = NULL;
	VpnrUplinkTarget target;
	gboolean ok;

	pthread_mutex_lock(&app->reloading);
	settings = vpnr_client_settings_load(app->options.config,
					     (const char *const *)app->options.overrides, error);
	ok = settings != NULL && check_protocol(app, settings, error) &&
	     vpnr_capture_reload(app->capture, g_steal_pointer(&settings->rules), error);
	if (ok) {
		fill_target(settings, vpnr_capture_link_mark(app->capture), &target);
		vpnr_uplinks_set_target(app->uplinks, &target);
		vpnr_key_wipe(&target.private_key);
		vpnr_log(VPNR_LOG_INFO, "the next link uses the new server and keys; "
					"listening addresses and the number of links "
					"change with a restart");
	}
	pthread_mutex_unlock(&app->reloading);
	return ok;
}

/* --- answers to vpnrctl ----------------------------------------------------------------------- */

static void
add_capture(const VpnrCaptureStatus *status, JsonBuilder *builder)
{
	vpnr_report_string(builder, "mode", vpnr_capture_mode_name(status->mode));
	if (status->backend != NULL)
		vpnr_report_string(builder, "backend", status->backend);
	vpnr_report_boolean(builder, "installed", status->installed);
	vpnr_report_boolean(builder, "damaged", status->damaged);
	vpnr_report_boolean(builder, "kill_switch", status->kill_switch);
	vpnr_report_boolean(builder, "kill_switch_missing", status->kill_switch_missing);
}

static void
report_capture(VpnrClientApp *app, JsonBuilder *builder)
{
	VpnrCaptureStatus status = vpnr_capture_status(app->capture);

	json_builder_set_member_name(builder, "capture");
	json_builder_begin_object(builder);
	add_capture(&status, builder);
	json_builder_end_object(builder);
}

static char *
report_rules(gpointer data, GError **error)
{
	VpnrClientApp *app = data;
	VpnrCaptureStatus status = vpnr_capture_status(app->capture);
	g_autofree char *words = vpnr_capture_in_words(app->capture);
	g_autofree char *ruleset = vpnr_capture_in_full(app->capture);
	JsonBuilder *builder = json_builder_new();

	json_builder_begin_object(builder);
	add_capture(&status, builder);
	vpnr_report_string(builder, "words", words);
	vpnr_report_string(builder, "ruleset", ruleset);
	return vpnr_report_end(builder);
}

/* What the client and its links have counted. */
static void
sum_stats(VpnrClientApp *app, VpnrStats *sum)
{
	vpnr_stats_add_all(sum, &app->stats);
	for (guint i = 1; i <= vpnr_uplinks_count(app->uplinks); i++)
		vpnr_stats_add_all(sum, vpnr_uplinks_stats(app->uplinks, i));
}

static void
add_link(VpnrClientApp *app, guint number, JsonBuilder *builder)
{
	VpnrUplink *uplink = vpnr_uplinks_get(app->uplinks, number);
	const VpnrStats *stats = vpnr_uplinks_stats(app->uplinks, number);
	VpnrUplinkStatus status = vpnr_uplink_status(uplink);

	json_builder_begin_object(builder);
	vpnr_report_int(builder, "link", number);
	vpnr_report_string(builder, "state", vpnr_uplink_state_name(status.news.state));
	vpnr_report_addr(builder, "server", &status.news.server);
	vpnr_report_int(builder, "streams", vpnr_uplink_foreach(uplink, NULL, NULL));
	vpnr_report_int(builder, "bytes_sent", (gint64)vpnr_stats_get(stats, VPNR_STAT_BYTES_SENT));
	vpnr_report_int(builder, "bytes_received",
			(gint64)vpnr_stats_get(stats, VPNR_STAT_BYTES_RECEIVED));
	vpnr_report_int(builder, "reconnects", (gint64)vpnr_stats_get(stats, VPNR_STAT_RECONNECTS));
	vpnr_report_session(builder, &status.session);
	vpnr_report_age(builder, "link_down_s", status.news.down_since_us);
	json_builder_end_object(builder);
}

/* One alone is what stands above. */
static void
report_links(VpnrClientApp *app, JsonBuilder *builder)
{
	guint n = vpnr_uplinks_count(app->uplinks);

	if (n == 1)
		return;
	json_builder_set_member_name(builder, "links");
	json_builder_begin_array(builder);
	for (guint i = 1; i <= n; i++)
		add_link(app, i, builder);
	json_builder_end_array(builder);
}

static char *
report_status(gpointer data, GError **error)
{
	VpnrClientApp *app = data;
	VpnrReportFlow flow = { 0 };
	VpnrUplinkStatus status = vpnr_uplinks_status(app->uplinks);
	VpnrStats stats = { 0 };
	JsonBuilder *builder;

	sum_stats(app, &stats);
	builder = vpnr_report_begin_status("client", app->born_us, &stats);
	vpnr_report_string(builder, "state", vpnr_uplink_state_name(status.news.state));
	vpnr_report_addr(builder, "server", &status.news.server);
	vpnr_report_string(builder, "server_software", status.news.software);
	vpnr_report_age(builder, "state_s", status.news.since_us);
	vpnr_report_age(builder, "link_down_s", status.news.down_since_us);
	vpnr_report_int(builder, "streams",
			vpnr_uplinks_foreach(app->uplinks, vpnr_report_sum_flow, &flow));
	vpnr_report_int(builder, "waiting",
			vpnr_inbounds_waiting(app->inbounds) + vpnr_runs_waiting(app->runs));
	vpnr_report_int(builder, "runs", vpnr_runs_count(app->runs));
	vpnr_report_session(builder, &status.session);
	vpnr_report_memory(builder, &flow, app->budget);
	report_capture(app, builder);
	report_links(app, builder);
	return vpnr_report_end(builder);
}

static char *
report_connections(gpointer data, GError **error)
{
	VpnrClientApp *app = data;
	VpnrReportStreams streams = { .builder = vpnr_report_begin_connections() };
	guint n = vpnr_uplinks_count(app->uplinks);

	for (guint i = 1; i <= n; i++) {
		VpnrUplink *uplink = vpnr_uplinks_get(app->uplinks, i);

		streams.number = n > 1 ? i : 0;
		streams.attached = vpnr_uplink_status(uplink).session.attached;
		vpnr_uplink_foreach(uplink, vpnr_report_add_stream, &streams);
	}
	return vpnr_report_end_connections(streams.builder);
}

static char *
answer_reload(gpointer data, GError **error)
{
	return reload(data, error) ? g_strdup("{\"ok\":true}") : NULL;
}

static gpointer
begin_run(gpointer data, VpnrFds *fds, char **json, GError **error)
{
	VpnrClientApp *app = data;
	VpnrRun *run = vpnr_runs_begin(app->runs, fds, error);

	if (run != NULL)
		*json = g_strdup_printf("{\"udp\":%s}", vpnr_runs_has_udp(run) ? "true" : "false");
	return run;
}

static void
end_run(gpointer data, gpointer run)
{
	VpnrClientApp *app = data;

	vpnr_runs_end(app->runs, run);
}

static const VpnrControlLasting lasting_run = { begin_run, end_run };

static const VpnrControlCommand commands[] = {
	{ "status", report_status },    { "connections", report_connections },
	{ "reload", answer_reload },    { "run", NULL, &lasting_run },
	{ "rules show", report_rules }, { NULL, NULL },
};

/* --- start and stop --------------------------------------------------------------------------- */

/* Main's context: the first link is there. Without rules everything would leave beside it. */
static gboolean
on_linked(gint fd, GIOCondition condition, gpointer data)
{
	VpnrClientApp *app = data;
	GError *error = NULL;

	app->linked = 0;
	if (!vpnr_capture_install(app->capture, &error))
		vpnr_daemon_fail(&app->daemon, error);
	return G_SOURCE_REMOVE;
}

/* Main's context. */
static gboolean
on_routing(gint fd, GIOCondition condition, gpointer data)
{
	VpnrClientApp *app = data;

	vpnr_capture_look(app->capture);
	return G_SOURCE_CONTINUE;
}

static VpnrRuns *
make_runs(VpnrClientApp *app, const VpnrClientSettings *settings)
{
	VpnrInboundParams tcp = { .dns = settings->flows.dns_server,
				  .pool = app->pool,
				  .uplinks = app->uplinks,
				  .stats = &app->stats };
	VpnrUdpInboundParams udp = { .max_flows = settings->flows.max_flows,
				     .idle_ms = (int)settings->flows.udp_timeout_s * 1000,
				     .dns = settings->flows.dns_server,
				     .pool = app->pool,
				     .uplinks = app->uplinks,
				     .stats = &app->stats };

	return vpnr_runs_new(&tcp, settings->protocol == VPNR_PROTOCOL_V2 ? &udp : NULL);
}

/* Rules, marks, and the buffers of links need CAP_NET_ADMIN; listeners below 1024, and answers in
 * the name of name servers, CAP_NET_BIND_SERVICE; what iptables asks for, CAP_NET_RAW. */
static gboolean
confine(const VpnrClientApp *app, const VpnrConfineSettings *settings, GError **error)
{
	static const int for_all[] = { CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, -1 };
	static const int for_iptables[] = { CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, CAP_NET_RAW, -1 };
	gboolean programs = vpnr_capture_runs_programs(app->capture);

	return vpnr_confine(&(VpnrConfine){ .user = settings->user,
					    .capabilities = programs ? for_iptables : for_all,
					    .programs = programs,
					    .filter = settings->seccomp },
			    error);
}

/* What needs more rights than are left afterwards. No thread is there yet. */
static gboolean
prepare(VpnrClientApp *app, VpnrClientSettings *settings, GError **error)
{
	app->protocol = settings->protocol;
	app->inbounds = vpnr_inbounds_new(settings);
	app->capture = vpnr_capture_new(g_steal_pointer(&settings->rules));
	if (settings->control_socket != NULL) {
		app->control = vpnr_control_start(settings->control_socket, commands, app, error);
		if (app->control == NULL)
			return FALSE;
	}
	return vpnr_capture_start(app->capture, error) && confine(app, &settings->confine, error);
}

static gboolean
start(VpnrClientApp *app, VpnrClientSettings *settings, GError **error)
{
	VpnrUplinkTarget target;

	if (settings->no_ipv6)
		vpnr_log(VPNR_LOG_INFO, "this host has no address ::1, so redirect, which has its "
					"default, listens for IPv4 alone");
	if (!prepare(app, settings, error))
		return FALSE;
	fill_target(settings, vpnr_capture_link_mark(app->capture), &target);
	app->budget = vpnr_budget_new(settings->memory_budget);
	app->pool = vpnr_pool_new("vpnr-pool", vpnr_thread_limit());
	app->uplinks = vpnr_uplinks_start(settings->links, &target, app->budget, error);
	vpnr_key_wipe(&target.private_key);
	if (app->uplinks == NULL ||
	    !vpnr_inbounds_start(app->inbounds, app->pool, app->uplinks, &app->stats, error))
		return FALSE;
	app->runs = make_runs(app, settings);
	app->linked = g_unix_fd_add(vpnr_uplinks_fd(app->uplinks), G_IO_IN, on_linked, app);
	if (vpnr_capture_fd(app->capture) >= 0)
		app->guarded =
		    g_unix_fd_add(vpnr_capture_fd(app->capture), G_IO_IN, on_routing, app);
	return TRUE;
}

/* First no connections come in any more, then the link goes and takes the streams with it, then the
 * threads end. */
static void
stop_serving(VpnrClientApp *app)
{
	vpnr_inbounds_stop(app->inbounds);
	if (app->uplinks != NULL)
		vpnr_uplinks_stop(app->uplinks);
	vpnr_pool_free(app->pool);
	vpnr_inbounds_free(app->inbounds);
	vpnr_runs_free(app->runs);
	vpnr_uplinks_free(app->uplinks);
	vpnr_budget_free(app->budget);
}

/* Rules go last: a connection that is still there when they do would send the rest of what it has
 * to its real destination. */
static void
stop(VpnrClientApp *app)
{
	vpnr_control_stop(app->control);
	g_clear_handle_id(&app->linked, g_source_remove);
	g_clear_handle_id(&app->guarded, g_source_remove);
	if (app->inbounds != NULL)
		stop_serving(app);
	vpnr_capture_free(app->capture);
}

static gboolean
run(gpointer data, GError **error)
{
	VpnrClientApp *app = data;
	g_autoptr(VpnrClientSettings) settings =
	    vpnr_client_settings_load(app->options.config,
				      (const char *const *)app->options.overrides, error);
	gboolean ok;

	if (settings == NULL || app->options.check)
		return settings != NULL;
	vpnr_daemon_prepare();
	ok = start(app, settings, error);
	g_clear_pointer(&settings, vpnr_client_settings_free);
	if (ok)
		ok = vpnr_daemon_run(&app->daemon, reload, app, error);
	stop(app);
	return ok;
}

int
main(int argc, char **argv)
{
	VpnrClientApp app = { .born_us = g_get_monotonic_time(),
			      .reloading = PTHREAD_MUTEX_INITIALIZER };

	return vpnr_daemon_main(argc, argv, "vpnr-client", &app.options, run, &app);
}
