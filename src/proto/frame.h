/* SPDX-License-Identifier: MIT
 *
 * frame: the unit on the link as the program sees it, the same for every protocol version.
 *
 * A frame has one owner at a time: it is pushed from thread to thread and freed by the last. The
 * bytes of data stand behind the struct, in one allocation, and in front of them is room for the
 * header that they have on the wire, so that they can be sent from where they are.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_PROTOCOL_V1,      /* docs/protocol.md, part 1, as written in the founding README */
	VPNR_PROTOCOL_V1_RUST, /* docs/protocol.md, part 1, as the founding program speaks it */
	VPNR_PROTOCOL_V2,      /* docs/protocol.md, part 2 */
} VpnrProtocol;

typedef enum {
	VPNR_ROLE_CLIENT,
	VPNR_ROLE_SERVER,
} VpnrRole;

/* The values are those of VPNr/2 on the wire (docs/protocol.md, 2.2). VPNr/1 knows only some of
 * them. */
typedef enum {
	VPNR_FRAME_HELLO = 1,
	VPNR_FRAME_GOAWAY = 2,
	VPNR_FRAME_PING = 3,
	VPNR_FRAME_PONG = 4,
	VPNR_FRAME_ACK = 5,
	VPNR_FRAME_OPEN = 16,
	VPNR_FRAME_OPENED = 17,
	VPNR_FRAME_DATA = 18,
	VPNR_FRAME_FIN = 19,
	VPNR_FRAME_RESET = 20,
	VPNR_FRAME_WINDOW = 21,
	VPNR_FRAME_DATAGRAM = 22,
	/* Never on a VPNr/2 link. VPNr/1's FAIL, which says "refused" and "over" with one bit: what
	 * was sent before it still counts. */
	VPNR_FRAME_END = 256,
	/* Never on any link, for the writer alone. NEW_LINK: what stands before it in the mailbox
	 * was meant for an earlier link. PURGE: the stream is over, what it still had to send is
	 * not wanted any more. */
	VPNR_FRAME_NEW_LINK = 257,
	VPNR_FRAME_PURGE = 258,
} VpnrFrameType;

/* Why a stream or a link ended. The values are those of RESET and GOAWAY in VPNr/2
 * (docs/protocol.md, 2.3). */
typedef enum {
	VPNR_REASON_NONE = 0,        /* an ordinary end: GOAWAY of a peer that stops */
	VPNR_REASON_REFUSED = 1,     /* the destination refused the connection */
	VPNR_REASON_UNREACHABLE = 2, /* no route to the destination */
	VPNR_REASON_TIMED_OUT = 3,   /* the destination did not answer */
	VPNR_REASON_NOT_FOUND = 4,   /* the destination's name has no address */
	VPNR_REASON_DENIED = 5,      /* the server's access list forbids it */
	VPNR_REASON_LIMIT = 6,       /* too many streams, or no thread or descriptor left */
	VPNR_REASON_INTERNAL = 7,    /* an error that says nothing about the destination */
	VPNR_REASON_ABORTED = 8,     /* the socket at the other end was reset */
	VPNR_REASON_LINK_LOST = 9,   /* never on the wire: the stream's link has ended */
	VPNR_REASON_PROTOCOL = 10,   /* GOAWAY: the peer broke a rule */
	VPNR_REASON_REVOKED = 11, /* GOAWAY: the peer's key is another client's now, or nobody's */
} VpnrReason;

typedef enum {
	VPNR_KIND_TCP = 1,
	VPNR_KIND_UDP = 2,
} VpnrKind;

/* The name that stands for the server's own name server in an OPEN to port VPNR_RESOLVER_PORT
 * (docs/protocol.md, 2.6.17). Nobody else can have it (RFC 6761, section 6.4). */
#define VPNR_RESOLVER_NAME "resolver.invalid"
#define VPNR_RESOLVER_PORT 53

/* Data bytes of the largest DATA frame: with VPNr/2's header of 8 bytes it fills four TLS records
 * of 16 KiB. */
#define VPNR_DATA_MAX (65536 - 8)

