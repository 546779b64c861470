/* SPDX-License-Identifier: MIT
 *
 * tls: who is let in and who is not, what is said about it, and bytes both ways at once
 * (docs/protocol.md, 2.1).
 */
#include "link/tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/keys.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Bytes each way of a long transfer. */
#define LARGE (12 * 1024 * 1024)

/* --- sides ------------------------------------------------------------------------------------ */

/* One side of a handshake, and what came of it. */
typedef struct {
	VpnrRole role;
	int fd; /* given to the handshake */
	VpnrKey private_key;
	VpnrKey public_key;
	const VpnrKey *wanted; /* of the peer */
	int timeout_ms;
	int cancel_fd;
	_Atomic gint tid;
	VpnrTransport *transport;
	VpnrKey peer;
	GError *error;
} Side;

static gboolean
is_wanted(const VpnrKey *peer, gpointer data)
{
	const Side *side = data;

	return vpnr_key_equal(peer, side->wanted);
}

static void
side_init(Side *side, VpnrRole role)
{
	g_autoptr(GError) error = NULL;

	memset(side, 0, sizeof *side);
	side->role = role;
	side->timeout_ms = PATIENCE_MS;
	side->cancel_fd = -1;
	vpnr_keys_generate(&side->private_key, &error);
	g_assert_no_error(error);
	g_assert_true(vpnr_keys_derive_public(&side->private_key, &side->public_key, NULL));
	side->wanted = &side->public_key;
}

