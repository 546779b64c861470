/* SPDX-License-Identifier: MIT
 *
 * vpnr-server: puts the parts of the server together and takes them apart again.
 */
#include <pthread.h>

#include "app/confine.h"
#include "app/control.h"
#include "app/daemon.h"
#include "app/options.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/log.h"
#include "server/server.h"

/* main() has the only one, on its stack; contrib/gdb/vpnr-gdb.py begins its search there. */
typedef struct {
	VpnrOptions options;
	VpnrStats stats;
	gint64 born_us;
	VpnrBudget *budget;
	VpnrServer *server;
	VpnrControl *control;
	pthread_mutex_t reloading; /* one reload at a time: SIGHUP and vpnrctl may meet */
} VpnrServerApp;

static VpnrServerSettings *
load(const VpnrServerApp *app, GError **error)
{
	return vpnr_server_settings_load(app->options.config,
					 (const char *const *)app->options.overrides, error);
}

static gboolean
reload(gpointer data, GError **error)
{
	VpnrServerApp *app = data;
	g_autoptr(VpnrServerSettings) settings = NULL;

	pthread_mutex_lock(&app->reloading);
	settings = load(app, error);
	if (settings != NULL) {
		vpnr_server_reload(app->server, settings->clients, settings->v1_acl);
		vpnr_log(VPNR_LOG_INFO, "clients and access lists are in force; "
					"addresses, keys and limits change with a restart");
	}
	pthread_mutex_unlock(&app->reloading);
	return settings != NULL;
}

/* --- answers to vpnrctl ----------------------------------------------------------------------- */

typedef struct {
	JsonBuilder *builder;
	guint attached;
	guint streams;
	VpnrReportFlow flow;
} Report;

/* Without a link it waits for one, if it has had one. */
static const char *
state_name(const VpnrServiceStatus *status)
{
	if (status->session.attached)
		return "connected";
	return status->deserted_us != 0 ? "waiting" : "connecting";
}

static void
add_link(VpnrService *service, gpointer data)
{
	Report *report = data;
	VpnrServiceStatus status = vpnr_service_status(service);

	report->attached += status.session.attached;
	report->streams += status.streams;
	vpnr_service_foreach(service, vpnr_report_sum_flow, &report->flow);
	json_builder_begin_object(report->builder);
	if (status.client != NULL)
		vpnr_report_string(report->builder, "client", status.client);
	vpnr_report_addr(report->builder, "peer", &status.peer);
	vpnr_report_string(report->builder, "protocol", vpnr_protocol_name(status.protocol));
	vpnr_report_string(report->builder, "state", state_name(&status));
	vpnr_report_age(report->builder, "since_s", status.since_us);
	vpnr_report_int(report->builder, "streams", status.streams);
	vpnr_report_session(report->builder, &status.session);
	vpnr_report_age(report->builder, "link_down_s", status.deserted_us);
	vpnr_report_string(report->builder, "software", status.hello.software);
	json_builder_end_object(report->builder);
}

/* A server is "connected" when it has a link; each link has its own round-trip time. */
static char *
report_status(gpointer data, GError **error)
{
	VpnrServerApp *app = data;
	Report report = { .builder =
			      vpnr_report_begin_status("server", app->born_us, &app->stats) };

	json_builder_set_member_name(report.builder, "links");
	json_builder_begin_array(report.builder);
	vpnr_server_foreach(app->server, add_link, &report);
	json_builder_end_array(report.builder);
	vpnr_report_string(report.builder, "state",
			   report.attached > 0 ? "connected" : "disconnected");
	vpnr_report_int(report.builder, "streams", report.streams);
	vpnr_report_ms(report.builder, "rtt_ms", -1);
	vpnr_report_memory(report.builder, &report.flow, app->budget);
	return vpnr_report_end(report.builder);
}

static void
add_streams(VpnrService *service, gpointer data)
{
	VpnrReportStreams *streams = data;
	VpnrServiceStatus status = vpnr_service_status(service);
	char peer[VPNR_ADDR_STRLEN];

	streams->link =
	    status.client != NULL ? status.client : vpnr_addr_format(&status.peer, peer);
	streams->attached = status.session.attached;
	vpnr_service_foreach(service, vpnr_report_add_stream, streams);
}