/* Data bytes of a DATA frame in bulk. The kernel makes packets of up to 65,215 bytes, in whole
 * segments, which are cut to the segments' size as late as possible (GSO; sk_setup_caps() in
 * net/core/sock.c): 65,160 bytes where a segment has 1,448, 64,260 where it has 1,428. A frame with
 * its headers, and those of its TLS records, is to fit in one; a longer one makes a second, tiny
 * packet on the link and another one at the destination. Measured, a gigabyte takes a tenth more
 * processor time with the largest frames, and 2 % more with frames of 62,000 bytes. */
#define VPNR_DATA_BULK 64000

/* Bytes of the largest datagram: what the length field of UDP (RFC 768) has room for beside its own
 * 8 bytes. */
#define VPNR_DATAGRAM_MAX (65535 - 8)

/* Bytes of VPNr/2's header (docs/protocol.md, 2.2). */
#define VPNR_FRAME_HEADER 8

typedef struct VpnrHello VpnrHello;

typedef struct VpnrFrame {
	VpnrFrameType type;
	guint32 stream; /* 0 for frames of the whole link */
	/* Made by the reader because of what the peer sent; the link bounds how many may wait. */
	gboolean answer;
	/* RESET: its stream's DATA goes first. Otherwise it overtakes and replaces that DATA. */
	gboolean behind_data;
	/* In the inbox of a flow: it comes from this side and is for the peer (stream/flow.h). */
	gboolean outbound;
	guint32 size; /* DATA, DATAGRAM: bytes in data */
	union {
		VpnrHello *hello; /* HELLO (owned) */
		struct {
			VpnrPackedAddr *dest; /* (owned) */
			VpnrKind kind;
			guint8 priority; /* 0 is ordinary; higher goes first */
			/* VPNr/1 on the server: every frame names the destination. If the stream is
			 * open already, this is no news. */
			gboolean implied;
		} open;            /* OPEN */
		VpnrReason reason; /* RESET, GOAWAY */
		guint64 limit;     /* WINDOW: the absolute offset up to which the peer may send */
		guint64 cookie;    /* PING, PONG: the PONG repeats the PING's */
		guint64 count;     /* ACK: sequenced frames received in this session */
	};
	guint8 header[VPNR_FRAME_HEADER]; /* written by who sends the frame from here */
	guint8 data[];                    /* DATA, DATAGRAM */
} VpnrFrame;

/* A new frame with room for size bytes of data (0 unless type is DATA or DATAGRAM); size may be
 * lowered later, never raised. stream and the rest are zero. Aborts when memory is exhausted, as
 * GLib does. */
VpnrFrame *vpnr_frame_new(VpnrFrameType type, guint32 stream, gsize size);

/* Gives back the memory behind the frame's size bytes of data, and returns where the frame is now
 * (transfer full); only its owner may have pointers to it. */
VpnrFrame *vpnr_frame_trim(VpnrFrame *frame);

/* An OPEN frame of this kind to dest (copied), priority 0. */
VpnrFrame *vpnr_frame_new_open(guint32 stream, VpnrKind kind, const VpnrAddr *dest);

/* A RESET of a stream, and a WINDOW up to this absolute offset. */
VpnrFrame *vpnr_frame_new_reset(guint32 stream, VpnrReason reason);
VpnrFrame *vpnr_frame_new_window(guint32 stream, guint64 limit);

/* TRUE for the types that VPNr/2 numbers and repeats on the next link: those of streams but
 * DATAGRAM (docs/protocol.md, 2.11.1). */
gboolean vpnr_frame_is_sequenced(const VpnrFrame *frame);

/* Frees the frame and what it owns. Takes NULL. */
void vpnr_frame_free(VpnrFrame *frame);

/* "2", "1" or "1-rust", as the configuration has it (transfer none). */
const char *vpnr_protocol_name(VpnrProtocol protocol);

/* "OPEN", "DATA" ...; "?" for an unknown value (transfer none). */
const char *vpnr_frame_type_name(VpnrFrameType type);

/* "connection refused" ...: for logs and answers; "unknown reason" for an unknown value (transfer
 * none). */
const char *vpnr_reason_text(VpnrReason reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrFrame, vpnr_frame_free)

G_END_DECLS
