/* SPDX-License-Identifier: MIT
 *
 * settings_confine: see settings_confine.h.
 */
#include "app/settings_confine.h"

#include "app/confine.h"
#include "app/values.h"

/* Who is not known cannot become one later. */
static gboolean
read_user(const VpnrSection *section, char **user, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (!vpnr_section_get_text(section, "user", user, error))
		return FALSE;
	if (*user == NULL || !vpnr_keyfile_is_loaded(section->file) ||
	    vpnr_confine_find_user(*user, NULL, &why))
		return TRUE;
	return vpnr_section_fail_key(section, "user", error, "%s", why->message);
}

gboolean
vpnr_settings_confine_read(const VpnrSection *section, VpnrConfineSettings *settings,
			   GError **error)
{
	settings->seccomp = TRUE;
	return read_user(section, &settings->user, error) &&
	       vpnr_section_get_switch(section, "seccomp", &settings->seccomp, error);
}

void
vpnr_confine_settings_clear(VpnrConfineSettings *settings)
{
	g_clear_pointer(&settings->user, g_free);
}
