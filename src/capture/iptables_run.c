/* SPDX-License-Identifier: MIT
 *
 * iptables_run: see iptables_run.h.
 */
#include "capture/iptables_run.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "capture/backend.h"
#include "capture/text_file.h"

/* Seconds to wait for somebody else who is changing rules. Programs that hold the lock longer hang;
 * then it is better to say so. */
#define LOCK_SECONDS "10"

/* Where the programs are, too, when PATH is that of an ordinary user. */
static const char *const folders[] = { "/usr/sbin", "/sbin" };

static char *
find_program(VpnrIptablesVariant variant, int family, const char *what)
{
	static const char *const suffixes[VPNR_IPTABLES_VARIANTS] = { "", "-nft", "-legacy" };
	g_autofree char *name = g_strconcat(family == AF_INET ? "iptables" : "ip6tables",
					    suffixes[variant], "-", what, NULL);
	char *path = g_find_program_in_path(name);

	for (guint i = 0; path == NULL && i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *candidate = g_build_filename(folders[i], name, NULL);

		path = g_find_program_in_path(candidate);
	}
	return path;
}

/* The rules about cgroups of the table that ends in front of end (transfer full), or NULL. */
static char *
find_cgroups(char **lines, gsize end)
{
	g_autoptr(GString) found = g_string_new(NULL);

	for (gsize i = end; i > 0 && *lines[i - 1] != '*'; i--)
		if (strstr(lines[i - 1], " -m cgroup ") != NULL)
			g_string_append_printf(found, "%s%s",
					       found->len > 0 ? "; " : "is there such a cgroup? ",
					       lines[i - 1]);
	return found->len > 0 ? g_strdup(found->str) : NULL;
}

/* The line of text that the complaint names by "line NUMBER" or "line: NUMBER" (transfer full), or
 * NULL. The last line of a table says nothing about what is wrong in it: iptables-legacy names that
 * one if the kernel refuses the table, which it does for a cgroup that is not there. */
static char *
find_line(const char *complaint, const char *text)
{
	const char *number = strstr(complaint, "line");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint64 n;

	if (number == NULL)
		return NULL;
	number += strcspn(number, "0123456789");
	n = g_ascii_strtoull(number, NULL, 10);
	if (n == 0 || n > g_strv_length(lines))
		return NULL;
	if (g_str_equal(lines[n - 1], "COMMIT"))
		return find_cgroups(lines, n - 1);
	return g_strdup(lines[n - 1]);
}

/* One line of what the program printed, without the hints behind '#' (transfer full). */
static char *
flatten(const char *complaint)
{
	g_auto(GStrv) lines = g_strsplit(complaint, "\n", -1);
	GString *flat = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		const char *said = g_strstrip(*line);

		if (*said != '\0' && *said != '#')
			g_string_append_printf(flat, "%s%s", flat->len > 0 ? " " : "", said);
	}
	return g_string_free(flat, FALSE);
}

static gboolean
fail(const char *program, const char *complaint, const char *text, GError **error)
{
	g_autofree char *said = flatten(complaint);
	g_autofree char *name = g_path_get_basename(program);
	g_autofree char *line = find_line(said, text);

	g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED, "%s%s%s%s%s",
		    g_str_has_prefix(said, name) ? "" : name,
		    g_str_has_prefix(said, name) ? "" : ": ", said, line != NULL ? ": " : "",
		    line != NULL ? line : "");
	return FALSE;
}

/* In the child: its standard input is the file. A client that is killed now has its helper killed,
 * too, and not change rules when the next one has begun. */
static void
prepare_child(gpointer input)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(*(int *)input, STDIN_FILENO);
}

/* A file, and no pipe, which would have to be written while the output is read. */
static gboolean
run(const char *const *command, const char *text, char **output, GError **error)
{
	g_auto(VpnrFd) input = vpnr_text_file(text, error);
	g_autofree char *complaint = NULL;
	g_autoptr(GError) why = NULL;
	int status;

	if (input < 0)
		return FALSE;
	if (!g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_CHILD_INHERITS_STDIN, prepare_child,
			  &input, output, &complaint, &status, &why))
		return fail(command[0], why->message, "", error);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TRUE;
	if (WIFSIGNALED(status))
		return fail(command[0], g_strsignal(WTERMSIG(status)), "", error);
	return fail(command[0], complaint, text, error);
}

static char *
need_program(VpnrIptablesVariant variant, int family, const char *what, GError **error)
{
	char *program = find_program(variant, family, what);

	if (program == NULL)
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED,
			    "%s-%s is not installed", family == AF_INET ? "iptables" : "ip6tables",
			    what);
	return program;
}

char *
vpnr_iptables_run_save(VpnrIptablesVariant variant, int family, GError **error)
{
	g_autofree char *program = need_program(variant, family, "save", error);
	g_autofree char *output = NULL;

	if (program == NULL || !run((const char *const[]){ program, NULL }, "", &output, error))
		return NULL;
	return g_steal_pointer(&output);
}

gboolean
vpnr_iptables_run_restore(VpnrIptablesVariant variant, int family, const char *text, GError **error)
{
	g_autofree char *program = need_program(variant, family, "restore", error);
	g_autofree char *output = NULL;

	return program != NULL &&
	       run((const char *const[]){ program, "--noflush", "-w", LOCK_SECONDS, NULL }, text,
		   &output, error);
}
