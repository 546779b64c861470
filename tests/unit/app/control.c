/* SPDX-License-Identifier: MIT
 *
 * control: both sides of the socket against each other, and callers that misbehave.
 *
 * Linked with --wrap=vpnr_deadline_after: the program waits for its callers as long as a test does,
 * except where that is what is tested. And with --wrap=accept4, which counts.
 */
#include "app/control.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/thread.h"
#include "tests/unit/app/mainloop.h"
#include "tests/unit/patience.h"

/* Bytes that do not fit into any socket's buffer. */
#define HUGE_ANSWER (16 * 1024 * 1024)

/* Whether the program's times are those of the test. */
static _Atomic gboolean patient;

gint64 __real_vpnr_deadline_after(int timeout_ms);
gint64 __wrap_vpnr_deadline_after(int timeout_ms);

gint64
__wrap_vpnr_deadline_after(int timeout_ms)
{
	return __real_vpnr_deadline_after(timeout_ms > 0 && atomic_load(&patient) ? PATIENCE_MS
										  : timeout_ms);
}

static _Atomic guint n_accepts;

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);

int
__wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	atomic_fetch_add(&n_accepts, 1);
	return __real_accept4(fd, addr, size, flags);
}

typedef struct {
	char *folder;
	char *path;
	VpnrControl *control;
	Mainloop loop;
	_Atomic guint asked;
} Fixture;

static char *
answer_status(gpointer data, GError **error)
{
	Fixture *fixture = data;

	atomic_fetch_add(&fixture->asked, 1);
	return g_strdup("{\"state\":\"connected\"}");
}

static char *
answer_huge(gpointer data, GError **error)
{
	g_autofree char *text = g_strnfill(HUGE_ANSWER, 'x');

	return g_strdup_printf("{\"huge\":\"%s\"}", text);
}

static char *
answer_list(gpointer data, GError **error)
{
	return g_strdup("[1]");
}

static char *
answer_number(gpointer data, GError **error)
{
	return g_strdup("{\"error\":1}");
}

static char *
fail(gpointer data, GError **error)
{
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "it went \"wrong\"\n\xff");
	return NULL;
}

static const VpnrControlCommand commands[] = {
	{ "status", answer_status }, { "huge", answer_huge }, { "list", answer_list },
	{ "number", answer_number }, { "fail", fail },        { NULL, NULL },
};

static void
start(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;

	fixture->control = vpnr_control_start(fixture->path, commands, fixture, &error);
	g_assert_no_error(error);
	mainloop_start(&fixture->loop);
}

static void
stop(Fixture *fixture)
{
	mainloop_stop(&fixture->loop);
	vpnr_control_stop(g_steal_pointer(&fixture->control));
}

static void
set_up_folder(Fixture *fixture, gconstpointer data)
{
	atomic_store(&patient, TRUE);
	fixture->folder = g_dir_make_tmp("vpnr-control-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "a", "b", "test.sock", NULL);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	set_up_folder(fixture, data);
	start(fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	g_autofree char *b = g_path_get_dirname(fixture->path);
	g_autofree char *a = g_path_get_dirname(b);

	if (fixture->control != NULL)
		stop(fixture);
	g_rmdir(b);
	g_rmdir(a);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->folder);
	g_free(fixture->path);
}

static int
make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static void
connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
}

/* A blocking connection. */
static int
dial(const char *path)
{
	int fd = make_socket();

	connect_to(fd, path);
	return fd;
}

/* All that comes until the end of the connection. */
static char *
receive_all(int fd)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char chunk[4096];
	ssize_t got;

	while ((got = recv(fd, chunk, sizeof chunk, 0)) > 0)
		g_string_append_len(text, chunk, got);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
assert_ask(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = vpnr_control_ask(fixture->path, "status", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(json, ==, "{\"state\":\"connected\"}");
}

static void
test_ask(Fixture *fixture, gconstpointer data)
{
	assert_ask(fixture);
	assert_ask(fixture);
	g_assert_cmpuint(atomic_load(&fixture->asked), ==, 2);
}

static void
test_ask_error(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_control_ask(fixture->path, "dance", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, fixture->path));
	g_assert_nonnull(strstr(error->message, "\"dance\" is no command of this program"));
	g_clear_error(&error);
	g_assert_null(vpnr_control_ask(fixture->path, "fail", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "it went \"wrong\""));
}

