/* SPDX-License-Identifier: MIT
 *
 * tls: see tls.h.
 *
 * GnuTLS reads and writes through two functions of ours. Writing: records are gathered, as
 * transport.h says. Reading: the socket is read ahead, so that a record's header and body do not
 * cost a recv(2) each.
 */
#include "link/tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "link/wire.h"

/* Bytes. Four of the largest frames: what a fast link has ready when the reader comes back. */
#define READ_AHEAD (256 * 1024)

/* Bytes that one link encrypts, since there is no KeyUpdate here: AES-GCM keeps its promises for
 * 2^24.5 records of 2^14 bytes under one key (RFC 8446, section 5.5), and what counts are its
 * blocks. 2^38 bytes are 256 GiB. */
#define PROTECTED_MAX (G_GUINT64_CONSTANT(1) << 38)

/* What a record costs of them beside its data: the block that begins it, and rounding up. */
#define RECORD_COST 32

/* AES-GCM first only where the processor has AES: gnutls orders nothing by itself, so both sides
 * name the suites and the server takes the client's order. */
#define PRIORITY_AES    "+AES-128-GCM:+CHACHA20-POLY1305"
#define PRIORITY_NO_AES "+CHACHA20-POLY1305:+AES-128-GCM"
#define PRIORITY_FORMAT                                                                            \
	"NONE:+VERS-TLS1.3:%s:+AEAD:+GROUP-X25519:+SIGN-EDDSA-ED25519:+CTYPE-CLI-RAWPK:"           \
	"+CTYPE-SRV-RAWPK"

/* RFC 8410, sections 4 and 7: the DER bytes before the 32 of the key. */
static const guint8 spki_prefix[12] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
static const guint8 pkcs8_prefix[16] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };

typedef struct {
	VpnrTransport base;
	/* const after start */
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	/* handshake only */
	const VpnrTlsParams *params; /* NULL afterwards */
	gint64 deadline;             /* base/deadline.h */
	VpnrKey peer;
	gboolean peer_seen;
	gboolean peer_authorised;
	gboolean timed_out;
	gboolean cancelled;
	/* writer thread */
	guint64 protected; /* bytes encrypted, as PROTECTED_MAX counts them */
	/* reader thread */
	guint8 *ahead;
	gsize ahead_start, ahead_end;
	int timeout_ms;      /* of this receive */
	gboolean filled;     /* bytes have come during it */
	int wire_errno;      /* of the receive that failed, or the send of a handshake; 0: none */
	gboolean wire_ended; /* the peer's side of the connection is closed */
} Tls;

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_tls_error_quark(void)
{
	return g_quark_from_static_string("vpnr-tls-error");
}

/* --- below GnuTLS ----------------------------------------------------------------------------- */

/* What fails says why by errno. What gnutls_transport_set_errno() sets belongs to the session, and
 * the writer's next record may reset it before the reader's is looked at. */

static gssize
push_bytes(gnutls_transport_ptr_t ptr, const void *bytes, size_t n)
{
	Tls *tls = ptr;

	if (tls->params == NULL) {
		g_byte_array_append(tls->base.gathered, bytes, (guint)n);
	} else if (!vpnr_wire_send(tls->base.fd, bytes, n)) {
		tls->wire_errno = errno;
		return -1;
	}
	return (gssize)n;
}

/* Milliseconds that a receive may wait now. */
static int
patience(const Tls *tls)
{
	if (tls->params != NULL)
		return vpnr_deadline_left(tls->deadline);
	return tls->filled ? 0 : tls->timeout_ms;
}

