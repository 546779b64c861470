/* SPDX-License-Identifier: MIT
 *
 * keyfile: a GKeyFile that forgives nothing. Used by main, at start and on reload.
 */
#include "app/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "app/secret.h"
#include "app/settings.h"
#include "base/fd.h"

/* What some editors put at the start of a file in UTF-8. Nobody sees it, so it must not matter. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct VpnrKeyfile {
	GKeyFile *keys;
	char *name;             /* as the user called it, for errors */
	char *base;             /* absolute path of the folder of relative paths */
	GHashTable *overridden; /* set of "section\nkey" that came from -o */
	gboolean loaded;
	mode_t mode;         /* of the file; 0: unknown */
	VpnrKey secret;      /* what stands under VPNR_SECRET_KEY */
	gboolean has_secret; /* and is a key */
};

static gboolean
set_error(GError **error, const char *file, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
set_error(GError **error, const char *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID, "%s: %s", file, text);
	return FALSE;
}

static char *
slot_name(const char *section, const char *key)
{
	return g_strconcat(section, "\n", key, NULL);
}

/* Adds a name to those that have been seen; FALSE if it was there. */
static gboolean
see(GHashTable *seen, const char *section, const char *key)
{
	return g_hash_table_add(seen, slot_name(section, key));
}

static gboolean
has_control(const char *text)
{
	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		if (g_unichar_iscntrl(g_utf8_get_char(text)))
			return TRUE;
	}
	return FALSE;
}

/* What GKeyFile takes for a name, too. It takes "listen[de]" for a translation, and drops it. */
static gboolean
is_name(const char *text)
{
	return *text != '\0' && strpbrk(text, "[]") == NULL && !has_control(text);
}

/* Checks one line, stripped. *section is the one it stands in (transfer full, replaced by a section
 * line). Returns NULL, or what is wrong. */
static const char *
check_line(char *line, char **section, GHashTable *seen)
{
	if (line[0] == '[') {
		if (!g_str_has_suffix(line, "]"))
			return "a section is not closed by ]";
		g_free(*section);
		*section = g_strndup(line + 1, strlen(line) - 2);
		if (!is_name(*section))
			return "not the name of a section";
		return see(seen, *section, "") ? NULL : "the section stands twice";
	}

	char *equals = strchr(line, '=');
	if (equals == NULL)
		return "neither a section, nor KEY = VALUE, nor a comment";
	if (*section == NULL)
		return "stands before the first section";
	g_autofree char *key = g_strstrip(g_strndup(line, (gsize)(equals - line)));
	if (*key == '\0')
		return "there is no key before the =";
	if (!is_name(key))
		return "not the name of a key";
	return see(seen, *section, key) ? NULL : "the key stands twice in its section";
}

/* GKeyFile lets the last of two equal keys win and merges sections of the same name. */
static gboolean
check_lines(const char *name, const char *text, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *section = NULL;

	for (guint i = 0; lines[i] != NULL; i++) {
		char *line = g_strstrip(lines[i]);

		if (*line == '\0' || *line == '#')
			continue;
		const char *wrong = check_line(line, &section, seen);
		if (wrong != NULL)
			return set_error(error, name, "line %u: \"%s\": %s", i + 1, line, wrong);
	}
	return TRUE;
}

/* Takes the secret out of the text, which no longer has it then; a NUL is behind its n bytes. */
static VpnrKeyfile *
keyfile_new(const char *name, char *text, gsize n, const char *base, GError **error)
{
	g_autoptr(VpnrKeyfile) file = g_new0(VpnrKeyfile, 1);
	g_autoptr(GError) why = NULL;
	const char *end = NULL;

	file->name = g_strdup(name);
	file->base = g_canonicalize_filename(base, NULL);
	file->keys = g_key_file_new();
	file->overridden = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *lines =
	    text + (g_str_has_prefix(text, BYTE_ORDER_MARK) ? strlen(BYTE_ORDER_MARK) : 0);
	file->has_secret = vpnr_secret_take(lines, n - (gsize)(lines - text), &file->secret);
	if (!g_utf8_validate_len(text, n, &end)) {
		set_error(error, name, "not valid UTF-8 at byte %zu", (gsize)(end - text));
		return NULL;
	}
	if (!check_lines(name, lines, error))
		return NULL;
	if (!g_key_file_load_from_data(file->keys, lines, strlen(lines), G_KEY_FILE_NONE, &why)) {
		set_error(error, name, "%s", why->message);
		return NULL;
	}
	return g_steal_pointer(&file);
}