static void
test_ask_odd_answers(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = NULL;

	g_assert_null(vpnr_control_ask(fixture->path, "list", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	g_clear_error(&error);

	json = vpnr_control_ask(fixture->path, "number", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(json, ==, "{\"error\":1}");
}

static void
test_ask_huge(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = vpnr_control_ask(fixture->path, "huge", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(strlen(json), ==, HUGE_ANSWER + strlen("{\"huge\":\"\"}"));
}

static void
test_ask_nobody(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	stop(fixture);
	g_assert_null(vpnr_control_ask(fixture->path, "status", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT);
	g_assert_nonnull(strstr(error->message, fixture->path));
}

static void
test_file(Fixture *fixture, gconstpointer data)
{
	g_autofree char *folder = g_path_get_dirname(fixture->path);
	mode_t mask = umask(022);
	struct stat st;

	start(fixture);
	g_assert_cmpint(lstat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_mode, ==, S_IFSOCK | 0600);
	g_assert_cmpint(lstat(folder, &st), ==, 0);
	g_assert_cmpint(st.st_mode, ==, S_IFDIR | 0755);
	stop(fixture);
	g_assert_cmpint(lstat(fixture->path, &st), ==, -1);
	umask(mask);
}

/* Leaves what a process that was killed leaves. */
static void
make_stale(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
	close(fd);
}

static void
test_stale(Fixture *fixture, gconstpointer data)
{
	stop(fixture);
	make_stale(fixture->path);
	start(fixture);
	assert_ask(fixture);
}

static void
test_taken(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_control_start(fixture->path, commands, fixture, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_TAKEN);
	g_assert_nonnull(strstr(error->message, fixture->path));
	assert_ask(fixture);
}

static void
test_not_a_socket(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_test_summary("A file that is no socket is never removed, nor one that came later.");
	g_assert_cmpint(g_unlink(fixture->path), ==, 0);
	g_assert_true(g_file_set_contents(fixture->path, "precious", -1, NULL));
	g_assert_null(vpnr_control_start(fixture->path, commands, fixture, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	stop(fixture);
	g_assert_cmpint(g_unlink(fixture->path), ==, 0);
}

static void
test_bad_paths(void)
{
	g_autofree char *longest = g_strnfill(107 - strlen("/nonexistent/"), 'x');
	g_autofree char *fits = g_strconcat("/nonexistent/", longest, NULL);
	g_autofree char *too_long = g_strconcat(fits, "x", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_control_start(too_long, commands, NULL, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, too_long));
	g_clear_error(&error);

	g_assert_null(vpnr_control_ask(fits, "status", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_ABSENT);
	g_clear_error(&error);

	g_assert_null(vpnr_control_start("/dev/null/x.sock", commands, NULL, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "/dev/null"));
}

static void
test_bad_requests(Fixture *fixture, gconstpointer data)
{
	g_autofree char *at_limit = g_strnfill(255, 'x');
	g_autofree char *at_limit_line = g_strconcat(at_limit, "\n", NULL);
	g_autofree char *above = g_strnfill(256, 'x');
	const struct {
		const char *bytes;
		const char *error;
	} rows[] = {
		{ "", "no command came" },
		{ "status", "no command came" },
		{ "sta\x01us\n", "plain text" },
		{ "st\xc3\xa4tus\n", "plain text" },
		{ at_limit_line, "is no command" },
		{ above, "too long" },
		{ "\n", "is no command" },
		{ "statu\n", "is no command" },
		{ "fail\n", "it went" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(VpnrFd) fd = dial(fixture->path);
		gsize n = strlen(rows[i].bytes);

		g_test_message("request %zu", i);
		g_assert_cmpint(send(fd, rows[i].bytes, n, MSG_NOSIGNAL), ==, n);
		g_assert_cmpint(shutdown(fd, SHUT_WR), ==, 0);
		g_autofree char *answer = receive_all(fd);
		g_assert_true(g_str_has_prefix(answer, "{\"error\":\""));
		g_assert_true(g_str_has_suffix(answer, "\"}\n"));
		g_assert_nonnull(strstr(answer, rows[i].error));
		g_assert_true(g_utf8_validate(answer, -1, NULL));
	}
}

static void
test_pieces(Fixture *fixture, gconstpointer data)
{
	g_auto(VpnrFd) fd = dial(fixture->path);

	for (const char *c = "status\n"; *c != '\0'; c++)
		g_assert_cmpint(send(fd, c, 1, MSG_NOSIGNAL), ==, 1);
	g_autofree char *answer = receive_all(fd);
	g_assert_cmpstr(answer, ==, "{\"state\":\"connected\"}\n");
}

static void
test_silent_caller(Fixture *fixture, gconstpointer data)
{
	g_test_summary("A caller who says nothing is sent away, others are served meanwhile.");

	g_auto(VpnrFd) fd = -1;

	atomic_store(&patient, FALSE);
	fd = dial(fixture->path);
	assert_ask(fixture);
	g_autofree char *answer = receive_all(fd);
	g_assert_nonnull(strstr(answer, "in time"));
}

static void
test_too_many_callers(Fixture *fixture, gconstpointer data)
{
	int fds[8];

	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = dial(fixture->path);
	g_autoptr(GError) error = NULL;
	g_assert_null(vpnr_control_ask(fixture->path, "status", &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "try again"));
	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}

/* Opens descriptors until there are no more. */
static GArray *
use_up_descriptors(void)
{
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
	int fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		g_array_append_val(fds, fd);
	g_assert_cmpint(errno, ==, EMFILE);
	return fds;
}

/* Returns what it was. */
static struct rlimit
limit_descriptors(rlim_t n)
{
	struct rlimit before;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	struct rlimit low = { MIN(before.rlim_cur, n), before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &low), ==, 0);
	return before;
}

static void
test_no_descriptors(Fixture *fixture, gconstpointer data)
{
	struct rlimit before = limit_descriptors(64);

	/* The socket of the caller is there before the descriptors are gone. */
	g_auto(VpnrFd) fd = make_socket();
	g_autoptr(GArray) fds = use_up_descriptors();
	connect_to(fd, fixture->path);
	g_autofree char *answer = receive_all(fd);
	g_assert_nonnull(strstr(answer, "no descriptor is left"));

	for (guint i = 0; i < fds->len; i++)
		close(g_array_index(fds, int, i));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	assert_ask(fixture);
}

static void
test_not_even_the_spare(Fixture *fixture, gconstpointer data)
{
	g_test_summary("A caller who can not even be turned away waits, and does not keep the "
		       "program busy.");

	g_auto(VpnrFd) fd = make_socket();
	struct rlimit before = limit_descriptors(STDERR_FILENO + 1);
	gint64 begin = g_get_monotonic_time();
	guint first = atomic_load(&n_accepts);

	connect_to(fd, fixture->path);
	/* Two calls a time, and 100 ms to the next. */
	while (atomic_load(&n_accepts) < first + 6)
		patience(begin);
	g_assert_cmpint(g_get_monotonic_time() - begin, >, 150000);

	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	/* It may just have been about to be turned away. */
	(void)!send(fd, "status\n", 7, MSG_NOSIGNAL);
	g_autofree char *answer = receive_all(fd);
	g_assert_cmpstr(answer, !=, "");
	assert_ask(fixture);
}

static void
test_stop_silent(Fixture *fixture, gconstpointer data)
{
	g_auto(VpnrFd) fd = dial(fixture->path);
	gint64 began = g_get_monotonic_time();

	g_test_summary("A stop does not wait for a caller who says nothing.");
	assert_ask(fixture); /* so the silent one has been accepted */
	stop(fixture);
	g_assert_cmpint(g_get_monotonic_time() - began, <, PATIENCE_MS * (gint64)1000 / 2);
	g_autofree char *answer = receive_all(fd);
	g_assert_cmpstr(answer, ==, "");
}

static void
test_stop_slow(Fixture *fixture, gconstpointer data)
{
	g_test_summary("Nor for longer than a second for one who does not read.");

	g_auto(VpnrFd) fd = dial(fixture->path);
	char byte;

	atomic_store(&patient, FALSE);
	g_assert_cmpint(send(fd, "huge\n", 5, MSG_NOSIGNAL), ==, 5);
	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 1); /* the answer is under way */
	stop(fixture);
	g_autofree char *answer = receive_all(fd);
	g_assert_cmpuint(strlen(answer), <, HUGE_ANSWER);
}

static void
test_stop_null(void)
{
	vpnr_control_stop(NULL);
}

static void
ask_often(gpointer data)
{
	for (guint i = 0; i < 50; i++)
		assert_ask(data);
}

static void
test_together(Fixture *fixture, gconstpointer data)
{
	VpnrThread *threads[4];

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
		threads[i] = vpnr_thread_start("asker", ask_often, fixture, NULL);
		g_assert_nonnull(threads[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		vpnr_thread_join(threads[i]);
	g_assert_cmpuint(atomic_load(&fixture->asked), ==, 200);
}

static void
add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
	g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/control/ask", test_ask);
	add("/control/ask/error", test_ask_error);
	add("/control/ask/odd-answers", test_ask_odd_answers);
	add("/control/ask/huge", test_ask_huge);
	add("/control/ask/nobody", test_ask_nobody);
	g_test_add("/control/file", Fixture, NULL, set_up_folder, test_file, tear_down);
	add("/control/stale", test_stale);
	add("/control/taken", test_taken);
	add("/control/not-a-socket", test_not_a_socket);
	g_test_add_func("/control/bad-paths", test_bad_paths);
	add("/control/bad-requests", test_bad_requests);
	add("/control/pieces", test_pieces);
	add("/control/together", test_together);
	add("/control/silent-caller", test_silent_caller);
	add("/control/too-many-callers", test_too_many_callers);
	add("/control/no-descriptors", test_no_descriptors);
	add("/control/not-even-the-spare", test_not_even_the_spare);
	add("/control/stop/silent", test_stop_silent);
	add("/control/stop/slow", test_stop_slow);
	g_test_add_func("/control/stop/null", test_stop_null);
	return g_test_run();
}