static char *
report_connections(gpointer data, GError **error)
{
	VpnrServerApp *app = data;
	VpnrReportStreams streams = { .builder = vpnr_report_begin_connections() };

	vpnr_server_foreach(app->server, add_streams, &streams);
	return vpnr_report_end_connections(streams.builder);
}

static char *
answer_reload(gpointer data, GError **error)
{
	return reload(data, error) ? g_strdup("{\"ok\":true}") : NULL;
}

static const VpnrControlCommand commands[] = {
	{ "status", report_status },
	{ "connections", report_connections },
	{ "reload", answer_reload },
	{ NULL, NULL },
};

/* --- start and stop --------------------------------------------------------------------------- */

static void
log_listening(const VpnrServerSettings *settings)
{
	char text[VPNR_ADDR_STRLEN];

	if (settings->no_ipv6)
		vpnr_log(VPNR_LOG_INFO, "this host has no IPv6, so listen, which has its default, "
					"is for IPv4 alone");
	for (guint i = 0; i < settings->listen->len; i++)
		vpnr_log(VPNR_LOG_INFO, "listening on %s",
			 vpnr_addr_format(&g_array_index(settings->listen, VpnrAddr, i), text));
	for (guint i = 0; i < settings->v1_listen->len; i++)
		vpnr_log(VPNR_LOG_WARN,
			 "listening on %s for VPNr/1: IN THE CLEAR, without authentication",
			 vpnr_addr_format(&g_array_index(settings->v1_listen, VpnrAddr, i), text));
}

static VpnrServer *
listen_to(VpnrServerApp *app, const VpnrServerSettings *settings, GError **error)
{
	const VpnrServerParams params = { .listen = settings->listen,
					  .v1_listen = settings->v1_listen,
					  .v1_dialect = settings->v1_dialect,
					  .private_key = settings->private_key,
					  .max_streams = settings->max_streams,
					  .udp_timeout_s = settings->udp_timeout_s,
					  .resume_timeout_s = settings->resume_timeout_s,
					  .budget = app->budget,
					  .clients = settings->clients,
					  .v1_acl = settings->v1_acl,
					  .stats = &app->stats };

	return vpnr_server_listen(&params, error);
}

/* Whatever needs a right is open by then. */
static gboolean
confine(const VpnrConfineSettings *settings, GError **error)
{
	static const int no_capabilities[] = { -1 };

	return vpnr_confine(&(VpnrConfine){ .user = settings->user,
					    .capabilities = no_capabilities,
					    .filter = settings->seccomp },
			    error);
}

static gboolean
start(VpnrServerApp *app, const VpnrServerSettings *settings, GError **error)
{
	app->budget = vpnr_budget_new(settings->memory_budget);
	app->server = listen_to(app, settings, error);
	if (app->server == NULL)
		return FALSE;
	if (settings->control_socket != NULL) {
		app->control = vpnr_control_start(settings->control_socket, commands, app, error);
		if (app->control == NULL)
			return FALSE;
	}
	if (!confine(&settings->confine, error) || !vpnr_server_start(app->server, error))
		return FALSE;
	log_listening(settings);
	return TRUE;
}

static gboolean
run(gpointer data, GError **error)
{
	VpnrServerApp *app = data;
	g_autoptr(VpnrServerSettings) settings = load(app, error);
	VpnrDaemon daemon = { 0 };
	gboolean ok;

	if (settings == NULL || app->options.check)
		return settings != NULL;
	vpnr_daemon_prepare();
	ok = start(app, settings, error);
	g_clear_pointer(&settings, vpnr_server_settings_free);
	if (ok)
		ok = vpnr_daemon_run(&daemon, reload, app, error);
	vpnr_control_stop(app->control);
	vpnr_server_stop(app->server);
	vpnr_budget_free(app->budget);
	return ok;
}

int
main(int argc, char **argv)
{
	VpnrServerApp app = { .born_us = g_get_monotonic_time(),
			      .reloading = PTHREAD_MUTEX_INITIALIZER };

	return vpnr_daemon_main(argc, argv, "vpnr-server", &app.options, run, &app);
}
