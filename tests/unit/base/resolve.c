/* SPDX-License-Identifier: MIT
 *
 * resolve: look-ups against a name server of our own.
 *
 * The program moves into a network and mount namespace where /etc/hosts and /etc/resolv.conf are
 * its own and 127.0.0.1:53 is free. Where the system does not allow that, only what needs no
 * name server is tested.
 */
#include "base/resolve.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"

#define HEADER_SIZE 12 /* RFC 1035, section 4.1.1 */
#define TYPE_A      1
#define TYPE_AAAA   28

/* Response codes (RFC 1035, section 4.1.1), and one for a server that keeps silent. */
enum { NO_ERROR = 0, SERVER_FAILURE = 2, NAME_ERROR = 3, SILENCE = 256 };

/* What the server says to a question of a type; 'size' bytes of address, or none. */
typedef struct {
	const char *name;
	guint16 type;
	int code;
	gsize size;
	guint8 address[16];
} Record;

static const Record zone[] = {
	{ "both.test", TYPE_A, NO_ERROR, 4, { 127, 0, 0, 9 } },
	{ "both.test", TYPE_AAAA, NO_ERROR, 16, { [15] = 1 } },
	{ "four.test", TYPE_A, NO_ERROR, 4, { 127, 0, 0, 4 } },
	{ "four.test", TYPE_AAAA, NO_ERROR, 0, { 0 } },
	{ "empty.test", TYPE_A, NO_ERROR, 0, { 0 } },
	{ "empty.test", TYPE_AAAA, NO_ERROR, 0, { 0 } },
	{ "broken.test", TYPE_A, SERVER_FAILURE, 0, { 0 } },
	{ "broken.test", TYPE_AAAA, SERVER_FAILURE, 0, { 0 } },
	{ "silent.test", TYPE_A, SILENCE, 0, { 0 } },
	{ "silent.test", TYPE_AAAA, SILENCE, 0, { 0 } },
};

static const Record unknown = { .code = NAME_ERROR };

typedef struct {
	VpnrFd fd;
	VpnrLatch *stop;
	VpnrLatch *kept_silent;
	VpnrThread *thread;
} NameServer;

static gboolean in_namespace;

/* What the kernel would take from root only. */
#define MARK 0x1234
static guint marked;
static gboolean refuse_marks;

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);

int
__wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	if (level != SOL_SOCKET || option != SO_MARK)
		return __real_setsockopt(fd, level, option, value, size);
	g_assert_cmpuint(size, ==, sizeof(guint32));
	g_assert_cmphex(*(const guint32 *)value, ==, MARK);
	marked++;
	errno = EPERM;
	return refuse_marks ? -1 : 0;
}

/* Reads the name at p as text; returns the number of bytes that it took on the wire. */
static gsize
read_name(const guint8 *p, GString *name)
{
	const guint8 *start = p;

	for (; *p != 0; p += *p + 1) {
		if (name->len > 0)
			g_string_append_c(name, '.');
		g_string_append_len(name, (const char *)p + 1, *p);
	}
	return (gsize)(p + 1 - start);
}

static const Record *
find_record(const char *name, guint16 type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(zone); i++)
		if (g_ascii_strcasecmp(zone[i].name, name) == 0 && zone[i].type == type)
			return &zone[i];
	return &unknown;
}

/* Turns the question in packet into its answer; returns the new size. The question stays, without
 * what may come after it; the answer's name is a pointer to the question's. */
static gsize
write_answer(guint8 *packet, gsize question_end, const Record *record)
{
	const guint8 answer[] = { 0xc0, HEADER_SIZE,         0, (guint8)record->type, 0, 1, 0, 0, 0,
				  60, /* seconds to live */
				  0,    (guint8)record->size };
	gsize n = question_end;

	packet[2] = 0x81; /* response, recursion desired */
	packet[3] = (guint8)(0x80 | record->code);
	memset(packet + 6, 0, 6);
	if (record->size > 0) {
		packet[7] = 1;
		memcpy(packet + n, answer, sizeof(answer));
		memcpy(packet + n + sizeof(answer), record->address, record->size);
		n += sizeof(answer) + record->size;
	}
	return n;
}

