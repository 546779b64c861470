/* SPDX-License-Identifier: MIT
 *
 * settings: the configuration files of client and server (man 5 vpnr.conf): GKeyFile text in, one
 * checked struct out.
 *
 * Every section, key and value is checked before anything is used; an error names file, section,
 * key and value. A relative path in a file is relative to that file. Called "settings" because
 * config.h is autoconf's.
 */
#pragma once

#include <glib.h>

#include "app/settings_confine.h"
#include "app/settings_flows.h"
#include "base/addr.h"
#include "base/key.h"
#include "capture/rules.h"
#include "proto/frame.h"
#include "server/acl.h"
#include "server/clients.h"

G_BEGIN_DECLS

#define VPNR_SETTINGS_ERROR (vpnr_settings_error_quark())
GQuark vpnr_settings_error_quark(void);

typedef enum {
	VPNR_SETTINGS_ERROR_INVALID, /* unknown or bad section, key or value */
} VpnrSettingsError;

typedef struct {
	GArray *listen;       /* VpnrAddr; empty: no VPNr/2 */
	gboolean no_ipv6;     /* listen is the default without IPv6, which the host lacks */
	VpnrKey private_key;  /* of private-key-file; needed unless listen is empty */
	char *control_socket; /* absolute path, or NULL: none */
	VpnrConfineSettings confine;
	guint max_streams;       /* per link */
	guint udp_timeout_s;     /* of a flow without a datagram */
	guint resume_timeout_s;  /* 0: a session ends with its link */
	guint64 memory_budget;   /* bytes, of the process */
	GPtrArray *clients;      /* VpnrClientEntry, sorted by name */
	GArray *v1_listen;       /* VpnrAddr; empty: no VPNr/1 */
	VpnrProtocol v1_dialect; /* VPNR_PROTOCOL_V1 or VPNR_PROTOCOL_V1_RUST */
	VpnrAcl *v1_acl;         /* NULL if v1_listen is empty */
} VpnrServerSettings;

typedef struct {
	VpnrAddr server;
	VpnrProtocol protocol;
	VpnrKey server_public_key; /* VPNr/2 */
	VpnrKey private_key;       /* VPNr/2 */
	GArray *redirect;          /* VpnrAddr */
	gboolean no_ipv6;          /* redirect is the default without IPv6, which the host lacks */
	GArray *socks;             /* VpnrAddr */
	char *control_socket;      /* absolute path, or NULL: none */
	VpnrConfineSettings confine;
	guint resume_timeout_s;  /* 0: nothing waits for a link */
	guint rotate_interval_s; /* 0: no link is replaced because of its age */
	guint links;             /* 1 to VPNR_UPLINKS_MAX */
	guint64 memory_budget;   /* bytes, of the process */
	VpnrRules *rules;        /* of [capture]; never NULL */
	VpnrFlowSettings flows;  /* of [capture] */
} VpnrClientSettings;

/* Reads the file at path and lays the overrides ("section.key=value", NULL-terminated, nullable)
 * over it. Key files are loaded too. NULL with an error. */
VpnrServerSettings *
vpnr_server_settings_load(const char *path, const char *const *overrides, GError **error);
VpnrClientSettings *
vpnr_client_settings_load(const char *path, const char *const *overrides, GError **error);

/* What loading the server's file at path would give if it had these n bytes. */
VpnrServerSettings *
vpnr_server_settings_preview(const char *path, const char *text, gsize n, GError **error);

/* The same from text, for tests and the fuzzer; base is the folder that relative paths are relative
 * to; key files are not opened (private_key stays zero). */
VpnrServerSettings *
vpnr_server_settings_parse(const char *text, gsize n, const char *base, GError **error);
VpnrClientSettings *
vpnr_client_settings_parse(const char *text, gsize n, const char *base, GError **error);

/* Wipe keys and free. Take NULL. */
void vpnr_server_settings_free(VpnrServerSettings *settings);
void vpnr_client_settings_free(VpnrClientSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrServerSettings, vpnr_server_settings_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrClientSettings, vpnr_client_settings_free)

G_END_DECLS
