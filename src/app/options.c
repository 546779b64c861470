/* SPDX-License-Identifier: MIT
 *
 * options: the command line of both programs, by GOption. Called by main.
 */
#include "app/options.h"

#include <stdio.h>

static void
print_ascii(const char *text)
{
	g_autofree char *ascii = g_str_to_ascii(text, "C");

	fputs(ascii, stdout);
}

GOptionContext *
vpnr_options_context_new(const char *words, const GOptionEntry *entries)
{
	GOptionContext *context = g_option_context_new(words);

	g_set_print_handler(print_ascii);
	g_option_context_add_main_entries(context, entries, NULL);
	return context;
}

/* Words are kept as bytes, whatever the locale: paths are bytes, and the configuration checks
 * itself that it is UTF-8. */
static GOptionContext *
make_context(VpnrOptions *options)
{
	const GOptionEntry entries[] = {
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config,
		  "read this configuration (man 5 vpnr.conf)", "FILE" },
		{ "override", 'o', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->overrides,
		  "set a key of the configuration, may be repeated", "section.key=value" },
		{ "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
		  "read and check the configuration, then exit", NULL },
		{ "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "log every connection",
		  NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &options->version,
		  "print the version and exit", NULL },
		{ NULL },
	};

	return vpnr_options_context_new("--config FILE", entries);
}

static gboolean
check(const VpnrOptions *options, char *const *words, GError **error)
{
	/* words[0] is the program; a NULL array is an empty command line. */
	if (words != NULL && words[0] != NULL && words[1] != NULL) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
			    "\"%s\" is no option; --help lists them", words[1]);
		return FALSE;
	}
	if (options->config == NULL && !options->version) {
		g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
				    "--config FILE is needed; --help lists all options");
		return FALSE;
	}
	return TRUE;
}

gboolean
vpnr_options_parse(int argc, char **argv, VpnrOptions *options, GError **error)
{
	*options = (VpnrOptions){ 0 };
	g_autoptr(GOptionContext) context = make_context(options);
	g_auto(GStrv) words = g_new0(char *, (gsize)argc + 1);

	for (int i = 0; i < argc; i++)
		words[i] = g_strdup(argv[i]);
	if (!g_option_context_parse_strv(context, &words, error) || !check(options, words, error)) {
		vpnr_options_clear(options);
		return FALSE;
	}
	return TRUE;
}

void
vpnr_options_clear(VpnrOptions *options)
{
	g_free(options->config);
	g_strfreev(options->overrides);
	*options = (VpnrOptions){ 0 };
}
