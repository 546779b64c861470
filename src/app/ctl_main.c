/* SPDX-License-Identifier: MIT
 *
 * ctl_main: vpnrctl. One table of commands, which also prints the help.
 *
 * Exit status: 0 done, 1 it went wrong, 2 the command line makes no sense. "run" has the exit
 * status of the program that it has started; "leak-test" 1 if something leaked and 2 if that cannot
 * be told.
 */
#include "config.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/control.h"
#include "app/ctl_add.h"
#include "app/ctl_find.h"
#include "app/ctl_format.h"
#include "app/ctl_leak.h"
#include "app/ctl_request.h"
#include "app/ctl_run.h"
#include "app/ctl_rules.h"
#include "app/ctl_show.h"
#include "app/ctl_top.h"
#include "app/keys.h"
#include "base/fd.h"

#define STATUS_OK    0
#define STATUS_ERROR 1
#define STATUS_USAGE 2

static void
print_message(const char *message)
{
	g_autofree char *text = vpnr_ctl_printable(message);

	fprintf(stderr, "vpnrctl: %s\n", text);
}

/* Where the program is that is asked (transfer none); NULL with an error. */
static const char *
find_program(const VpnrCtlRequest *request, GError **error)
{
	static const char *const paths[] = { VPNR_CONTROL_CLIENT_PATH, VPNR_CONTROL_SERVER_PATH,
					     NULL };

	return request->socket != NULL ? request->socket : vpnr_ctl_find(paths, error);
}

/* The command goes to the program and its answer to standard output. */
static int
run_ask(const VpnrCtlRequest *request, GError **error)
{
	const char *path = find_program(request, error);

	if (path == NULL)
		return STATUS_ERROR;
	g_autofree char *json = vpnr_control_ask(path, request->command->name, error);
	if (json == NULL)
		return STATUS_ERROR;
	if (request->json) {
		puts(json);
		return STATUS_OK;
	}
	g_autofree char *text = request->command->show(json, error);
	if (text == NULL)
		return STATUS_ERROR;
	fputs(text, stdout);
	return STATUS_OK;
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

static int
run_top(const VpnrCtlRequest *request, GError **error)
{
	const char *path = find_program(request, error);

	if (path == NULL)
		return STATUS_ERROR;
	if (!request->json)
		return vpnr_ctl_top(path, error) ? STATUS_OK : STATUS_ERROR;
	g_autofree char *json = vpnr_ctl_top_json(path, error);
	if (json == NULL)
		return STATUS_ERROR;
	puts(json);
	return STATUS_OK;
}

/* Where the client is, for what a server can do nothing about. */
static const char *
client_path(const VpnrCtlRequest *request)
{
	return request->socket != NULL ? request->socket : VPNR_CONTROL_CLIENT_PATH;
}

static int
run_program(const VpnrCtlRequest *request, GError **error)
{
	return vpnr_ctl_run(client_path(request), request->program, error);
}

static int
run_leak_test(const VpnrCtlRequest *request, GError **error)
{
	return (int)vpnr_ctl_leak(client_path(request), (const char *const *)request->targets,
				  request->json, error);
}

static int
run_clear(const VpnrCtlRequest *request, GError **error)
{
	return vpnr_ctl_rules_clear(request->config, request->kill_switch, error) ? STATUS_OK
										  : STATUS_ERROR;
}

static int
run_hold(const VpnrCtlRequest *request, GError **error)
{
	return vpnr_ctl_rules_hold(request->config, error) ? STATUS_OK : STATUS_ERROR;
}

/* The key goes to whatever standard output is; a file that others can read is no place for it, and
 * would be refused when it is loaded. */
static void
warn_about_mode(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		print_message("warning: others can read this file; make it with umask 077");
}

static int
run_genkey(const VpnrCtlRequest *request, GError **error)
{
	g_auto(VpnrKey) key = { 0 };
	char text[VPNR_KEY_STRLEN];

	warn_about_mode();
	if (!vpnr_keys_generate(&key, error))
		return STATUS_ERROR;
	puts(vpnr_key_format(&key, text));
	return STATUS_OK;
}

static int
run_pubkey(const VpnrCtlRequest *request, GError **error)
{
	g_auto(VpnrKey) key = { 0 };
	VpnrKey public_key;
	char text[VPNR_KEY_STRLEN];

	if (!vpnr_keys_read_private(STDIN_FILENO, "standard input", &key, error) ||
	    !vpnr_keys_derive_public(&key, &public_key, error))
		return STATUS_ERROR;
	puts(vpnr_key_format(&public_key, text));
	return STATUS_OK;
}

static int
run_add_client(const VpnrCtlRequest *request, GError **error)
{
	const VpnrCtlAdd add = {
		.config = request->config != NULL ? request->config : VPNR_SERVER_CONFIG,
		.name = request->name,
		.server = request->server,
	};
	g_autofree char *note = NULL;

	warn_about_mode();
	/* That nobody takes the client's configuration is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	if (!vpnr_ctl_add(&add, stdout, &note, error))
		return STATUS_ERROR;
	print_message(note);
	return STATUS_OK;
}

#define ASKS (VPNR_CTL_SOCKET | VPNR_CTL_JSON)

static const VpnrCtlCommand commands[] = {
	{ "status", ASKS, run_ask, vpnr_ctl_show_status,
	  "show what the program does and has done" },
	{ "connections", ASKS, run_ask, show_connections, "list the connections of now" },
	{ "top", ASKS, run_top, NULL, "watch what the program and its connections carry" },
	{ "reload", ASKS, run_ask, show_reload, "read the configuration again, as SIGHUP does" },
	{ "run", VPNR_CTL_SOCKET | VPNR_CTL_PROGRAM, run_program, NULL,
	  "start a program whose connections go through the client" },
	{ "leak-test", ASKS | VPNR_CTL_TARGET, run_leak_test, NULL,
	  "see whether anything leaves this host beside the tunnel" },
	{ "rules show", ASKS, run_ask, vpnr_ctl_show_rules, "show what is captured, and how" },
	{ "rules clear", VPNR_CTL_CONFIG | VPNR_CTL_KILL_SWITCH, run_clear, NULL,
	  "remove what a client that was killed has left" },
	{ "rules hold", VPNR_CTL_CONFIG_NEEDED, run_hold, NULL,
	  "turn on the kill switch without a client" },
	{ "genkey", 0, run_genkey, NULL, "print a new private key" },
	{ "pubkey", 0, run_pubkey, NULL, "read a private key and print its public key" },
	{ "add-client", VPNR_CTL_CONFIG | VPNR_CTL_SERVER | VPNR_CTL_NAME, run_add_client, NULL,
	  "let a new client in at this server, and print its configuration" },
	{ NULL },
};

static int
fail_usage(const char *message)
{
	print_message(message);
	fputs("\"vpnrctl --help\" lists commands and options.\n", stderr);
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	g_auto(VpnrCtlRequest) request = { 0 };
	g_autoptr(GError) error = NULL;

	vpnr_fd_fill_standard();
	g_autofree char *wrong = vpnr_ctl_request_parse(&request, commands, argv);

	if (wrong != NULL)
		return fail_usage(wrong);
	if (request.version) {
		puts("vpnrctl " PACKAGE_VERSION);
		return STATUS_OK;
	}
	int status = request.command->run(&request, &error);
	if (error != NULL) {
		print_message(error->message);
		return status;
	}
	if (fflush(stdout) != 0) {
		print_message("cannot write to standard output");
		return STATUS_ERROR;
	}
	return status;
}
