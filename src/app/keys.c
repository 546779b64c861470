/* SPDX-License-Identifier: MIT
 *
 * keys: makes Ed25519 keys by GnuTLS and reads them from files. Called by main and by vpnrctl.
 */
#include "app/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Bytes of a key file that are looked at: a key, white space around it, and room to see that there
 * is more than one line. */
#define FILE_MAX 128

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_keys_error_quark(void)
{
	return g_quark_from_static_string("vpnr-keys-error");
}

static void
set_gnutls_error(GError **error, const char *what, int code)
{
	g_set_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_FAILED, "%s: %s", what,
		    gnutls_strerror(code));
}

/* An Ed25519 private key is 32 random bytes and nothing else (RFC 8032, section 5.1.5). */
gboolean
vpnr_keys_generate(VpnrKey *private_key, GError **error)
{
	int code = gnutls_rnd(GNUTLS_RND_KEY, private_key->bytes, VPNR_KEY_SIZE);

	if (code < 0) {
		set_gnutls_error(error, "cannot generate a key", code);
		return FALSE;
	}
	return TRUE;
}

/* gnutls_privkey_import_ecc_raw() wants the public key too and believes what it is given; only the
 * import of PKCS #8 derives it. The 16 bytes are the constant head of that form (RFC 8410,
 * section 7): version 0, id-Ed25519, an OCTET STRING in an OCTET STRING. */
static int
import_private(gnutls_privkey_t privkey, const VpnrKey *key)
{
	guint8 der[16 + VPNR_KEY_SIZE] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
	const gnutls_datum_t datum = { der, sizeof der };

	memcpy(der + 16, key->bytes, VPNR_KEY_SIZE);
	int code = gnutls_privkey_import_x509_raw(privkey, &datum, GNUTLS_X509_FMT_DER, NULL, 0);
	explicit_bzero(der, sizeof der);
	return code;
}

static int
export_public(gnutls_privkey_t privkey, VpnrKey *key)
{
	gnutls_datum_t x = { NULL, 0 };
	int code = gnutls_privkey_export_ecc_raw(privkey, NULL, &x, NULL, NULL);

	if (code == 0 && x.size == VPNR_KEY_SIZE)
		memcpy(key->bytes, x.data, VPNR_KEY_SIZE);
	else if (code == 0)
		code = GNUTLS_E_INTERNAL_ERROR;
	gnutls_free(x.data);
	return code;
}

gboolean
vpnr_keys_derive_public(const VpnrKey *private_key, VpnrKey *public_key, GError **error)
{
	gnutls_privkey_t privkey;
	int code = gnutls_privkey_init(&privkey);

	if (code == 0) {
		code = import_private(privkey, private_key);
		if (code == 0)
			code = export_public(privkey, public_key);
		gnutls_privkey_deinit(privkey);
	}
	if (code < 0) {
		set_gnutls_error(error, "cannot derive the public key", code);
		return FALSE;
	}
	return TRUE;
}

static gboolean
set_errno_error(GError **error, const char *path, const char *what)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "%s: %s: %s", path, what,
		    g_strerror(code));
	return FALSE;
}

gboolean
vpnr_keys_mode_is_safe(mode_t mode)
{
	return (mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Looks at the open file, not at the path, which might be another file by the time it is opened. */
static gboolean
check_file(int fd, const char *path, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return set_errno_error(error, path, "cannot look at the private key");
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR; /* mode 0600 would not make it a key, as the next error has it */
		return set_errno_error(error, path, "cannot read the private key");
	}
	if (!S_ISREG(st.st_mode)) {
		g_set_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_INVALID,
			    "%s: not a private key: it is no regular file", path);
		return FALSE;
	}
	if (!vpnr_keys_mode_is_safe(st.st_mode)) {
		g_set_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_PERMISSION,
			    "%s: a private key with mode %04o lets others in, make it 0600", path,
			    (unsigned)st.st_mode & 07777);
		return FALSE;
	}
	return TRUE;
}

/* Fills buf, which has room for size bytes, as far as the file goes; its length, or -1. */
static gssize
read_some(int fd, char *buf, gsize size)
{
	gsize n = 0;

	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (gsize)got;
	}
	return (gssize)n;
}

gboolean
vpnr_keys_read_private(int fd, const char *name, VpnrKey *private_key, GError **error)
{
	char text[FILE_MAX + 1];
	gssize n = read_some(fd, text, FILE_MAX);

	if (n < 0)
		return set_errno_error(error, name, "cannot read the private key");
	text[n] = '\0';
	gboolean valid = n < FILE_MAX && memchr(text, '\0', (gsize)n) == NULL &&
			 vpnr_key_parse(g_strstrip(text), private_key);
	explicit_bzero(text, sizeof text);
	if (!valid)
		g_set_error(error, VPNR_KEYS_ERROR, VPNR_KEYS_ERROR_INVALID,
			    "%s: not a private key: one line of %d characters of base64 is "
			    "expected",
			    name, VPNR_KEY_STRLEN - 1);
	return valid;
}

/* Not even opening it waits: nobody may ever be at the other end of a FIFO. */
gboolean
vpnr_keys_load_private(const char *path, VpnrKey *private_key, GError **error)
{
	g_auto(VpnrFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return set_errno_error(error, path, "cannot open the private key");
	return check_file(fd, path, error) && vpnr_keys_read_private(fd, path, private_key, error);
}