/* "section.key=value": the section may contain dots, a key never does. */
static gboolean
apply_override(VpnrKeyfile *file, const char *text, GError **error)
{
	const char *equals = strchr(text, '=');
	const char *dot = equals != NULL ? g_strrstr_len(text, equals - text, ".") : NULL;

	if (!g_utf8_validate(text, -1, NULL) || has_control(text))
		return set_error(error, "-o", "an override is not plain UTF-8");
	if (dot == NULL || dot == text || dot + 1 == equals)
		return set_error(error, "-o", "\"%s\" is not of the form section.key=value", text);

	g_autofree char *section = g_strndup(text, (gsize)(dot - text));
	g_autofree char *key = g_strndup(dot + 1, (gsize)(equals - dot - 1));
	if (vpnr_secret_is_meant(key))
		return set_error(error, "-o",
				 "\"%s.%s\": everybody can read a command line; a private key "
				 "belongs in the file",
				 section, key);
	if (strpbrk(section, "[]") != NULL || strpbrk(key, "[] ") != NULL)
		return set_error(error, "-o", "\"%s\" does not name a section and a key", text);
	g_key_file_set_value(file->keys, section, key, equals + 1);
	see(file->overridden, section, key);
	return TRUE;
}

static VpnrKeyfile *
parse_copy(const char *name, const char *text, gsize n, const char *base, GError **error)
{
	g_autofree char *copy = g_malloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	return keyfile_new(name, copy, n, base, error);
}

VpnrKeyfile *
vpnr_keyfile_parse(const char *text, gsize n, const char *base, GError **error)
{
	return parse_copy("configuration", text, n, base, error);
}

VpnrKeyfile *
vpnr_keyfile_preview(const char *path, const char *text, gsize n, GError **error)
{
	g_autofree char *base = g_path_get_dirname(path);
	VpnrKeyfile *file = parse_copy(path, text, n, base, error);

	if (file != NULL)
		file->loaded = TRUE;
	return file;
}