static gssize
fill_ahead(Tls *tls)
{
	gssize got = vpnr_wire_recv(&tls->base.input, tls->ahead, READ_AHEAD, patience(tls));

	if (got > 0) {
		tls->ahead_start = 0;
		tls->ahead_end = (gsize)got;
		tls->filled = TRUE;
	} else if (got == VPNR_WIRE_END) {
		tls->wire_ended = TRUE;
	} else if (got == VPNR_WIRE_FAILED) {
		tls->wire_errno = errno;
	} else {
		tls->timed_out = got == VPNR_WIRE_IDLE;
		tls->cancelled = got == VPNR_WIRE_CANCELLED;
		errno = EAGAIN;
	}
	return got;
}

static gssize
pull_bytes(gnutls_transport_ptr_t ptr, void *bytes, size_t n)
{
	Tls *tls = ptr;

	if (tls->ahead_start == tls->ahead_end) {
		gssize got = fill_ahead(tls);

		if (got <= 0)
			return got == VPNR_WIRE_END ? 0 : -1;
	}
	n = MIN(n, tls->ahead_end - tls->ahead_start);
	memcpy(bytes, tls->ahead + tls->ahead_start, n);
	tls->ahead_start += n;
	return (gssize)n;
}

/* --- the transport ---------------------------------------------------------------------------- */

/* Encrypts from where the bytes lie. */
static gboolean
tls_put(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	Tls *tls = (Tls *)transport;

	while (n > 0) {
		gssize sent = gnutls_record_send(tls->session, bytes, n);

		if (sent < 0 || tls->protected >= PROTECTED_MAX) {
			g_byte_array_set_size(transport->gathered, 0);
			return FALSE;
		}
		tls->protected += (guint64)sent + RECORD_COST;
		bytes += sent;
		n -= (gsize)sent;
	}
	return TRUE;
}

/* What the peer's fatal alert says. A client hears that its key is unknown only here, after its own
 * side of the handshake is complete. */
static const char *
alert_text(const Tls *tls)
{
	gnutls_alert_description_t alert = gnutls_alert_get(tls->session);

	if (alert == GNUTLS_A_BAD_CERTIFICATE)
		return "it does not authorise our key";
	return gnutls_alert_get_name(alert);
}

/* Why the session has failed otherwise. */
static const char *
failure_text(const Tls *tls, int err)
{
	if (tls->wire_errno != 0)
		return g_strerror(tls->wire_errno);
	if (tls->wire_ended) /* in the middle of a record or between two */
		return "the connection was lost";
	return gnutls_strerror(err);
}

static gssize
tls_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	Tls *tls = (Tls *)transport;
	gssize got;

	tls->timeout_ms = timeout_ms;
	tls->filled = tls->timed_out = FALSE;
	do {
		got = gnutls_record_recv(tls->session, bytes, n);
	} while (got == GNUTLS_E_INTERRUPTED);
	if (got >= 0) /* 0 is the peer's close_notify */
		return got;
	if (got == GNUTLS_E_AGAIN) /* also after a record that carries nothing for us */
		return tls->timed_out && !tls->filled ? VPNR_TRANSPORT_IDLE : VPNR_TRANSPORT_MORE;
	if (got == GNUTLS_E_FATAL_ALERT_RECEIVED)
		g_snprintf(transport->error, sizeof transport->error, "the peer refused: %s",
			   alert_text(tls));
	else
		g_strlcpy(transport->error, failure_text(tls, (int)got), sizeof transport->error);
	return VPNR_TRANSPORT_FAILED;
}

static void
tls_finish(VpnrTransport *transport)
{
	Tls *tls = (Tls *)transport;

	if (gnutls_bye(tls->session, GNUTLS_SHUT_WR) == GNUTLS_E_SUCCESS)
		vpnr_transport_send_gathered(transport);
	shutdown(transport->fd, SHUT_WR);
}

static void
tls_free(VpnrTransport *transport)
{
	Tls *tls = (Tls *)transport;

	if (tls->session != NULL)
		gnutls_deinit(tls->session);
	if (tls->credentials != NULL)
		gnutls_certificate_free_credentials(tls->credentials);
	g_free(tls->ahead);
	g_free(tls);
}

