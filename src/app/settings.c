/* SPDX-License-Identifier: MIT
 *
 * settings: what the sections and keys of both configuration files mean. Called by main, at start
 * and on reload.
 *
 * Each reader is one chain of checks over defaults that are in place before it starts; the first
 * check that fails has set the error.
 */
#include "app/settings.h"

#include <string.h>

#include "app/control.h"
#include "app/keyfile.h"
#include "app/secret.h"
#include "app/settings_capture.h"
#include "app/settings_clients.h"
#include "app/values.h"
#include "client/uplinks.h"

#define PORT_SERVER 4334
#define PORT_V1     4335

/* Streams of one link. Ten thousand is normal; a stream costs a thread and two descriptors. */
#define MAX_STREAMS_DEFAULT 16384
#define MAX_STREAMS_LIMIT   1000000

/* Seconds. Most outages are over in five minutes, and few applications wait longer for an answer; a
 * laptop that sleeps over night is what the limit of a day is for. */
#define RESUME_DEFAULT 300
#define RESUME_LIMIT   86400

/* Seconds. RFC 4787, section 4.3, asks a translator of addresses, which faces the same question,
 * for two minutes at least and recommends five. The client's own is shorter. */
#define UDP_TIMEOUT_DEFAULT 300
#define UDP_TIMEOUT_LIMIT   86400

/* Seconds. A key that protects an hour at most costs one handshake an hour. */
#define ROTATE_DEFAULT 3600
#define ROTATE_LIMIT   86400

/* Bytes. The default fills a path of 1 Gbit/s and 1 s, which takes 120 MiB, eight times; with less
 * than the minimum, for each link, a few connections at full speed would starve all others. Where
 * addresses have 32 bits there is no room for more than the default beside the threads' stacks
 * (base/thread.h). */
#define BUDGET_DEFAULT (G_GUINT64_CONSTANT(1) << 30)
#define BUDGET_MIN     (G_GUINT64_CONSTANT(16) << 20)
#define BUDGET_MAX     (GLIB_SIZEOF_VOID_P > 4 ? (guint64)G_MAXINT64 : BUDGET_DEFAULT)

static const VpnrListenKey server_listen = { "listen", PORT_SERVER, "0.0.0.0:4334;[::]:4334" };
static const VpnrListenKey v1_listen = { "listen", PORT_V1, "127.0.0.1:4335" };
static const VpnrListenKey redirect = { "redirect", 4333, "127.0.0.1:4333;[::1]:4333" };
static const VpnrListenKey socks = { "socks", 1080, "none" };

static const VpnrNumberKey max_streams = { "max-streams", 1, MAX_STREAMS_LIMIT, FALSE };
static const VpnrNumberKey udp_timeout = { "udp-timeout", 1, UDP_TIMEOUT_LIMIT, FALSE };
static const VpnrNumberKey resume_timeout = { "resume-timeout", 0, RESUME_LIMIT, FALSE };
static const VpnrNumberKey links = { "links", 1, VPNR_UPLINKS_MAX, FALSE };
static const VpnrSizeKey memory_budget = { "memory-budget", BUDGET_MIN, BUDGET_MAX };
static const VpnrNumberKey rotate_interval = { "rotate-interval", 1, ROTATE_LIMIT, TRUE };

static const VpnrSectionKind server_kinds[] = {
	{ "server", (const char *const[]){ "listen", "private-key-file", "control-socket",
					   "max-streams", "udp-timeout", "resume-timeout",
					   "memory-budget", "user", "seccomp", NULL } },
	{ "v1", (const char *const[]){ "listen", "dialect", "allow", "deny", NULL } },
	{ VPNR_CLIENT_PREFIX, (const char *const[]){ "public-key", "allow", "deny", NULL } },
};

static const VpnrSectionKind client_kinds[] = {
	{ "client", (const char *const[]){ "server", "server-public-key", "private-key-file",
					   VPNR_SECRET_KEY, "protocol", "redirect", "socks",
					   "control-socket", "resume-timeout", "rotate-interval",
					   "links", "memory-budget", "user", "seccomp", NULL } },
	{ "capture", vpnr_settings_capture_keys },
};

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_settings_error_quark(void)
{
	return g_quark_from_static_string("vpnr-settings-error");
}

static gboolean
read_server(const VpnrSection *section, VpnrServerSettings *settings, GError **error)
{
	if (!vpnr_section_get_socket_path(section, "control-socket", &settings->control_socket,
					  error) ||
	    !vpnr_settings_confine_read(section, &settings->confine, error))
		return FALSE;
	if (!vpnr_section_exists(section))
		return TRUE;
	if (!vpnr_section_get_listen(section, &server_listen, settings->listen, &settings->no_ipv6,
				     error))
		return FALSE;
	return (settings->listen->len == 0 ||
		vpnr_section_require(section, "private-key-file", error)) &&
	       vpnr_section_get_private_key(section, "private-key-file", &settings->private_key,
					    error) &&
	       vpnr_section_get_number(section, &max_streams, &settings->max_streams, error) &&
	       vpnr_section_get_number(section, &udp_timeout, &settings->udp_timeout_s, error) &&
	       vpnr_section_get_number(section, &resume_timeout, &settings->resume_timeout_s,
				       error) &&
	       vpnr_section_get_size(section, &memory_budget, &settings->memory_budget, error);
}

