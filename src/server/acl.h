/* SPDX-License-Identifier: MIT
 *
 * acl: which destinations a client may reach: allow and deny by network, port and name.
 *
 * An entry is NETWORK, NETWORK:PORTS, NAME or NAME:PORTS; PORTS is one port or FROM-TO; NAME may
 * start with "*." and then means every name below it; an IPv6 network with ports stands in
 * brackets: [2001:db8::/32]:443.
 *
 * The rules, in this order, for a destination with the address that the server would connect to:
 * 1. a deny entry matches the name that was asked for or the address: denied;
 * 2. the address lies in a guarded network (loopback, link-local with the cloud's metadata service,
 *    multicast, broadcast, unspecified, and their IPv6 twins): denied, unless an allow entry is a
 *    network inside that guarded network and matches: 0.0.0.0/0 does not open 127.0.0.1,
 *    127.0.0.0/8 and 127.0.0.1 do;
 * 3. an allow entry matches the name or the address: allowed;
 * 4. denied.
 *
 * An ACL is constant after vpnr_acl_new() and may be read by all threads; it is reference-counted,
 * because a reload replaces it while streams still ask.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef struct VpnrAcl VpnrAcl;

#define VPNR_ACL_ERROR (vpnr_acl_error_quark())
GQuark vpnr_acl_error_quark(void);

typedef enum {
	VPNR_ACL_ERROR_INVALID, /* an entry is of no known form; the message quotes it */
} VpnrAclError;

/* Parses two NULL-terminated lists of entries, each nullable: no allow list allows every network
 * and name (guarded ones stay closed); no deny list denies nothing. NULL with an error. The result
 * has one reference. */
VpnrAcl *vpnr_acl_new(const char *const *allow, const char *const *deny, GError **error);

VpnrAcl *vpnr_acl_ref(VpnrAcl *acl);

/* Takes NULL. */
void vpnr_acl_unref(VpnrAcl *acl);

/* TRUE if a connection that was asked for as dest (a name or an address) may go to addr (IPv4 or
 * IPv6, with its port). */
gboolean vpnr_acl_allows(const VpnrAcl *acl, const VpnrAddr *dest, const VpnrAddr *addr);

/* TRUE if a deny entry matches the name and port of dest: for a name that stands for no address of
 * its own (docs/protocol.md, 2.6.17). */
gboolean vpnr_acl_denies_name(const VpnrAcl *acl, const VpnrAddr *dest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrAcl, vpnr_acl_unref)

G_END_DECLS
