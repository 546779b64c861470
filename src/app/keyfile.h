/* SPDX-License-Identifier: MIT
 *
 * keyfile: one configuration file with the overrides of -o over it, and its values with errors that
 * name file, section, key and value (VPNR_SETTINGS_ERROR).
 *
 * GKeyFile reads the text, but is lenient where a configuration must not be: a section or key that
 * stands twice, or one that nobody knows, is an error here. A private key that stands in the file
 * is not in what GKeyFile reads, and in no error (secret.h).
 *
 * Belongs to the thread that made it. A "get" that finds no such key returns TRUE and leaves *value
 * as it was, so the caller puts the default there first.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "base/key.h"

G_BEGIN_DECLS

typedef struct VpnrKeyfile VpnrKeyfile;

/* A section of a keyfile, a plain value that is valid as long as the keyfile and the name. */
typedef struct {
	const VpnrKeyfile *file;
	const char *name;
} VpnrSection;

/* What a kind of section may contain. A name that ends in a space stands for every section that
 * starts with it, such as "client " for [client alice]. */
typedef struct {
	const char *name;
	const char *const *keys; /* NULL-terminated */
} VpnrSectionKind;

/* Reads the file at path and lays the overrides ("section.key=value", NULL-terminated, nullable)
 * over it; the key is what stands behind the last '.' before the first '='. Relative paths are
 * relative to the file's folder. NULL with an error. */
VpnrKeyfile *vpnr_keyfile_load(const char *path, const char *const *overrides, GError **error);

/* The same from n bytes of text; base is the folder that relative paths are relative to. */
VpnrKeyfile *vpnr_keyfile_parse(const char *text, gsize n, const char *base, GError **error);

/* What loading the file at path would give if it had these n bytes, whatever its mode. */
VpnrKeyfile *vpnr_keyfile_preview(const char *path, const char *text, gsize n, GError **error);

/* Takes NULL. */
void vpnr_keyfile_free(VpnrKeyfile *file);

/* TRUE if it was loaded from a path, so that files it names may be opened too. */
gboolean vpnr_keyfile_is_loaded(const VpnrKeyfile *file);

/* FALSE with an error for the first section or key that is in none of the n kinds. */
gboolean
vpnr_keyfile_check(const VpnrKeyfile *file, const VpnrSectionKind *kinds, gsize n, GError **error);

/* The key that stands in the file under "private-key" (transfer none), whatever the section, or
 * NULL if there is none or it is no key. As a value it is a row of asterisks. */
const VpnrKey *vpnr_keyfile_secret(const VpnrKeyfile *file);

/* The mode of the file; 0 for what was not loaded from a path. */
mode_t vpnr_keyfile_mode(const VpnrKeyfile *file);

/* The names of all sections (transfer full, g_strfreev). */
char **vpnr_keyfile_sections(const VpnrKeyfile *file);

/* TRUE if the file or an override has the section. */
gboolean vpnr_section_exists(const VpnrSection *section);

/* TRUE if the section has the key. */
gboolean vpnr_section_has(const VpnrSection *section, const char *key);

/* An error about the whole section. Returns FALSE. */
gboolean vpnr_section_fail(const VpnrSection *section, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* An error about one key; the text says what is wrong, quoting the value. Returns FALSE. */
gboolean vpnr_section_fail_key(const VpnrSection *section, const char *key, GError **error,
			       const char *format, ...) G_GNUC_PRINTF(4, 5);

/* FALSE with an error unless the section has the key. */
gboolean vpnr_section_require(const VpnrSection *section, const char *key, GError **error);

/* The value without white space around it, never empty and without control characters. Frees what
 * was in *value (transfer full). */
gboolean
vpnr_section_get_text(const VpnrSection *section, const char *key, char **value, GError **error);

/* The value split at ';', each part without white space around it and not empty; one ';' at the end
 * is allowed. Frees what was in *values (transfer full). */
gboolean
vpnr_section_get_list(const VpnrSection *section, const char *key, char ***values, GError **error);

/* The absolute form of a path in this file (transfer full). */
char *vpnr_keyfile_resolve(const VpnrKeyfile *file, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrKeyfile, vpnr_keyfile_free)

G_END_DECLS
