/* SPDX-License-Identifier: MIT
 *
 * rules: what is to be captured, as a plain value: filled from the configuration, read by the
 * generators that turn it into a rule set (nftables.h, iptables.h) and by the routing that tproxy
 * needs (routing.h).
 *
 * A connection is captured if every kind of condition that is given has one that it meets, and no
 * exclude does. What the client itself sends carries link_mark and is never captured.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "base/network.h"
#include "base/ports.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_CAPTURE_OFF,
	VPNR_CAPTURE_REDIRECT, /* TCP, by REDIRECT to a listener */
	VPNR_CAPTURE_TPROXY,   /* TCP and UDP, by TPROXY to transparent sockets */
} VpnrCaptureMode;

typedef enum {
	VPNR_BACKEND_AUTO, /* nftables if the kernel takes its rules, else iptables */
	VPNR_BACKEND_NFT,
	VPNR_BACKEND_IPTABLES,
} VpnrCaptureBackend;

/* Conditions of one sign: what to include, or what to exclude. An empty list is no condition. */
typedef struct {
	GArray *networks;   /* VpnrNetwork: of the destination */
	GArray *ports;      /* VpnrPortRange: of the destination */
	GArray *users;      /* uid_t: of the process; the host's own connections only */
	GArray *groups;     /* gid_t: likewise */
	GPtrArray *cgroups; /* char *: path below the root of cgroup v2, without a leading slash */
} VpnrRulesMatch;

typedef struct {
	VpnrCaptureMode mode;
	VpnrCaptureBackend backend;
	char *table;   /* of nftables, and the prefix of chains in iptables */
	gboolean host; /* connections that this host makes */
	gboolean dns;  /* UDP port 53 too, in both modes, wherever it goes but to loopback */
	gboolean udp;  /* UDP is carried; if not, UDP port 443 is rejected */
	gboolean kill_switch;
	VpnrRulesMatch include;
	VpnrRulesMatch exclude;
	/* The network behind this host: what comes in by one of these interfaces, or from one of
	 * these networks, is captured too. Both empty: no gateway. */
	GPtrArray *gateway_interfaces; /* char * */
	GArray *gateway_networks;      /* VpnrNetwork: of the source */
	/* Of the listeners on the loopback addresses, or on any address; 0: none of that family. */
	guint16 port4;
	guint16 port6;
	/* That listener is on any address: REDIRECT leads what comes in to the address of the
	 * interface by which it does. */
	gboolean any4;
	gboolean any6;
	guint32 link_mark;     /* of what the client sends */
	guint32 tproxy_mark;   /* of packets on their way to a transparent socket */
	guint32 route_table;   /* number of the routing table for packets with tproxy_mark */
	guint32 rule_priority; /* of the routing rule that leads there */
} VpnrRules;

/* "off", "redirect", "tproxy" (transfer none). */
const char *vpnr_capture_mode_name(VpnrCaptureMode mode);

/* Everything empty or zero; mode off. */
VpnrRules *vpnr_rules_new(void);

/* TRUE if there is a network behind this host to capture for. */
gboolean vpnr_rules_has_gateway(const VpnrRules *rules);

/* TRUE if some packets go to transparent sockets, which needs routing.h. */
gboolean vpnr_rules_need_routing(const VpnrRules *rules);

/* TRUE if there are datagrams among them. */
gboolean vpnr_rules_have_flows(const VpnrRules *rules);

/* TRUE if the client listens where the rules lead the network behind this host, if there is one. */
gboolean vpnr_rules_has_listener(const VpnrRules *rules);

/* Takes over from old what only a start can change: mode, backend, what is carried, and every
 * name and number. Returns TRUE if something of that was different. */
gboolean vpnr_rules_keep(VpnrRules *rules, const VpnrRules *old);

/* Frees it. Takes NULL. */
void vpnr_rules_free(VpnrRules *rules);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRules, vpnr_rules_free)

G_END_DECLS