static gboolean
read_v1(const VpnrSection *section, VpnrServerSettings *settings, GError **error)
{
	static const char *const dialects[] = { "readme", "rust", NULL };
	guint dialect = 0;

	if (!vpnr_section_exists(section))
		return TRUE;
	if (!vpnr_section_get_listen(section, &v1_listen, settings->v1_listen, NULL, error) ||
	    !vpnr_section_check_listen(section, "listen", settings->v1_listen,
				       &(VpnrListenTaken){ settings->listen, "[server] listen" },
				       error) ||
	    !vpnr_section_get_choice(section, "dialect", dialects, &dialect, error) ||
	    !vpnr_section_get_acl(section, &settings->v1_acl, error))
		return FALSE;
	settings->v1_dialect = dialect == 1 ? VPNR_PROTOCOL_V1_RUST : VPNR_PROTOCOL_V1;
	if (settings->v1_listen->len == 0)
		g_clear_pointer(&settings->v1_acl, vpnr_acl_unref);
	return TRUE;
}

static VpnrServerSettings *
server_settings_read(VpnrKeyfile *file, GError **error)
{
	g_autoptr(VpnrServerSettings) settings = g_new0(VpnrServerSettings, 1);
	const VpnrSection server = { file, "server" };
	const VpnrSection v1 = { file, "v1" };

	settings->listen = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	settings->v1_listen = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	settings->clients = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);
	settings->control_socket = g_strdup(VPNR_CONTROL_SERVER_PATH);
	settings->max_streams = MAX_STREAMS_DEFAULT;
	settings->udp_timeout_s = UDP_TIMEOUT_DEFAULT;
	settings->resume_timeout_s = RESUME_DEFAULT;
	settings->memory_budget = BUDGET_DEFAULT;

	if (!vpnr_keyfile_check(file, server_kinds, G_N_ELEMENTS(server_kinds), error) ||
	    !read_server(&server, settings, error) || !read_v1(&v1, settings, error) ||
	    !vpnr_settings_clients_read(file, vpnr_section_exists(&server), settings->clients,
					error))
		return NULL;
	if (settings->listen->len == 0 && settings->v1_listen->len == 0) {
		vpnr_section_fail(&server, error,
				  "nothing to listen on: neither here nor in a section [v1]");
		return NULL;
	}
	return g_steal_pointer(&settings);
}

/* The client's private key, in a file of its own or in this one. */
static gboolean
read_private_key(const VpnrSection *section, gboolean needed, VpnrKey *key, GError **error)
{
	gboolean in_file = vpnr_section_has(section, "private-key-file");
	gboolean here = vpnr_section_has(section, VPNR_SECRET_KEY);

	if (in_file && here)
		return vpnr_section_fail_key(section, VPNR_SECRET_KEY, error,
					     "there is private-key-file, too; only one of them may "
					     "be given");
	if (needed && !in_file && !here)
		return vpnr_section_fail_key(section, "private-key-file", error,
					     "it or " VPNR_SECRET_KEY " is needed, but both are "
					     "missing");
	return vpnr_section_get_private_key(section, "private-key-file", key, error) &&
	       vpnr_section_get_secret(section, VPNR_SECRET_KEY, key, error);
}

static gboolean
read_identity(const VpnrSection *section, VpnrClientSettings *settings, GError **error)
{
	static const char *const protocols[] = { "2", "1", "1-rust", NULL };
	static const VpnrProtocol values[] = { VPNR_PROTOCOL_V2, VPNR_PROTOCOL_V1,
					       VPNR_PROTOCOL_V1_RUST };
	guint protocol = 0;

	if (!vpnr_section_get_choice(section, "protocol", protocols, &protocol, error))
		return FALSE;
	settings->protocol = values[protocol];
	gboolean needed = settings->protocol == VPNR_PROTOCOL_V2;
	return (!needed || vpnr_section_require(section, "server-public-key", error)) &&
	       vpnr_section_get_key(section, "server-public-key", &settings->server_public_key,
				    error) &&
	       read_private_key(section, needed, &settings->private_key, error);
}

static gboolean
read_inbounds(const VpnrSection *section, VpnrClientSettings *settings, GError **error)
{
	/* Without IPv6 [capture] has no listener for it and refuses it. */
	if (!vpnr_section_get_listen(section, &redirect, settings->redirect, &settings->no_ipv6,
				     error) ||
	    !vpnr_section_get_listen(section, &socks, settings->socks, NULL, error) ||
	    !vpnr_section_check_listen(section, "socks", settings->socks,
				       &(VpnrListenTaken){ settings->redirect, "redirect" }, error))
		return FALSE;
	if (settings->redirect->len == 0 && settings->socks->len == 0)
		return vpnr_section_fail(section, error,
					 "nothing to listen on: redirect and socks are both none");
	return TRUE;
}

