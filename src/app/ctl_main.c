/* SPDX-License-Identifier: MIT
 *
 * ctl_main: vpnrctl. One table of commands, which also prints the help.
 *
 * Exit status: 0 done, 1 it went wrong, 2 the command line makes no sense.
 */
#include "config.h"

#include <glib.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/control.h"
#include "app/ctl_find.h"
#include "app/ctl_format.h"
#include "app/ctl_show.h"
#include "app/keys.h"

#define STATUS_OK    0
#define STATUS_ERROR 1
#define STATUS_USAGE 2

typedef struct Command Command;

typedef struct {
	const Command *command;
	char *socket; /* NULL: the one that answers */
	gboolean json;
	gboolean version;
	char **words; /* what is no option: the command, and what should not be there */
} Request;

/* Shows an answer in words (transfer full). */
typedef char *(*ShowFunc)(const char *json, GError **error);

struct Command {
	const char *name;
	gboolean (*run)(const Request *request, GError **error);
	ShowFunc show; /* NULL: the command asks no program */
	const char *description;
};

static void
request_clear(Request *request)
{
	g_free(request->socket);
	g_strfreev(request->words);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static void
print_error(const char *message)
{
	g_autofree char *text = vpnr_ctl_printable(message);

	fprintf(stderr, "vpnrctl: %s\n", text);
}

/* The command goes to the program and its answer to standard output. */
static gboolean
run_ask(const Request *request, GError **error)
{
	static const char *const paths[] = { VPNR_CONTROL_CLIENT_PATH, VPNR_CONTROL_SERVER_PATH,
					     NULL };
	const char *path = request->socket != NULL ? request->socket : vpnr_ctl_find(paths, error);

	if (path == NULL)
		return FALSE;
	g_autofree char *json = vpnr_control_ask(path, request->command->name, error);
	if (json == NULL)
		return FALSE;
	if (request->json) {
		puts(json);
		return TRUE;
	}
	g_autofree char *text = request->command->show(json, error);
	if (text == NULL)
		return FALSE;
	fputs(text, stdout);
	return TRUE;
}

static gsize
terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static char *
show_connections(const char *json, GError **error)
{
	return vpnr_ctl_show_connections(json, terminal_width(), error);
}

static char *
show_reload(const char *json, GError **error)
{
	return g_strdup("the configuration has been read again\n");
}

/* The key goes to whatever standard output is; a file that others can read is no place for it, and
 * would be refused when it is loaded. */
static void
warn_about_mode(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		print_error("warning: others can read this file; make it with umask 077");
}

static gboolean
run_genkey(const Request *request, GError **error)
{
	g_auto(VpnrKey) key = { 0 };
	char text[VPNR_KEY_STRLEN];

	warn_about_mode();
	if (!vpnr_keys_generate(&key, error))
		return FALSE;
	puts(vpnr_key_format(&key, text));
	return TRUE;
}

static gboolean
run_pubkey(const Request *request, GError **error)
{
	g_auto(VpnrKey) key = { 0 };
	VpnrKey public_key;
	char text[VPNR_KEY_STRLEN];

	if (!vpnr_keys_read_private(STDIN_FILENO, "standard input", &key, error) ||
	    !vpnr_keys_derive_public(&key, &public_key, error))
		return FALSE;
	puts(vpnr_key_format(&public_key, text));
	return TRUE;
}

static const Command commands[] = {
	{ "status", run_ask, vpnr_ctl_show_status, "show what the program does and has done" },
	{ "connections", run_ask, show_connections, "list the connections of now" },
	{ "reload", run_ask, show_reload, "read the configuration again, as SIGHUP does" },
	{ "genkey", run_genkey, NULL, "print a new private key" },
	{ "pubkey", run_pubkey, NULL, "read a private key and print its public key" },
};

static char *
describe_commands(void)
{
	g_autoptr(GString) text = g_string_new("Commands:\n");

	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		g_string_append_printf(text, "  %-13s %s\n", commands[i].name,
				       commands[i].description);
	g_string_append(text, "\nWithout --socket the one program that answers "
			      "at " VPNR_CONTROL_CLIENT_PATH "\nor " VPNR_CONTROL_SERVER_PATH
			      " is asked.");
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
parse_options(char **argv, Request *request, GError **error)
{
	const GOptionEntry entries[] = {
		{ "socket", 's', 0, G_OPTION_ARG_FILENAME, &request->socket,
		  "ask the program with this control socket", "PATH" },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &request->json,
		  "print the answer as it came, as JSON", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &request->version, "print the version",
		  NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("COMMAND");
	g_autofree char *description = describe_commands();

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(context, description);
	request->words = g_strdupv(argv);
	return g_option_context_parse_strv(context, &request->words, error);
}

static const Command *
find_command(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (g_strcmp0(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Picks the command out of the words, of which the first is the program. Returns NULL, or what is
 * wrong (transfer full). */
static char *
choose_command(Request *request)
{
	guint n = g_strv_length(request->words);

	if (n < 2)
		return g_strdup("a command is missing");
	request->command = find_command(request->words[1]);
	if (request->command == NULL)
		return g_strdup_printf("\"%s\" is no command", request->words[1]);
	if (n > 2)
		return g_strdup_printf("\"%s\" is a word too many", request->words[2]);
	if (request->command->show == NULL && (request->json || request->socket != NULL))
		return g_strdup_printf("\"%s\" asks no program, so it takes no option",
				       request->command->name);
	return NULL;
}

static int
fail_usage(const char *message)
{
	print_error(message);
	fputs("\"vpnrctl --help\" lists commands and options.\n", stderr);
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	g_auto(Request) request = { 0 };
	g_autoptr(GError) error = NULL;

	if (!parse_options(argv, &request, &error))
		return fail_usage(error->message);
	if (request.version) {
		puts("vpnrctl " PACKAGE_VERSION);
		return STATUS_OK;
	}
	g_autofree char *wrong = choose_command(&request);
	if (wrong != NULL)
		return fail_usage(wrong);
	if (!request.command->run(&request, &error)) {
		print_error(error->message);
		return STATUS_ERROR;
	}
	if (fflush(stdout) != 0) {
		print_error("cannot write to standard output");
		return STATUS_ERROR;
	}
	return STATUS_OK;
}
