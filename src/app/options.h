/* SPDX-License-Identifier: MIT
 *
 * options: the command line that vpnr-client and vpnr-server share, and how vpnrctl has its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	char *config;     /* NULL only with version */
	char **overrides; /* "section.key=value", NULL-terminated; NULL: none */
	gboolean check;   /* read and check the configuration, nothing else */
	gboolean verbose;
	gboolean version; /* print it, nothing else */
} VpnrOptions;

/* A context (transfer full) for these entries. words stand behind the options in the usage. Its
 * --help is plain ASCII: GOption has an ellipsis there, which would be a question mark where the
 * locale is not UTF-8, or, as in these programs, not set. */
GOptionContext *vpnr_options_context_new(const char *words, const GOptionEntry *entries);

/* Reads the arguments of main(), which stay as they are. FALSE with an error (G_OPTION_ERROR) that
 * quotes the word it is about; options is empty then. --help prints the options and ends the
 * process with status 0. */
gboolean vpnr_options_parse(int argc, char **argv, VpnrOptions *options, GError **error);

/* Frees what is in options and leaves it empty. */
void vpnr_options_clear(VpnrOptions *options);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VpnrOptions, vpnr_options_clear)

G_END_DECLS
