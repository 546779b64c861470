/* SPDX-License-Identifier: MIT
 *
 * ctl_add: see ctl_add.h.
 *
 * What can fail comes first: the new file is on the disk and the client's configuration printed
 * before the new file takes the place of the old one.
 */
#include "app/ctl_add.h"

#include <errno.h>
#include <string.h>

#include "app/control.h"
#include "app/enrol.h"
#include "app/keys.h"
#include "app/rewrite.h"
#include "app/settings.h"

#define NO_NAME "this is no name for a client"

static gboolean
fail(const VpnrCtlAdd *add, GError **error, const char *why)
{
	g_set_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID, "%s: [client %s]: %s",
		    add->config, add->name, why);
	return FALSE;
}

static const VpnrClientEntry *
find_client(const VpnrServerSettings *settings, const char *name)
{
	for (guint i = 0; i < settings->clients->len; i++) {
		const VpnrClientEntry *entry = g_ptr_array_index(settings->clients, i);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

/* The server as it is; NULL with an error if it cannot take the client in. */
static VpnrServerSettings *
read_server(const VpnrCtlAdd *add, const VpnrRewrite *file, GError **error)
{
	gsize n;
	const char *text = vpnr_rewrite_text(file, &n);
	g_autoptr(VpnrServerSettings) settings =
	    vpnr_server_settings_preview(add->config, text, n, error);

	if (settings == NULL)
		return NULL;
	if (settings->listen->len == 0) {
		fail(add, error, "there is no [server] that listens for this client");
		return NULL;
	}
	/* With these the errors of the result would be about something else. */
	if (!g_utf8_validate(add->name, -1, NULL) || strpbrk(add->name, "[]\r\n") != NULL) {
		fail(add, error, NO_NAME);
		return NULL;
	}
	if (find_client(settings, add->name) != NULL) {
		fail(add, error, "this client is there already");
		return NULL;
	}
	return g_steal_pointer(&settings);
}

/* The text of the server's configuration with the client in it. A name may have anything in it,
 * lines of a configuration too, so what counts is what the result means. */
static GString *
take_in(const VpnrCtlAdd *add, const VpnrRewrite *file, const VpnrServerSettings *before,
	const VpnrKey *public_key, GError **error)
{
	gsize n;
	const char *text = vpnr_rewrite_text(file, &n);
	g_autoptr(GString) longer = vpnr_enrol_append(text, n, add->name, public_key);
	g_autoptr(VpnrServerSettings) after =
	    vpnr_server_settings_preview(add->config, longer->str, longer->len, error);

	if (after == NULL)
		return NULL;
	const VpnrClientEntry *entry = find_client(after, add->name);
	if (entry == NULL || !vpnr_key_equal(&entry->public_key, public_key) ||
	    after->clients->len != before->clients->len + 1) {
		fail(add, error, NO_NAME);
		return NULL;
	}
	return g_steal_pointer(&longer);
}

static gboolean
print(FILE *out, const char *text, const VpnrKey *private_key, GError **error)
{
	char key[VPNR_KEY_STRLEN];

	fprintf(out, "%s%s\n", text, vpnr_key_format(private_key, key));
	explicit_bzero(key, sizeof key);
	if (fflush(out) == 0 && !ferror(out))
		return TRUE;
	int code = errno;
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
		    "cannot write the client's configuration: %s", g_strerror(code));
	return FALSE;
}

/* Makes the keys and both texts, and puts each where it belongs. */
static gboolean
enrol(const VpnrCtlAdd *add, VpnrRewrite *file, const VpnrServerSettings *settings, FILE *out,
      GError **error)
{
	g_auto(VpnrKey) private_key = { 0 };
	VpnrKey public_key;
	VpnrKey server_key;
	VpnrEnrolPlace place;

	if (!vpnr_enrol_place(settings->listen, add->server, &place, error) ||
	    !vpnr_keys_derive_public(&settings->private_key, &server_key, error) ||
	    !vpnr_keys_generate(&private_key, error) ||
	    !vpnr_keys_derive_public(&private_key, &public_key, error))
		return FALSE;
	g_autofree char *text = vpnr_enrol_client(add->name, &place, &server_key);
	g_autoptr(GString) longer = take_in(add, file, settings, &public_key, error);
	if (longer == NULL || !vpnr_rewrite_prepare(file, longer->str, longer->len, error) ||
	    !print(out, text, &private_key, error))
		return FALSE;
	if (!vpnr_rewrite_commit(file, error)) {
		g_prefix_error(error, "what was printed is of no use: ");
		return FALSE;
	}
	return TRUE;
}

/* Has the server, if there is one, read its configuration again. */
static gboolean
tell_server(const VpnrCtlAdd *add, const char *socket, char **note, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (socket == NULL) {
		*note = g_strdup_printf("%s may connect as soon as the server is started, or, if "
					"it runs, has got SIGHUP: it has no control socket",
					add->name);
		return TRUE;
	}
	g_autofree char *answer = vpnr_control_ask(socket, "reload", &why);
	if (answer != NULL) {
		*note = g_strdup_printf("the server has read its configuration again: %s may "
					"connect",
					add->name);
		return TRUE;
	}
	if (g_error_matches(why, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT)) {
		*note = g_strdup_printf("%s may connect as soon as the server is started: nobody "
					"answers at %s",
					add->name, socket);
		return TRUE;
	}
	g_propagate_prefixed_error(error, g_steal_pointer(&why),
				   "%s has [client %s] now, but the server has not read it: ",
				   add->config, add->name);
	return FALSE;
}

gboolean
vpnr_ctl_add(const VpnrCtlAdd *add, FILE *out, char **note, GError **error)
{
	g_autoptr(VpnrRewrite) file = vpnr_rewrite_begin(add->config, error);

	if (file == NULL)
		return FALSE;
	g_autoptr(VpnrServerSettings) settings = read_server(add, file, error);
	if (settings == NULL || !enrol(add, file, settings, out, error))
		return FALSE;
	/* The next one need not wait for the server. */
	g_clear_pointer(&file, vpnr_rewrite_end);
	return tell_server(add, settings->control_socket, note, error);
}