/* What each link takes from the budget for itself, its streams cannot have. */
static gboolean
check_budget(const VpnrSection *section, const VpnrClientSettings *settings, GError **error)
{
	guint64 least = settings->links * BUDGET_MIN;

	return settings->memory_budget >= least ||
	       vpnr_section_fail_key(section, "links", error,
				     "\"%u\" needs a memory-budget of at least %uM",
				     settings->links, (guint)(least >> 20));
}

static gboolean
read_endurance(const VpnrSection *section, VpnrClientSettings *settings, GError **error)
{
	return vpnr_section_get_number(section, &resume_timeout, &settings->resume_timeout_s,
				       error) &&
	       vpnr_section_get_number(section, &rotate_interval, &settings->rotate_interval_s,
				       error) &&
	       vpnr_section_get_number(section, &links, &settings->links, error) &&
	       vpnr_section_get_size(section, &memory_budget, &settings->memory_budget, error) &&
	       check_budget(section, settings, error);
}

static gboolean
read_capture(const VpnrSection *section, VpnrClientSettings *settings, GError **error)
{
	VpnrCaptureContext context = { settings->protocol, settings->redirect };

	settings->rules = vpnr_settings_capture_read(section, &context, error);
	return settings->rules != NULL &&
	       vpnr_settings_flows_read(section, settings->protocol, settings->rules->dns,
					&settings->flows, error);
}

static gboolean
read_client(const VpnrSection *section, VpnrClientSettings *settings, GError **error)
{
	if (!vpnr_section_require(section, "server", error) ||
	    !read_identity(section, settings, error))
		return FALSE;

	guint16 port = settings->protocol == VPNR_PROTOCOL_V2 ? PORT_SERVER : PORT_V1;
	return vpnr_section_get_addr(section, "server", port, &settings->server, error) &&
	       read_inbounds(section, settings, error) &&
	       read_endurance(section, settings, error) &&
	       vpnr_section_get_socket_path(section, "control-socket", &settings->control_socket,
					    error) &&
	       vpnr_settings_confine_read(section, &settings->confine, error);
}

static VpnrClientSettings *
client_settings_read(VpnrKeyfile *file, GError **error)
{
	g_autoptr(VpnrClientSettings) settings = g_new0(VpnrClientSettings, 1);
	const VpnrSection client = { file, "client" };
	const VpnrSection capture = { file, "capture" };

	settings->redirect = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	settings->socks = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	settings->control_socket = g_strdup(VPNR_CONTROL_CLIENT_PATH);
	settings->resume_timeout_s = RESUME_DEFAULT;
	settings->rotate_interval_s = ROTATE_DEFAULT;
	settings->links = 1;
	settings->memory_budget = BUDGET_DEFAULT;

	if (!vpnr_keyfile_check(file, client_kinds, G_N_ELEMENTS(client_kinds), error) ||
	    !read_client(&client, settings, error) || !read_capture(&capture, settings, error))
		return NULL;
	return g_steal_pointer(&settings);
}

VpnrServerSettings *
vpnr_server_settings_load(const char *path, const char *const *overrides, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_load(path, overrides, error);

	return file != NULL ? server_settings_read(file, error) : NULL;
}

VpnrServerSettings *
vpnr_server_settings_preview(const char *path, const char *text, gsize n, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_preview(path, text, n, error);

	return file != NULL ? server_settings_read(file, error) : NULL;
}

VpnrClientSettings *
vpnr_client_settings_load(const char *path, const char *const *overrides, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_load(path, overrides, error);

	return file != NULL ? client_settings_read(file, error) : NULL;
}

VpnrServerSettings *
vpnr_server_settings_parse(const char *text, gsize n, const char *base, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_parse(text, n, base, error);

	return file != NULL ? server_settings_read(file, error) : NULL;
}

VpnrClientSettings *
vpnr_client_settings_parse(const char *text, gsize n, const char *base, GError **error)
{
	g_autoptr(VpnrKeyfile) file = vpnr_keyfile_parse(text, n, base, error);

	return file != NULL ? client_settings_read(file, error) : NULL;
}

void
vpnr_server_settings_free(VpnrServerSettings *settings)
{
	if (settings == NULL)
		return;
	vpnr_key_wipe(&settings->private_key);
	g_array_unref(settings->listen);
	g_array_unref(settings->v1_listen);
	g_ptr_array_unref(settings->clients);
	g_clear_pointer(&settings->v1_acl, vpnr_acl_unref);
	g_free(settings->control_socket);
	vpnr_confine_settings_clear(&settings->confine);
	g_free(settings);
}

void
vpnr_client_settings_free(VpnrClientSettings *settings)
{
	if (settings == NULL)
		return;
	vpnr_key_wipe(&settings->private_key);
	g_array_unref(settings->redirect);
	g_array_unref(settings->socks);
	vpnr_rules_free(settings->rules);
	g_free(settings->control_socket);
	vpnr_confine_settings_clear(&settings->confine);
	g_free(settings);
}