static const VpnrTransportClass tls_class = {
	.put = tls_put,
	.flush = vpnr_transport_send_gathered,
	.recv = tls_recv,
	.finish = tls_finish,
	.free = tls_free,
};

/* --- the handshake ---------------------------------------------------------------------------- */

/* The peer has proved to own the key in its raw-public-key certificate; is it one that we want? */
static int
verify_peer(gnutls_session_t session)
{
	Tls *tls = gnutls_session_get_ptr(session);
	unsigned int n = 0;
	const gnutls_datum_t *spki = gnutls_certificate_get_peers(session, &n);

	if (spki == NULL || n != 1 || spki->size != sizeof spki_prefix + VPNR_KEY_SIZE ||
	    memcmp(spki->data, spki_prefix, sizeof spki_prefix) != 0)
		return GNUTLS_E_CERTIFICATE_ERROR;
	memcpy(tls->peer.bytes, spki->data + sizeof spki_prefix, VPNR_KEY_SIZE);
	tls->peer_seen = TRUE;
	tls->peer_authorised = tls->params->authorise(&tls->peer, tls->params->data);
	return tls->peer_authorised ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* A KeyUpdate while both directions are busy breaks a GnuTLS session ("Decryption has failed"): end
 * it here, with an error that can be understood. */
static int
refuse_key_update(gnutls_session_t session, unsigned int type, unsigned int when,
		  unsigned int incoming, const gnutls_datum_t *message)
{
	return incoming != 0 ? GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET : 0;
}

static int
set_own_key(Tls *tls, const VpnrKey *private_key)
{
	guint8 der[sizeof pkcs8_prefix + VPNR_KEY_SIZE];
	guint8 spki[sizeof spki_prefix + VPNR_KEY_SIZE];
	gnutls_datum_t private_der = { der, sizeof der };
	gnutls_datum_t public_der = { spki, sizeof spki };
	gnutls_datum_t x = { NULL, 0 };
	gnutls_privkey_t key = NULL;
	int err;

	memcpy(der, pkcs8_prefix, sizeof pkcs8_prefix);
	memcpy(der + sizeof pkcs8_prefix, private_key->bytes, VPNR_KEY_SIZE);
	err = gnutls_privkey_init(&key);
	if (err == 0)
		err =
		    gnutls_privkey_import_x509_raw(key, &private_der, GNUTLS_X509_FMT_DER, NULL, 0);
	if (err == 0)
		err = gnutls_privkey_export_ecc_raw2(key, NULL, &x, NULL, NULL, 0);
	if (err == 0) {
		memcpy(spki, spki_prefix, sizeof spki_prefix);
		memcpy(spki + sizeof spki_prefix, x.data, MIN(x.size, VPNR_KEY_SIZE));
		err = gnutls_certificate_set_rawpk_key_mem(tls->credentials, &public_der,
							   &private_der, GNUTLS_X509_FMT_DER, NULL,
							   0, NULL, 0, 0);
	}
	gnutls_free(x.data);
	if (key != NULL)
		gnutls_privkey_deinit(key);
	gnutls_memset(der, 0, sizeof der);
	return err;
}

static gboolean
processor_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#else
	return FALSE; /* ChaCha20-Poly1305 is never slow */
#endif
}