static void
answer_one(NameServer *server)
{
	g_autoptr(GString) name = g_string_new(NULL);
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	guint8 packet[1024] = { 0 };
	gssize n = recvfrom(server->fd, packet, 512, 0, (struct sockaddr *)&peer, &length);
	const Record *record;
	gsize end;

	g_assert_cmpint(n, >, HEADER_SIZE);
	end = HEADER_SIZE + read_name(packet + HEADER_SIZE, name);
	record = find_record(name->str, (guint16)(packet[end] << 8 | packet[end + 1]));
	if (record->code == SILENCE) {
		vpnr_latch_trip(server->kept_silent);
		return;
	}
	n = (gssize)write_answer(packet, end + 4, record);
	sendto(server->fd, packet, (gsize)n, 0, (struct sockaddr *)&peer, length);
}

static void
serve(gpointer data)
{
	NameServer *server = data;
	struct pollfd pollfds[] = {
		{ .fd = server->fd, .events = POLLIN },
		{ .fd = vpnr_latch_fd(server->stop), .events = POLLIN },
	};

	while (!vpnr_latch_is_tripped(server->stop)) {
		poll(pollfds, G_N_ELEMENTS(pollfds), -1);
		if (pollfds[0].revents != 0)
			answer_one(server);
	}
}

static NameServer *
name_server_start(void)
{
	NameServer *server = g_new0(NameServer, 1);
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 53, .ip4 = { 127, 0, 0, 1 } };
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(&addr, &ss);

	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(server->fd, (struct sockaddr *)&ss, length), ==, 0);
	server->stop = vpnr_latch_new(NULL);
	server->kept_silent = vpnr_latch_new(NULL);
	server->thread = vpnr_thread_start("name-server", serve, server, NULL);
	g_assert_nonnull(server->thread);
	return server;
}

static void
name_server_stop(NameServer *server)
{
	vpnr_latch_trip(server->stop);
	vpnr_thread_join(server->thread);
	vpnr_latch_free(server->stop);
	vpnr_latch_free(server->kept_silent);
	vpnr_fd_close(server->fd);
	g_free(server);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NameServer, name_server_stop)

static GArray *
resolve(const char *text, const VpnrCancel *cancel, GError **error)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(text, 0, &addr, NULL));
	return vpnr_resolve(&addr, VPNR_RESOLVE_TIMEOUT_MS, cancel, error);
}

static gint
compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* expected is the addresses as text, sorted, with spaces between. */
static void
assert_resolves(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) addrs = resolve(text, &VPNR_CANCEL_NEVER, &error);
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *joined = NULL;

	g_assert_no_error(error);
	for (guint i = 0; i < addrs->len; i++) {
		char buf[VPNR_ADDR_STRLEN];

		vpnr_addr_format(&g_array_index(addrs, VpnrAddr, i), buf);
		g_ptr_array_add(texts, g_strdup(buf));
	}
	g_ptr_array_sort(texts, compare_texts);
	g_ptr_array_add(texts, NULL);
	joined = g_strjoinv(" ", (char **)texts->pdata);
	g_assert_cmpstr(joined, ==, expected);
}

static void
assert_fails(const char *text, VpnrResolveError code)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strndup(text, strcspn(text, ":"));

	g_assert_null(resolve(text, &VPNR_CANCEL_NEVER, &error));
	g_assert_error(error, VPNR_RESOLVE_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, name));
}

static void
test_literal(void)
{
	assert_resolves("192.0.2.1:80", "192.0.2.1:80");
	assert_resolves("[2001:db8::1]:80", "[2001:db8::1]:80");
}

static gboolean
skip_outside_namespace(void)
{
	if (!in_namespace)
		g_test_skip("the system allows no namespace of our own");
	return !in_namespace;
}

static void
test_hosts(void)
{
	if (skip_outside_namespace())
		return;
	assert_resolves("own.host:443", "10.1.2.3:443 10.1.2.4:443");
	assert_resolves("localhost:1", "127.0.0.1:1 [::1]:1");
}

static void
test_found(void)
{
	g_autoptr(NameServer) server = NULL;

	if (skip_outside_namespace())
		return;
	server = name_server_start();
	assert_resolves("both.test:443", "127.0.0.9:443 [::1]:443");
	assert_resolves("four.test:80", "127.0.0.4:80");
	assert_resolves("FOUR.test.:80", "127.0.0.4:80");
}