static void
side_clear(Side *side)
{
	vpnr_transport_free(side->transport);
	g_clear_error(&side->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

/* A client and a server that want each other. */
static void
make_sides(Side *client, Side *server)
{
	side_init(client, VPNR_ROLE_CLIENT);
	side_init(server, VPNR_ROLE_SERVER);
	client->wanted = &server->public_key;
	server->wanted = &client->public_key;
	loopback_pair(&client->fd, &server->fd);
	loopback_set_blocking(server->fd, FALSE);
}

static void
shake(gpointer data)
{
	Side *side = data;
	VpnrTlsParams params = { .role = side->role,
				 .private_key = &side->private_key,
				 .authorise = is_wanted,
				 .data = side,
				 .timeout_ms = side->timeout_ms,
				 .cancel_fd = side->cancel_fd };

	atomic_store(&side->tid, gettid());
	side->transport =
	    vpnr_tls_handshake(vpnr_fd_steal(&side->fd), &params, &side->peer, &side->error);
}

static void
shake_both(Side *client, Side *server)
{
	VpnrThread *thread = vpnr_thread_start("server", shake, server, NULL);

	shake(client);
	vpnr_thread_join(thread);
}

static void
connect_sides(Side *client, Side *server)
{
	make_sides(client, server);
	shake_both(client, server);
	g_assert_no_error(client->error);
	g_assert_no_error(server->error);
}

/* The side has no transport, an error with this code, and a message with this in it. */
static void
assert_refused(const Side *side, gint code, const char *text)
{
	g_assert_null(side->transport);
	g_assert_error(side->error, VPNR_TLS_ERROR, code);
	if (strstr(side->error->message, text) == NULL)
		g_error("\"%s\" is not in \"%s\"", text, side->error->message);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void
test_right_keys(void)
{
	g_auto(Side) client;
	g_auto(Side) server;
	guint8 bytes[10];

	connect_sides(&client, &server);
	g_assert_true(vpnr_key_equal(&client.peer, &server.public_key));
	g_assert_true(vpnr_key_equal(&server.peer, &client.public_key));
	g_assert_true(vpnr_transport_send(client.transport, (const guint8 *)"hello", 5));
	g_assert_cmpint(vpnr_transport_recv(server.transport, bytes, 10, -1), ==, 5);
	g_assert_cmpmem(bytes, 5, "hello", 5);
	g_assert_true(vpnr_transport_send(server.transport, (const guint8 *)"world", 5));
	g_assert_cmpint(vpnr_transport_recv(client.transport, bytes, 10, -1), ==, 5);
	g_assert_cmpmem(bytes, 5, "world", 5);
}

static void
test_wrong_server(void)
{
	g_test_summary("2.1.4: the client quotes the key of a server that is not the one; the "
		       "server hears why.");

	g_auto(Side) client;
	g_auto(Side) server;
	char key[VPNR_KEY_STRLEN];

	make_sides(&client, &server);
	client.wanted = &client.public_key;
	shake_both(&client, &server);
	assert_refused(&client, VPNR_TLS_ERROR_UNAUTHORISED,
		       vpnr_key_format(&server.public_key, key));
	assert_refused(&server, VPNR_TLS_ERROR_FAILED, "it does not authorise our key");
}

static void
test_wrong_client(void)
{
	g_test_summary("2.1.4: the same the other way round; the client's own side is complete "
		       "before it hears.");

	g_auto(Side) client;
	g_auto(Side) server;
	char key[VPNR_KEY_STRLEN];
	guint8 byte;

	make_sides(&client, &server);
	server.wanted = &server.public_key;
	shake_both(&client, &server);
	assert_refused(&server, VPNR_TLS_ERROR_UNAUTHORISED,
		       vpnr_key_format(&client.public_key, key));
	g_assert_no_error(client.error);
	g_assert_cmpint(vpnr_transport_recv(client.transport, &byte, 1, -1), ==,
			VPNR_TRANSPORT_FAILED);
	g_assert_cmpstr(vpnr_transport_error(client.transport), ==,
			"the peer refused: it does not authorise our key");
}

/* --- peers of another make -------------------------------------------------------------------- */

#define PRIORITY                                                                                   \
	"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-ECDSA:"       \
	"+GROUP-X25519:+SIGN-EDDSA-ED25519:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"

/* A peer made of plain GnuTLS, that can be wrong in ways in which we never are. */
typedef struct {
	int fd;
	unsigned int role; /* GNUTLS_CLIENT or GNUTLS_SERVER */
	const char *priority;
	const char *alpn; /* nullable */
	gboolean has_key;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	int result; /* of the handshake */
} Raw;

static void
raw_set_key(Raw *raw)
{
	gnutls_x509_privkey_t x509 = NULL;
	gnutls_privkey_t private_key = NULL;
	gnutls_pubkey_t public_key = NULL;
	gnutls_datum_t spki = { NULL, 0 }, pkcs8 = { NULL, 0 };

	g_assert_cmpint(gnutls_x509_privkey_init(&x509), ==, 0);
	g_assert_cmpint(gnutls_x509_privkey_generate(x509, GNUTLS_PK_EDDSA_ED25519, 256, 0), ==, 0);
	g_assert_cmpint(gnutls_x509_privkey_export2_pkcs8(x509, GNUTLS_X509_FMT_DER, NULL,
							  GNUTLS_PKCS_PLAIN, &pkcs8),
			==, 0);
	g_assert_cmpint(gnutls_privkey_init(&private_key), ==, 0);
	g_assert_cmpint(gnutls_privkey_import_x509(private_key, x509, 0), ==, 0);
	g_assert_cmpint(gnutls_pubkey_init(&public_key), ==, 0);
	g_assert_cmpint(gnutls_pubkey_import_privkey(public_key, private_key, 0, 0), ==, 0);
	g_assert_cmpint(gnutls_pubkey_export2(public_key, GNUTLS_X509_FMT_DER, &spki), ==, 0);
	g_assert_cmpint(gnutls_certificate_set_rawpk_key_mem(raw->credentials, &spki, &pkcs8,
							     GNUTLS_X509_FMT_DER, NULL, 0, NULL, 0,
							     0),
			==, 0);
	gnutls_free(spki.data);
	gnutls_free(pkcs8.data);
	gnutls_pubkey_deinit(public_key);
	gnutls_privkey_deinit(private_key);
	gnutls_x509_privkey_deinit(x509);
}

/* A right client: change what is to be wrong, then raw_start(). */
static Raw
make_raw(void)
{
	return (Raw){
		.role = GNUTLS_CLIENT, .priority = PRIORITY, .alpn = VPNR_TLS_ALPN, .has_key = TRUE
	};
}

static void
raw_prepare(Raw *raw)
{
	gnutls_datum_t alpn = { (unsigned char *)raw->alpn, 0 };

	g_assert_cmpint(gnutls_certificate_allocate_credentials(&raw->credentials), ==, 0);
	if (raw->has_key)
		raw_set_key(raw);
	g_assert_cmpint(gnutls_init(&raw->session,
				    raw->role | GNUTLS_ENABLE_RAWPK | GNUTLS_NO_SIGNAL),
			==, 0);
	g_assert_cmpint(gnutls_priority_set_direct(raw->session, raw->priority, NULL), ==, 0);
	gnutls_credentials_set(raw->session, GNUTLS_CRD_CERTIFICATE, raw->credentials);
	if (raw->alpn != NULL) {
		alpn.size = (unsigned int)strlen(raw->alpn);
		gnutls_alpn_set_protocols(raw->session, &alpn, 1, 0);
	}
	gnutls_transport_set_int(raw->session, raw->fd);
}

static void
raw_shake(gpointer data)
{
	Raw *raw = data;

	do {
		raw->result = gnutls_handshake(raw->session);
	} while (raw->result < 0 && !gnutls_error_is_fatal(raw->result));
}

static void
raw_clear(Raw *raw)
{
	gnutls_deinit(raw->session);
	gnutls_certificate_free_credentials(raw->credentials);
	vpnr_fd_close(raw->fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Raw, raw_clear)

/* Wants whatever key the other side has. */
static gboolean
is_any(const VpnrKey *peer, gpointer data)
{
	return TRUE;
}

/* Shakes hands between the raw peer and a side of ours in the other role. */
static void
shake_with_raw(Raw *raw, Side *side)
{
	VpnrThread *thread;
	VpnrTlsParams params = { .authorise = is_any, .timeout_ms = PATIENCE_MS, .cancel_fd = -1 };
	int fd;

	side_init(side, raw->role == GNUTLS_CLIENT ? VPNR_ROLE_SERVER : VPNR_ROLE_CLIENT);
	params.role = side->role;
	params.private_key = &side->private_key;
	loopback_pair(&fd, &raw->fd);
	raw_prepare(raw);
	thread = vpnr_thread_start("raw", raw_shake, raw, NULL);
	g_assert_nonnull(thread);
	side->transport = vpnr_tls_handshake(fd, &params, NULL, &side->error);
	vpnr_thread_join(thread);
}

static void
test_raw(void)
{
	g_test_summary("The raw peers below are refused for what is wrong with them: a right one "
		       "is not.");

	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;

	shake_with_raw(&raw, &server);
	g_assert_no_error(server.error);
	g_assert_cmpint(raw.result, ==, 0);
	g_assert_cmpint(gnutls_protocol_get_version(raw.session), ==, GNUTLS_TLS1_3);
}

static void
test_other_alpn(void)
{
	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;

	raw.alpn = "h2";
	shake_with_raw(&raw, &server);
	assert_refused(&server, VPNR_TLS_ERROR_FAILED, "TLS handshake failed");
	g_assert_cmpint(raw.result, <, 0);
}

static void
test_no_alpn(void)
{
	g_auto(Raw) client = make_raw();
	g_auto(Raw) server = make_raw();
	g_auto(Side) our_server;
	g_auto(Side) our_client;

	client.alpn = NULL;
	shake_with_raw(&client, &our_server);
	assert_refused(&our_server, VPNR_TLS_ERROR_FAILED, "does not speak vpnr/2");

	server.alpn = NULL;
	server.role = GNUTLS_SERVER;
	shake_with_raw(&server, &our_client);
	assert_refused(&our_client, VPNR_TLS_ERROR_FAILED, "does not speak vpnr/2");
}

static void
test_no_client_key(void)
{
	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;

	raw.has_key = FALSE;
	shake_with_raw(&raw, &server);
	assert_refused(&server, VPNR_TLS_ERROR_FAILED, "TLS handshake failed");
}

static void
test_old_tls(void)
{
	g_test_summary("2.1.2: TLS 1.2 is refused.");

	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;

	raw.priority = "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+ECDHE-ECDSA:+GROUP-X25519:"
		       "+SIGN-EDDSA-ED25519:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK";
	shake_with_raw(&raw, &server);
	assert_refused(&server, VPNR_TLS_ERROR_FAILED, "TLS handshake failed");
	g_assert_cmpint(raw.result, <, 0);
}

static void
test_key_update(void)
{
	g_test_summary("A peer's KeyUpdate ends the link, and what came before it counts.");

	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;
	guint8 bytes[10];

	shake_with_raw(&raw, &server);
	g_assert_no_error(server.error);
	g_assert_cmpint(gnutls_record_send(raw.session, "before", 6), ==, 6);
	g_assert_cmpint(gnutls_session_key_update(raw.session, 0), ==, 0);
	g_assert_cmpint(gnutls_record_send(raw.session, "after", 5), ==, 5);
	g_assert_cmpint(vpnr_transport_recv(server.transport, bytes, 10, -1), ==, 6);
	g_assert_cmpint(vpnr_transport_recv(server.transport, bytes, 10, -1), ==,
			VPNR_TRANSPORT_FAILED);
	g_assert_cmpstr(vpnr_transport_error(server.transport), !=, "");
}

/* --- peers that are none ---------------------------------------------------------------------- */

static void
test_silent(void)
{
	for (VpnrRole role = VPNR_ROLE_CLIENT; role <= VPNR_ROLE_SERVER; role++) {
		g_auto(Side) side;
		g_auto(VpnrFd) theirs = -1;
		gint64 start = g_get_monotonic_time();

		side_init(&side, role);
		side.timeout_ms = 30;
		loopback_pair(&side.fd, &theirs);
		shake(&side);
		assert_refused(&side, VPNR_TLS_ERROR_TIMED_OUT, "TLS handshake");
		g_assert_cmpint(g_get_monotonic_time() - start, >=, 30 * 1000);
	}
}

static void
test_silent_in_the_middle(void)
{
	g_test_summary("Bytes do not lengthen the time: the whole handshake has it.");

	g_auto(Side) server;
	g_auto(VpnrFd) theirs = -1;
	const guint8 header[] = { 22, 3, 1, 1, 0, 1, 0, 0, 252 }; /* of a ClientHello */

	side_init(&server, VPNR_ROLE_SERVER);
	server.timeout_ms = 30;
	loopback_pair(&server.fd, &theirs);
	loopback_send(theirs, header, sizeof header);
	shake(&server);
	assert_refused(&server, VPNR_TLS_ERROR_TIMED_OUT, "TLS handshake");
}

static void
test_cancelled(void)
{
	g_auto(Side) server;
	g_auto(VpnrFd) theirs = -1;
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);
	VpnrThread *thread;

	side_init(&server, VPNR_ROLE_SERVER);
	server.cancel_fd = vpnr_latch_fd(latch);
	loopback_pair(&server.fd, &theirs);
	thread = vpnr_thread_start("server", shake, &server, NULL);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&server.tid) == 0 || !thread_sleeps(atomic_load(&server.tid));
	     patience(start))
		;
	vpnr_latch_trip(latch);
	vpnr_thread_join(thread);
	assert_refused(&server, VPNR_TLS_ERROR_CANCELLED, "cancelled");
	loopback_expect_end(theirs);
}

static void
test_gone(void)
{
	g_auto(Side) server;
	g_auto(VpnrFd) theirs = -1;

	side_init(&server, VPNR_ROLE_SERVER);
	loopback_pair(&server.fd, &theirs);
	vpnr_fd_close(vpnr_fd_steal(&theirs));
	shake(&server);
	assert_refused(&server, VPNR_TLS_ERROR_FAILED,
		       "TLS handshake failed: the connection was lost");
}

static void
test_reset(void)
{
	for (VpnrRole role = VPNR_ROLE_CLIENT; role <= VPNR_ROLE_SERVER; role++) {
		g_auto(Side) side;
		g_auto(VpnrFd) theirs = -1;

		side_init(&side, role);
		loopback_pair(&side.fd, &theirs);
		vpnr_fd_abort(vpnr_fd_steal(&theirs));
		shake(&side);
		assert_refused(&side, VPNR_TLS_ERROR_FAILED,
			       "TLS handshake failed: Connection reset by peer");
	}
}

static void
test_garbage(void)
{
	g_test_summary("Random bytes, some behind the header of a handshake record, in both "
		       "roles.");

	for (guint i = 0; i < 400; i++) {
		g_auto(Side) side;
		g_auto(VpnrFd) theirs = -1;
		guint8 bytes[400];
		gsize n = (gsize)g_test_rand_int_range(1, sizeof bytes + 1);

		for (gsize j = 0; j < n; j++)
			bytes[j] = (guint8)g_test_rand_int();
		if (i % 4 < 2 && n > 9)
			memcpy(bytes, (const guint8[]){ 22, 3, 3, 0, 100, i % 4 + 1, 0, 0, 96 }, 9);
		side_init(&side, i % 2 == 0 ? VPNR_ROLE_CLIENT : VPNR_ROLE_SERVER);
		loopback_pair(&side.fd, &theirs);
		loopback_send(theirs, bytes, n);
		g_assert_cmpint(shutdown(theirs, SHUT_WR), ==, 0);
		shake(&side);
		assert_refused(&side, VPNR_TLS_ERROR_FAILED, "TLS handshake");
	}
}

/* --- the transport ---------------------------------------------------------------------------- */

static void
test_end(void)
{
	g_test_summary("2.1.9: close_notify is an end in order; a connection that just ends is "
		       "none.");

	g_auto(Side) client;
	g_auto(Side) server;
	guint8 byte;

	connect_sides(&client, &server);
	g_assert_cmpint(vpnr_transport_recv(client.transport, &byte, 1, 0), ==,
			VPNR_TRANSPORT_IDLE);
	vpnr_transport_finish(server.transport);
	g_assert_cmpint(vpnr_transport_recv(client.transport, &byte, 1, -1), ==,
			VPNR_TRANSPORT_END);
	g_assert_true(vpnr_transport_send(client.transport, (const guint8 *)"x", 1));
	g_assert_cmpint(vpnr_transport_recv(server.transport, &byte, 1, -1), ==, 1);
	g_assert_cmpint(shutdown(client.transport->fd, SHUT_WR), ==, 0);
	g_assert_cmpint(vpnr_transport_recv(server.transport, &byte, 1, -1), ==,
			VPNR_TRANSPORT_FAILED);
	g_assert_cmpstr(vpnr_transport_error(server.transport), !=, "");
}

static void
test_put(void)
{
	g_test_summary("What is put is encrypted at once, so that the caller may change it, and "
		       "leaves with the flush, in records of 16 KiB.");

	g_auto(Side) client;
	g_auto(Side) server;
	const gsize n = 50000; /* three records, and a part of one */
	g_autofree guint8 *bytes = g_malloc(n);
	g_autofree guint8 *got = g_malloc(n);
	gsize received = 0;

	connect_sides(&client, &server);
	pattern_fill(bytes, 0, n);
	g_assert_true(vpnr_transport_put(client.transport, bytes, 1));
	g_assert_true(vpnr_transport_put(client.transport, bytes + 1, n - 1));
	memset(bytes, 0, n);
	g_assert_cmpint(vpnr_transport_recv(server.transport, got, n, 0), ==, VPNR_TRANSPORT_IDLE);
	g_assert_true(vpnr_transport_flush(client.transport));
	for (guint i = 0; received < n;) {
		static const gssize records[] = { 1, 16384, 16384, 16384, 847 };
		gssize record = vpnr_transport_recv(server.transport, got + received, n - received,
						    PATIENCE_MS);

		if (record == VPNR_TRANSPORT_MORE)
			continue;
		g_assert_cmpuint(i, <, G_N_ELEMENTS(records));
		g_assert_cmpint(record, ==, records[i++]);
		received += (gsize)record;
	}
	g_assert_true(pattern_matches(got, 0, n));
}

static void
test_parts(void)
{
	g_test_summary("2.8.4: a part of a record is not nothing, and is not waited on a second "
		       "time.");

	g_auto(Side) client;
	g_auto(Side) server;
	guint8 bytes[100], got[100];
	const GByteArray *record;

	connect_sides(&client, &server);
	pattern_fill(bytes, 0, sizeof bytes);
	g_assert_true(vpnr_transport_put(client.transport, bytes, sizeof bytes));
	record = client.transport->gathered;
	loopback_send(client.transport->fd, record->data, 50);
	g_assert_cmpint(vpnr_transport_recv(server.transport, got, sizeof got, -1), ==,
			VPNR_TRANSPORT_MORE);
	g_assert_cmpint(vpnr_transport_recv(server.transport, got, sizeof got, 0), ==,
			VPNR_TRANSPORT_IDLE);
	loopback_send(client.transport->fd, record->data + 50, record->len - 50);
	g_assert_cmpint(vpnr_transport_recv(server.transport, got, sizeof got, -1), ==, sizeof got);
	g_assert_true(pattern_matches(got, 0, sizeof got));
}

static void
test_records_without_data(void)
{
	g_test_summary("2.1.6: what is behind a record that carries nothing has been read with it, "
		       "so who waited for the socket would wait in vain.");

	g_auto(Raw) raw = make_raw();
	g_auto(Side) server;
	guint8 byte;

	shake_with_raw(&raw, &server);
	g_assert_no_error(server.error);
	for (guint i = 0; i < 2; i++)
		g_assert_cmpint(gnutls_record_send2(raw.session, "", 0, 1, 0), ==, 0);
	g_assert_cmpint(gnutls_record_send(raw.session, "x", 1), ==, 1);
	for (guint i = 0; i < 2; i++)
		g_assert_cmpint(vpnr_transport_recv(server.transport, &byte, 1, 0), ==,
				VPNR_TRANSPORT_MORE);
	g_assert_cmpint(vpnr_transport_recv(server.transport, &byte, 1, 0), ==, 1);
}

/* The peer does not want any of these records. */
static void
encrypt_many(gpointer data)
{
	VpnrTransport *transport = data;

	for (guint i = 0; i < 200000; i++) {
		g_assert_true(vpnr_transport_put(transport, (const guint8 *)"x", 1));
		g_byte_array_set_size(transport->gathered, 0);
	}
	vpnr_transport_shut(transport);
}

static void
test_idle_while_sending(void)
{
	g_test_summary("A receive that finds nothing does not take it for a failure because the "
		       "other thread encrypts just then.");

	g_auto(Side) client;
	g_auto(Side) server;
	VpnrThread *thread;
	gssize got;
	guint8 byte;

	connect_sides(&client, &server);
	thread = vpnr_thread_start("writer", encrypt_many, client.transport, NULL);
	g_assert_nonnull(thread);
	do {
		errno = 0;
		got = vpnr_transport_recv(client.transport, &byte, 1, 0);
	} while (got == VPNR_TRANSPORT_IDLE);
	vpnr_thread_join(thread);
	g_assert_cmpint(got, ==, VPNR_TRANSPORT_FAILED);
	g_assert_cmpstr(vpnr_transport_error(client.transport), ==, "the connection was lost");
}

/* A thread that sends or receives LARGE bytes. */
typedef struct {
	VpnrTransport *transport;
	guint64 offset; /* in the pattern, so that the two directions differ */
} Transfer;

static void
send_large(gpointer data)
{
	const Transfer *transfer = data;
	const gsize most = 150000; /* more than a batch of the writer */
	g_autofree guint8 *bytes = g_malloc(most);
	gsize sent = 0;

	for (gsize n = 1; sent < LARGE; n = n * 7 % most + 1) {
		n = MIN(n, LARGE - sent);
		pattern_fill(bytes, transfer->offset + sent, n);
		g_assert_true(vpnr_transport_send(transfer->transport, bytes, n));
		sent += n;
	}
}

static void
receive_large(gpointer data)
{
	const Transfer *transfer = data;
	guint8 bytes[20000];
	gsize received = 0;

	while (received < LARGE) {
		gssize got =
		    vpnr_transport_recv(transfer->transport, bytes, sizeof bytes, PATIENCE_MS);

		if (got == VPNR_TRANSPORT_MORE)
			continue;
		g_assert_cmpint(got, >, 0);
		g_assert_true(pattern_matches(bytes, transfer->offset + received, (gsize)got));
		received += (gsize)got;
	}
	g_assert_cmpuint(received, ==, LARGE);
}

static void
test_both_ways_at_once(void)
{
	g_test_summary("One thread sends while another receives, on both sides.");

	g_auto(Side) client;
	g_auto(Side) server;
	Transfer up[2], down[2];
	VpnrThread *threads[4];

	connect_sides(&client, &server);
	up[0] = (Transfer){ client.transport, 0 };
	up[1] = (Transfer){ server.transport, 0 };
	down[0] = (Transfer){ server.transport, 1u << 30 };
	down[1] = (Transfer){ client.transport, 1u << 30 };
	threads[0] = vpnr_thread_start("c-writer", send_large, &up[0], NULL);
	threads[1] = vpnr_thread_start("s-reader", receive_large, &up[1], NULL);
	threads[2] = vpnr_thread_start("s-writer", send_large, &down[0], NULL);
	threads[3] = vpnr_thread_start("c-reader", receive_large, &down[1], NULL);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		vpnr_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tls/right-keys", test_right_keys);
	g_test_add_func("/tls/wrong-server", test_wrong_server);
	g_test_add_func("/tls/wrong-client", test_wrong_client);
	g_test_add_func("/tls/raw", test_raw);
	g_test_add_func("/tls/raw/other-alpn", test_other_alpn);
	g_test_add_func("/tls/raw/no-alpn", test_no_alpn);
	g_test_add_func("/tls/raw/no-client-key", test_no_client_key);
	g_test_add_func("/tls/raw/old-tls", test_old_tls);
	g_test_add_func("/tls/raw/key-update", test_key_update);
	g_test_add_func("/tls/silent", test_silent);
	g_test_add_func("/tls/silent/in-the-middle", test_silent_in_the_middle);
	g_test_add_func("/tls/cancelled", test_cancelled);
	g_test_add_func("/tls/gone", test_gone);
	g_test_add_func("/tls/reset", test_reset);
	g_test_add_func("/tls/garbage", test_garbage);
	g_test_add_func("/tls/end", test_end);
	g_test_add_func("/tls/put", test_put);
	g_test_add_func("/tls/parts", test_parts);
	g_test_add_func("/tls/idle-while-sending", test_idle_while_sending);
	g_test_add_func("/tls/records-without-data", test_records_without_data);
	g_test_add_func("/tls/both-ways-at-once", test_both_ways_at_once);
	return g_test_run();
}