static int
prepare_session(Tls *tls)
{
	const VpnrTlsParams *params = tls->params;
	const gnutls_datum_t alpn = { (unsigned char *)VPNR_TLS_ALPN, strlen(VPNR_TLS_ALPN) };
	unsigned int role = params->role == VPNR_ROLE_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER;
	g_autofree char *priority =
	    g_strdup_printf(PRIORITY_FORMAT, processor_has_aes() ? PRIORITY_AES : PRIORITY_NO_AES);
	int err;

	err = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (err == 0)
		err = set_own_key(tls, params->private_key);
	if (err == 0)
		err = gnutls_init(&tls->session, role | GNUTLS_ENABLE_RAWPK | GNUTLS_NO_TICKETS |
						     GNUTLS_NO_AUTO_REKEY | GNUTLS_NO_SIGNAL);
	if (err == 0)
		err = gnutls_priority_set_direct(tls->session, priority, NULL);
	if (err == 0)
		err =
		    gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
	if (err == 0)
		err = gnutls_alpn_set_protocols(tls->session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
	if (err != 0)
		return err;
	gnutls_session_set_ptr(tls->session, tls);
	gnutls_session_set_verify_function(tls->session, verify_peer);
	gnutls_certificate_server_set_request(tls->session, GNUTLS_CERT_REQUIRE);
	gnutls_handshake_set_hook_function(tls->session, GNUTLS_HANDSHAKE_KEY_UPDATE,
					   GNUTLS_HOOK_PRE, refuse_key_update);
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_push_function(tls->session, push_bytes);
	gnutls_transport_set_pull_function(tls->session, pull_bytes);
	return 0;
}

static int
shake_hands(Tls *tls)
{
	int err;

	do {
		err = gnutls_handshake(tls->session);
	} while (err < 0 && !gnutls_error_is_fatal(err) && !tls->timed_out && !tls->cancelled);
	if (err < 0 && tls->wire_errno == 0)
		gnutls_alert_send_appropriate(tls->session, err);
	return err;
}

/* GNUTLS_ALPN_MANDATORY makes a server refuse a client with other protocols, but lets one pass that
 * names none, and it does nothing on a client. */
static gboolean
alpn_agreed(Tls *tls)
{
	gnutls_datum_t alpn = { NULL, 0 };

	return gnutls_alpn_get_selected_protocol(tls->session, &alpn) == 0 &&
	       alpn.size == strlen(VPNR_TLS_ALPN) &&
	       memcmp(alpn.data, VPNR_TLS_ALPN, alpn.size) == 0;
}

static void
explain(Tls *tls, int err, GError **error)
{
	char key[VPNR_KEY_STRLEN];

	if (tls->cancelled)
		g_set_error_literal(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_CANCELLED, "cancelled");
	else if (tls->timed_out)
		g_set_error_literal(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_TIMED_OUT,
				    "no complete TLS handshake in time");
	else if (tls->peer_seen && !tls->peer_authorised)
		g_set_error(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_UNAUTHORISED,
			    "the peer's key is not authorised: %s",
			    vpnr_key_format(&tls->peer, key));
	else if (err == GNUTLS_E_FATAL_ALERT_RECEIVED)
		g_set_error(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_FAILED,
			    "the peer refused the TLS handshake: %s", alert_text(tls));
	else if (err == 0)
		g_set_error(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_FAILED,
			    "TLS handshake failed: the peer does not speak %s", VPNR_TLS_ALPN);
	else
		g_set_error(error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_FAILED,
			    "TLS handshake failed: %s", failure_text(tls, err));
}

VpnrTransport *
vpnr_tls_handshake(int fd, const VpnrTlsParams *params, VpnrKey *peer, GError **error)
{
	Tls *tls = g_new0(Tls, 1);
	g_autoptr(VpnrTransport) transport = &tls->base;
	int err;

	vpnr_transport_init(&tls->base, &tls_class, fd);
	tls->base.input.cancel_fd = params->cancel_fd;
	tls->params = params;
	tls->deadline = vpnr_deadline_after(params->timeout_ms);
	tls->ahead = g_malloc(READ_AHEAD);
	err = prepare_session(tls);
	if (err == 0)
		err = shake_hands(tls);
	if (err < 0 || !alpn_agreed(tls)) {
		explain(tls, err, error);
		return NULL;
	}
	tls->params = NULL;
	tls->base.input.cancel_fd = -1;
	if (peer != NULL)
		*peer = tls->peer;
	return g_steal_pointer(&transport);
}