static void
test_marked(void)
{
	g_autoptr(NameServer) server = NULL;
	VpnrCancel cancel = { .fd = -1 };
	g_autoptr(GError) error = NULL;
	VpnrAddr addr;

	g_test_summary("Every socket is marked; without the right to do so nobody is asked.");
	if (skip_outside_namespace())
		return;
	server = name_server_start();
	g_assert_true(vpnr_addr_parse("four.test:80", 0, &addr, NULL));
	marked = 0;
	g_autoptr(GArray) addrs = vpnr_resolve_marked(&addr, MARK, 5000, &cancel, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(addrs->len, ==, 1);
	g_assert_cmpuint(marked, >, 0);

	refuse_marks = TRUE;
	g_assert_null(vpnr_resolve_marked(&addr, MARK, 5000, &cancel, &error));
	g_assert_nonnull(error);
	refuse_marks = FALSE;
}

static void
test_not_found(void)
{
	g_autoptr(NameServer) server = NULL;

	if (skip_outside_namespace())
		return;
	server = name_server_start();
	assert_fails("none.test:80", VPNR_RESOLVE_ERROR_NOT_FOUND);
	assert_fails("empty.test:80", VPNR_RESOLVE_ERROR_NOT_FOUND);
}

static void
test_failed(void)
{
	g_autoptr(NameServer) server = NULL;

	if (skip_outside_namespace())
		return;
	server = name_server_start();
	assert_fails("broken.test:80", VPNR_RESOLVE_ERROR_FAILED);
}

static void
test_cancelled(void)
{
	g_test_summary("The name server has been asked, says nothing, and nobody waits for it.");

	g_autoptr(NameServer) server = NULL;
	g_autoptr(GError) error = NULL;
	VpnrCancel cancel;

	if (skip_outside_namespace())
		return;
	server = name_server_start();
	cancel = (VpnrCancel){ .fd = vpnr_latch_fd(server->kept_silent) };
	g_assert_null(resolve("silent.test:80", &cancel, &error));
	g_assert_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_CANCELLED);
}

static void
test_timed_out(void)
{
	g_autoptr(NameServer) server = NULL;
	gint64 start = g_get_monotonic_time();
	gint64 took;

	if (skip_outside_namespace())
		return;
	if (!g_test_slow()) {
		g_test_skip("waits for VPNR_RESOLVE_TIMEOUT_MS; run with -m slow");
		return;
	}
	server = name_server_start();
	assert_fails("silent.test:80", VPNR_RESOLVE_ERROR_TIMED_OUT);
	took = g_get_monotonic_time() - start;
	g_assert_cmpint(took, <, (VPNR_RESOLVE_TIMEOUT_MS + 1000) * 1000);
}

static void
test_short_of_time(void)
{
	g_autoptr(NameServer) server = NULL;
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	VpnrAddr addr;

	if (skip_outside_namespace())
		return;
	server = name_server_start();
	g_assert_true(vpnr_addr_parse("silent.test:80", 0, &addr, NULL));
	g_assert_null(vpnr_resolve(&addr, 50, &VPNR_CANCEL_NEVER, &error));
	g_assert_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_TIMED_OUT);
	g_assert_cmpint(g_get_monotonic_time() - start, <, VPNR_RESOLVE_TIMEOUT_MS * (gint64)1000);
}

/* Puts a file of ours in the place of path, for this program only. */
static gboolean
replace_file(const char *path, const char *contents)
{
	g_autofree char *file = NULL;
	int fd = g_file_open_tmp("vpnr-XXXXXX", &file, NULL);
	gboolean done;

	g_assert_cmpint(fd, >=, 0);
	vpnr_fd_close(fd);
	g_assert_true(g_file_set_contents(file, contents, -1, NULL));
	done = mount(file, path, NULL, MS_BIND, NULL) == 0;
	unlink(file);
	return done;
}

static gboolean
raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* Root may have the namespaces at once; others need a user namespace, in which a process with
 * threads (ThreadSanitizer has one of its own) cannot be. */
static gboolean
enter_namespace(void)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET;

	if (unshare(flags) < 0 && unshare(flags | CLONE_NEWUSER) < 0)
		return FALSE;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && raise_loopback() &&
	       replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\n") &&
	       replace_file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"
					  "10.1.2.3 own.host\n10.1.2.4 own.host\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	in_namespace = enter_namespace();
	g_test_add_func("/resolve/literal", test_literal);
	g_test_add_func("/resolve/hosts", test_hosts);
	g_test_add_func("/resolve/found", test_found);
	g_test_add_func("/resolve/marked", test_marked);
	g_test_add_func("/resolve/not-found", test_not_found);
	g_test_add_func("/resolve/failed", test_failed);
	g_test_add_func("/resolve/cancelled", test_cancelled);
	g_test_add_func("/resolve/timed-out", test_timed_out);
	g_test_add_func("/resolve/short-of-time", test_short_of_time);
	return g_test_run();
}
