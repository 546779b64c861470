/* SPDX-License-Identifier: MIT
 *
 * log: the exact bytes of a line. Standard error is a pipe while a line is written.
 */
#include "base/log.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

typedef struct {
	int saved;
	int read_end;
} Capture;

static Capture
capture_begin(void)
{
	Capture capture = { .saved = dup(STDERR_FILENO) };
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	dup2(fds[1], STDERR_FILENO);
	vpnr_fd_close(fds[1]);
	capture.read_end = fds[0];
	return capture;
}

/* What was written since, as a string (transfer full). */
static char *
capture_end(Capture *capture)
{
	char *text = g_malloc0(4096);
	gssize n;

	dup2(capture->saved, STDERR_FILENO);
	vpnr_fd_close(capture->saved);
	n = read(capture->read_end, text, 4095);
	g_assert_cmpint(n, >=, 0);
	vpnr_fd_close(capture->read_end);
	return text;
}

#define assert_logs(expected, ...)                                                                 \
	do {                                                                                       \
		Capture capture = capture_begin();                                                 \
		g_autofree char *text = NULL;                                                      \
                                                                                                   \
		vpnr_log(__VA_ARGS__);                                                             \
		text = capture_end(&capture);                                                      \
		g_assert_cmpstr(text, ==, expected);                                               \
	} while (0)

static void
test_line(void)
{
	assert_logs("log: error: cannot open \"x\": 7\n", VPNR_LOG_ERROR, "cannot open \"%s\": %d",
		    "x", 7);
	assert_logs("log: warning: w\n", VPNR_LOG_WARN, "w");
	assert_logs("log: info: i\n", VPNR_LOG_INFO, "i");
}

static void
test_level(void)
{
	assert_logs("", VPNR_LOG_DEBUG, "d");
	g_assert_false(vpnr_log_enabled(VPNR_LOG_DEBUG));

	vpnr_log_set_level(VPNR_LOG_DEBUG);
	g_assert_true(vpnr_log_enabled(VPNR_LOG_DEBUG));
	assert_logs("log: debug: d\n", VPNR_LOG_DEBUG, "d");

	vpnr_log_set_level(VPNR_LOG_ERROR);
	assert_logs("", VPNR_LOG_WARN, "w");
	vpnr_log_set_level(VPNR_LOG_INFO);
}

static void
test_controls(void)
{
	g_test_summary("A peer can neither forge a line nor talk to the terminal.");

	assert_logs("log: info: a?b?c?d?[0m\n", VPNR_LOG_INFO, "%s",
		    "a\nb\rc\x7f"
		    "d\033[0m");
	assert_logs("log: info: ??31m \xc3\xa4\n", VPNR_LOG_INFO, "%s",
		    "\xc2\x9b"
		    "31m \xc3\xa4");
}

static void
test_cut(void)
{
	g_autofree char *longest = g_strnfill(1000, 'x');
	g_autofree char *expected = g_strdup_printf("log: info: %s\n", longest);

	assert_logs(expected, VPNR_LOG_INFO, "%s", longest);
	assert_logs(expected, VPNR_LOG_INFO, "%sy", longest);
}

static void
test_journal(void)
{
	Capture capture = capture_begin();
	g_autofree char *stream = NULL;
	g_autofree char *text = NULL;
	struct stat st;

	g_assert_cmpint(fstat(STDERR_FILENO, &st), ==, 0);
	stream = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	g_assert_true(g_setenv("JOURNAL_STREAM", stream, TRUE));
	vpnr_log(VPNR_LOG_WARN, "w");
	text = capture_end(&capture);
	g_unsetenv("JOURNAL_STREAM");
	g_assert_cmpstr(text, ==, "<4>log: warning: w\n");
}

static void
test_inherited(void)
{
	g_test_summary("A terminal on a desktop has the variable of the service it belongs to.");

	g_assert_true(g_setenv("JOURNAL_STREAM", "8:1", TRUE));
	assert_logs("log: warning: w\n", VPNR_LOG_WARN, "w");
	g_unsetenv("JOURNAL_STREAM");
}

static guint
count_lines(const char *text)
{
	guint n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
test_nobody_reads(void)
{
	g_test_summary("Who does not read the log stops nobody, and is told what he has missed.");

	Capture capture = capture_begin();
	int size = fcntl(capture.read_end, F_SETPIPE_SZ, 2 * sysconf(_SC_PAGESIZE));
	guint n_lines = 2 * (guint)size / 1000; /* more than fit */
	g_autofree char *all = g_malloc0((gsize)size + 1);
	g_autofree char *text = NULL;
	gssize n;

	vpnr_log(VPNR_LOG_INFO, "first");
	for (guint i = 1; i < n_lines; i++)
		vpnr_log(VPNR_LOG_INFO, "%01000u", i);
	n = read(capture.read_end, all, (gsize)size);
	vpnr_log(VPNR_LOG_INFO, "last");
	text = capture_end(&capture);
	g_assert_cmpint(n, >, 0);
	g_assert_true(g_str_has_prefix(all, "log: info: first\n"));
	g_assert_true(g_str_has_suffix(all, "\n")); /* whole lines */
	g_assert_true(g_str_has_prefix(text, "log: warning: "));
	g_assert_true(
	    g_str_has_suffix(text, " lines could not be written here\nlog: info: last\n"));
	g_assert_cmpuint(count_lines(all) + (guint)atoi(text + strlen("log: warning: ")), ==,
			 n_lines);
}

int
main(int argc, char **argv)
{
	g_unsetenv("JOURNAL_STREAM");
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/line", test_line);
	g_test_add_func("/log/level", test_level);
	g_test_add_func("/log/controls", test_controls);
	g_test_add_func("/log/cut", test_cut);
	g_test_add_func("/log/journal", test_journal);
	g_test_add_func("/log/inherited", test_inherited);
	g_test_add_func("/log/nobody-reads", test_nobody_reads);
	return g_test_run();
}
