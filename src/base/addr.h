/* SPDX-License-Identifier: MIT
 *
 * addr: where a connection goes: an IPv4 or IPv6 address or a name, with a port.
 *
 * VpnrAddr is a plain value: copy it, put it in arrays. No function here asks the network; names
 * are resolved by resolve.h.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/* The longest name, without the final NUL (RFC 1035, section 2.3.4: 255 octets on the wire, which
 * is 253 characters of text). */
#define VPNR_NAME_MAX 253

/* Room for "[name-or-address]:port" and its NUL. */
#define VPNR_ADDR_STRLEN (VPNR_NAME_MAX + 2 + 6 + 1)

typedef enum {
	VPNR_ADDR_NONE,
	VPNR_ADDR_IPV4,
	VPNR_ADDR_IPV6,
	VPNR_ADDR_NAME,
} VpnrAddrType;

typedef struct {
	VpnrAddrType type;
	guint16 port; /* host byte order */
	union {
		guint8 ip4[4];                /* network byte order */
		guint8 ip6[16];               /* network byte order */
		char name[VPNR_NAME_MAX + 1]; /* NUL-terminated, no final dot */
	};
} VpnrAddr;

/* An address in no more bytes than it needs, for what lives long and there is much of. Freed by
 * g_free(). */
typedef struct VpnrPackedAddr VpnrPackedAddr;

#define VPNR_ADDR_ERROR (vpnr_addr_error_quark())
GQuark vpnr_addr_error_quark(void);

typedef enum {
	VPNR_ADDR_ERROR_INVALID, /* the text is no address of the wanted form */
} VpnrAddrError;

/* Parses "192.0.2.1:80", "[2001:db8::1]:80" or "name:80". Without a port default_port is taken; 0
 * means that the port is required. Port 0 in the text is refused. On failure the error quotes the
 * text. */
gboolean vpnr_addr_parse(const char *text, guint16 default_port, VpnrAddr *addr, GError **error);

/* TRUE if the n bytes are a name that may be looked up: 1 to VPNR_NAME_MAX letters, digits, '-',
 * '_' and '.', no empty label, no label above 63 bytes, the last label not all digits (it would be
 * a mistyped address). One final dot is accepted. (RFC 1123, section 2.1, plus the underscore that
 * is found in practice.) */
gboolean vpnr_name_is_valid(const char *name, gsize n);

/* Makes an address from the n bytes of a host, a literal (IPv6 without brackets) or a name, and a
 * port; FALSE if it is neither. A final dot of a name is dropped; an IPv4-mapped IPv6 address
 * becomes IPv4. */
gboolean vpnr_addr_from_host(const char *host, gsize n, guint16 port, VpnrAddr *addr);

/* Writes the form that vpnr_addr_parse() reads; "none" for VPNR_ADDR_NONE. Returns buf. */
const char *vpnr_addr_format(const VpnrAddr *addr, char buf[static VPNR_ADDR_STRLEN]);

/* The same address, packed (transfer full), and back. NULL is VPNR_ADDR_NONE. */
VpnrPackedAddr *vpnr_addr_pack(const VpnrAddr *addr);
VpnrAddr vpnr_addr_unpack(const VpnrPackedAddr *packed);

/* TRUE if type, address (names: without regard to case) and port are the same. */
gboolean vpnr_addr_equal(const VpnrAddr *a, const VpnrAddr *b);

/* TRUE for 0.0.0.0 and [::], whatever the port: all addresses of their family. */
gboolean vpnr_addr_is_wildcard(const VpnrAddr *addr);

/* A hash (for GHashTable) that is the same for addresses that are equal. */
guint vpnr_addr_hash(const VpnrAddr *addr);

/* From a sockaddr of AF_INET or AF_INET6; an IPv4-mapped IPv6 address becomes IPv4. Others give
 * VPNR_ADDR_NONE. */
VpnrAddr vpnr_addr_from_sockaddr(const struct sockaddr *sa);

/* Fills ss from an IPv4 or IPv6 address and returns the length to pass to connect() or bind(); 0
 * for others. */
socklen_t vpnr_addr_to_sockaddr(const VpnrAddr *addr, struct sockaddr_storage *ss);

G_END_DECLS
