/* SPDX-License-Identifier: MIT
 *
 * ctl_request: see ctl_request.h.
 */
#include "app/ctl_request.h"

#include "app/control.h"
#include "app/options.h"

static char *
describe(const VpnrCtlCommand *commands)
{
	g_autoptr(GString) text = g_string_new("Commands:\n");

	for (; commands->name != NULL; commands++) {
		const char *more = (commands->takes & VPNR_CTL_NAME) != 0      ? " NAME"
				   : (commands->takes & VPNR_CTL_PROGRAM) != 0 ? " -- PROGRAM"
									       : NULL;
		g_autofree char *words = g_strconcat(commands->name, more, NULL);

		g_string_append_printf(text, "  %-15s %s\n", words, commands->description);
	}
	g_string_append(text, "\nWithout --socket the one program that answers "
			      "at " VPNR_CONTROL_CLIENT_PATH "\nor " VPNR_CONTROL_SERVER_PATH
			      " is asked.");
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Takes the options out of *words, wherever they stand. */
static gboolean
parse_options(VpnrCtlRequest *request, const VpnrCtlCommand *commands, char ***words,
	      GError **error)
{
	const GOptionEntry entries[] = {
		{ "socket", 's', 0, G_OPTION_ARG_FILENAME, &request->socket,
		  "ask the program with this control socket", "PATH" },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &request->json,
		  "print the answer as it came, as JSON", NULL },
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
		  "the configuration: for rules the client's, for add-client the server's",
		  "FILE" },
		{ "server", 0, 0, G_OPTION_ARG_FILENAME, &request->server,
		  "where the new client finds the server", "HOST[:PORT]" },
		{ "kill-switch", 0, 0, G_OPTION_ARG_NONE, &request->kill_switch,
		  "clear the kill switch, too", NULL },
		{ "target", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &request->targets,
		  "send the probes to this address (may be repeated)", "ADDRESS" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &request->version, "print the version",
		  NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = vpnr_options_context_new("COMMAND", entries);
	g_autofree char *description = describe(commands);

	g_option_context_set_description(context, description);
	return g_option_context_parse_strv(context, words, error);
}

/* How many words the name has if they begin with it, else 0. */
static guint
match_name(const char *name, char *const *words)
{
	g_auto(GStrv) wanted = g_strsplit(name, " ", -1);
	guint n = 0;

	for (; wanted[n] != NULL; n++) {
		if (g_strcmp0(wanted[n], words[n]) != 0)
			return 0;
	}
	return n;
}

static char *
lack_program(const VpnrCtlCommand *command)
{
	return g_strdup_printf("\"%s\" needs a program to start, behind \"--\"", command->name);
}

/* Picks the command out of the words; NULL, or what is wrong (transfer full). */
static char *
choose_command(VpnrCtlRequest *request, const VpnrCtlCommand *commands, char **words)
{
	guint n = 0;

	if (words[0] == NULL)
		return g_strdup("a command is missing");
	for (; commands->name != NULL && n == 0; commands++) {
		n = match_name(commands->name, words);
		request->command = n > 0 ? commands : NULL;
	}
	if (n == 0) {
		g_autofree char *line = g_strjoinv(" ", words);

		return g_strdup_printf("\"%s\" is no command", line);
	}
	if ((request->command->takes & VPNR_CTL_NAME) != 0) {
		if (words[n] == NULL)
			return g_strdup_printf("\"%s\" needs a name", request->command->name);
		request->name = g_strdup(words[n++]);
	}
	if (words[n] == NULL)
		return NULL;
	return (request->command->takes & VPNR_CTL_PROGRAM) != 0 && request->program == NULL
		   ? lack_program(request->command)
		   : g_strdup_printf("\"%s\" is a word too many", words[n]);
}

/* NULL, or what has been given that the command does not take (transfer full). */
static char *
check_options(const VpnrCtlRequest *request)
{
	const struct {
		VpnrCtlTakes bit;
		gboolean given;
		const char *name;
	} options[] = {
		{ VPNR_CTL_SOCKET, request->socket != NULL, "--socket" },
		{ VPNR_CTL_JSON, request->json, "--json" },
		{ VPNR_CTL_CONFIG | VPNR_CTL_CONFIG_NEEDED, request->config != NULL, "--config" },
		{ VPNR_CTL_KILL_SWITCH, request->kill_switch, "--kill-switch" },
		{ VPNR_CTL_SERVER, request->server != NULL, "--server" },
		{ VPNR_CTL_TARGET, request->targets != NULL, "--target" },
		{ VPNR_CTL_PROGRAM, request->program != NULL, "\"--\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		if (options[i].given && (request->command->takes & options[i].bit) == 0)
			return g_strdup_printf("\"%s\" takes no %s", request->command->name,
					       options[i].name);
	}
	if ((request->command->takes & VPNR_CTL_PROGRAM) != 0 &&
	    (request->program == NULL || request->program[0] == NULL))
		return lack_program(request->command);
	if ((request->command->takes & VPNR_CTL_CONFIG_NEEDED) != 0 && request->config == NULL)
		return g_strdup_printf("\"%s\" needs --config", request->command->name);
	return NULL;
}

/* Cuts the command line at "--", which GOption would sometimes leave in it and sometimes not. The
 * words in front of it (transfer full). */
static char **
split(VpnrCtlRequest *request, char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (; *argv != NULL && !g_str_equal(*argv, "--"); argv++)
		g_ptr_array_add(words, g_strdup(*argv));
	if (*argv != NULL)
		request->program = g_strdupv(argv + 1);
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

char *
vpnr_ctl_request_parse(VpnrCtlRequest *request, const VpnrCtlCommand *commands, char **argv)
{
	g_auto(GStrv) words = split(request, argv);
	g_autoptr(GError) error = NULL;

	if (!parse_options(request, commands, &words, &error))
		return g_strdup(error->message);
	if (request->version)
		return NULL;
	char *wrong = choose_command(request, commands, words + 1);
	return wrong != NULL ? wrong : check_options(request);
}

void
vpnr_ctl_request_clear(VpnrCtlRequest *request)
{
	g_free(request->socket);
	g_free(request->config);
	g_free(request->server);
	g_free(request->name);
	g_strfreev(request->targets);
	g_strfreev(request->program);
}