/* The text of the file at path (transfer full) and its mode. The error names the path. */
static char *
read_file(const char *path, gsize *n, mode_t *mode, GError **error)
{
	g_auto(VpnrFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	char *text = NULL;

	/* The open file is looked at: the path might be another one's by now. */
	if (fd >= 0 && fstat(fd, &st) == 0)
		text = vpnr_secret_read(fd, n);
	if (text != NULL)
		*mode = st.st_mode;
	else
		set_error(error, path, "cannot read the configuration: %s", g_strerror(errno));
	return text;
}

VpnrKeyfile *
vpnr_keyfile_load(const char *path, const char *const *overrides, GError **error)
{
	g_autofree char *base = g_path_get_dirname(path);
	gsize n = 0;
	mode_t mode = 0;
	g_autofree char *text = read_file(path, &n, &mode, error);

	if (text == NULL)
		return NULL;
	g_autoptr(VpnrKeyfile) file = keyfile_new(path, text, n, base, error);
	if (file == NULL)
		return NULL;
	file->loaded = TRUE;
	file->mode = mode;
	for (; overrides != NULL && *overrides != NULL; overrides++) {
		if (!apply_override(file, *overrides, error))
			return NULL;
	}
	return g_steal_pointer(&file);
}

void
vpnr_keyfile_free(VpnrKeyfile *file)
{
	if (file == NULL)
		return;
	g_clear_pointer(&file->keys, g_key_file_free);
	g_clear_pointer(&file->overridden, g_hash_table_unref);
	vpnr_key_wipe(&file->secret);
	g_free(file->name);
	g_free(file->base);
	g_free(file);
}

gboolean
vpnr_keyfile_is_loaded(const VpnrKeyfile *file)
{
	return file->loaded;
}

const VpnrKey *
vpnr_keyfile_secret(const VpnrKeyfile *file)
{
	return file->has_secret ? &file->secret : NULL;
}

mode_t
vpnr_keyfile_mode(const VpnrKeyfile *file)
{
	return file->mode;
}

char **
vpnr_keyfile_sections(const VpnrKeyfile *file)
{
	return g_key_file_get_groups(file->keys, NULL);
}

char *
vpnr_keyfile_resolve(const VpnrKeyfile *file, const char *path)
{
	return g_canonicalize_filename(path, file->base);
}

static const VpnrSectionKind *
find_kind(const char *section, const VpnrSectionKind *kinds, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		gboolean prefix = g_str_has_suffix(kinds[i].name, " ");

		if (prefix ? g_str_has_prefix(section, kinds[i].name)
			   : strcmp(section, kinds[i].name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static gboolean
check_keys(const VpnrSection *section, const VpnrSectionKind *kind, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(section->file->keys, section->name, NULL, NULL);

	for (guint i = 0; keys[i] != NULL; i++) {
		if (g_strv_contains(kind->keys, keys[i]))
			continue;
		g_autofree char *value =
		    g_key_file_get_value(section->file->keys, section->name, keys[i], NULL);
		return vpnr_section_fail_key(section, keys[i], error,
					     "unknown key, with value \"%s\"", value);
	}
	return TRUE;
}

gboolean
vpnr_keyfile_check(const VpnrKeyfile *file, const VpnrSectionKind *kinds, gsize n, GError **error)
{
	g_auto(GStrv) names = vpnr_keyfile_sections(file);

	for (guint i = 0; names[i] != NULL; i++) {
		VpnrSection section = { file, names[i] };
		const VpnrSectionKind *kind = find_kind(names[i], kinds, n);

		if (kind == NULL)
			return vpnr_section_fail(&section, error, "unknown section");
		if (!check_keys(&section, kind, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
vpnr_section_exists(const VpnrSection *section)
{
	return g_key_file_has_group(section->file->keys, section->name);
}

gboolean
vpnr_section_has(const VpnrSection *section, const char *key)
{
	return g_key_file_has_key(section->file->keys, section->name, key, NULL);
}

gboolean
vpnr_section_fail(const VpnrSection *section, GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return set_error(error, section->file->name, "[%s]: %s", section->name, text);
}

gboolean
vpnr_section_fail_key(const VpnrSection *section, const char *key, GError **error,
		      const char *format, ...)
{
	const VpnrKeyfile *file = section->file;
	g_autofree char *slot = slot_name(section->name, key);
	gboolean overridden = g_hash_table_contains(file->overridden, slot);
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return set_error(error, file->name, "[%s] %s%s: %s", section->name, key,
			 overridden ? " (from -o)" : "", text);
}

gboolean
vpnr_section_require(const VpnrSection *section, const char *key, GError **error)
{
	if (vpnr_section_has(section, key))
		return TRUE;
	return vpnr_section_fail_key(section, key, error, "it is needed, but missing");
}

gboolean
vpnr_section_get_text(const VpnrSection *section, const char *key, char **value, GError **error)
{
	if (!vpnr_section_has(section, key))
		return TRUE;
	/* The raw value: GKeyFile's escape sequences would only help to hide something. */
	g_autofree char *text = g_key_file_get_value(section->file->keys, section->name, key, NULL);
	g_strstrip(text);
	if (*text == '\0')
		return vpnr_section_fail_key(section, key, error, "\"\" is empty");
	if (has_control(text))
		return vpnr_section_fail_key(section, key, error,
					     "\"%s\" contains a control character", text);
	g_free(*value);
	*value = g_steal_pointer(&text);
	return TRUE;
}

gboolean
vpnr_section_get_list(const VpnrSection *section, const char *key, char ***values, GError **error)
{
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	g_autofree char *bare = g_strndup(text, strlen(text) - g_str_has_suffix(text, ";"));
	g_auto(GStrv) parts = g_strsplit(bare, ";", -1);
	if (parts[0] == NULL)
		return vpnr_section_fail_key(section, key, error, "\"%s\" is an empty list", text);
	for (guint i = 0; parts[i] != NULL; i++) {
		if (*g_strstrip(parts[i]) == '\0')
			return vpnr_section_fail_key(section, key, error,
						     "\"%s\" has an empty entry", text);
	}
	g_strfreev(*values);
	*values = g_steal_pointer(&parts);
	return TRUE;
}
