/* SPDX-License-Identifier: MIT
 *
 * relay: see relay.h. Two threads of a pool per connection, one for each direction.
 */
#include "tests/thread/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/accept.h"
#include "base/fd.h"
#include "base/pool.h"
#include "tests/unit/loopback.h"

/* A connection: closed by whichever direction ends last. */
typedef struct {
	Relay *relay;
	int fds[2];
	guint n_pumps; /* lock of the relay */
} Pair;

struct Relay {
	/* const after start */
	VpnrAddr target;
	VpnrAccept *acceptor;
	VpnrPool *pool;
	/* lock */
	pthread_mutex_t lock;
	GPtrArray *pairs;
	gboolean cutting; /* after bytes_left more */
	guint64 bytes_left;
	/* atomic */
	_Atomic guint n_cuts;
};

typedef struct {
	Pair *pair;
	int from, to;
} Pump;

static void
cut_locked(Relay *relay)
{
	for (guint i = 0; i < relay->pairs->len; i++) {
		Pair *pair = relay->pairs->pdata[i];

		shutdown(pair->fds[0], SHUT_RDWR);
		shutdown(pair->fds[1], SHUT_RDWR);
	}
	relay->cutting = FALSE;
	atomic_fetch_add(&relay->n_cuts, 1);
}

/* How many of the bytes that have come may go on. */
static gsize
take_bytes(Relay *relay, gsize n)
{
	pthread_mutex_lock(&relay->lock);
	if (relay->cutting) {
		n = (gsize)MIN(n, relay->bytes_left);
		relay->bytes_left -= n;
	}
	pthread_mutex_unlock(&relay->lock);
	return n;
}

static void
cut_if_due(Relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	if (relay->cutting && relay->bytes_left == 0)
		cut_locked(relay);
	pthread_mutex_unlock(&relay->lock);
}

static gboolean
send_all(int fd, const guint8 *bytes, gsize n)
{
	while (n > 0) {
		gssize sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return FALSE;
		bytes += sent;
		n -= (gsize)sent;
	}
	return TRUE;
}

static void
pump_bytes(Relay *relay, int from, int to)
{
	guint8 bytes[65536];
	gssize got;

	while ((got = recv(from, bytes, sizeof bytes, 0)) > 0) {
		gboolean ok = send_all(to, bytes, take_bytes(relay, (gsize)got));

		cut_if_due(relay);
		if (!ok)
			return;
	}
}

static void
run_pump(gpointer data)
{
	g_autofree Pump *pump = data;
	Pair *pair = pump->pair;
	Relay *relay = pair->relay;
	gboolean last;

	pump_bytes(relay, pump->from, pump->to);
	shutdown(pump->to, SHUT_WR);
	pthread_mutex_lock(&relay->lock);
	last = --pair->n_pumps == 0;
	if (last)
		g_ptr_array_remove_fast(relay->pairs, pair);
	pthread_mutex_unlock(&relay->lock);
	if (!last)
		return;
	vpnr_fd_close(pair->fds[0]);
	vpnr_fd_close(pair->fds[1]);
	g_free(pair);
}

static void
start_pump(Pair *pair, guint from)
{
	Pump *pump = g_new0(Pump, 1);

	pump->pair = pair;
	pump->from = pair->fds[from];
	pump->to = pair->fds[1 - from];
	g_assert_true(vpnr_pool_run(pair->relay->pool, run_pump, pump));
}

static void
on_accept(int fd, const VpnrAddr *peer, gpointer data)
{
	Relay *relay = data;
	int target = loopback_try_connect(&relay->target);
	Pair *pair;

	if (target < 0) {
		vpnr_fd_abort(fd);
		return;
	}
	loopback_set_blocking(fd, TRUE);
	vpnr_fd_set_nodelay(fd);
	pair = g_new0(Pair, 1);
	pair->relay = relay;
	pair->fds[0] = fd;
	pair->fds[1] = target;
	pair->n_pumps = 2;
	pthread_mutex_lock(&relay->lock);
	g_ptr_array_add(relay->pairs, pair);
	pthread_mutex_unlock(&relay->lock);
	start_pump(pair, 0);
	start_pump(pair, 1);
}

Relay *
relay_start(const VpnrAddr *listen, const VpnrAddr *target)
{
	Relay *relay = g_new0(Relay, 1);
	g_autoptr(GError) error = NULL;

	relay->target = *target;
	relay->pool = vpnr_pool_new("relay", 1000);
	pthread_mutex_init(&relay->lock, NULL);
	relay->pairs = g_ptr_array_new();
	relay->acceptor =
	    vpnr_accept_new(vpnr_fd_listen(listen, &error), "relay", on_accept, relay);
	g_assert_no_error(error);
	g_assert_true(vpnr_accept_start(relay->acceptor, NULL));
	return relay;
}

void
relay_cut(Relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	cut_locked(relay);
	pthread_mutex_unlock(&relay->lock);
}

void
relay_cut_after(Relay *relay, guint64 n)
{
	pthread_mutex_lock(&relay->lock);
	relay->cutting = TRUE;
	relay->bytes_left = n;
	pthread_mutex_unlock(&relay->lock);
}

guint
relay_n_cuts(const Relay *relay)
{
	return atomic_load(&relay->n_cuts);
}

void
relay_stop(Relay *relay)
{
	if (relay == NULL)
		return;
	vpnr_accept_stop(relay->acceptor);
	relay_cut(relay);
	vpnr_pool_free(relay->pool);
	g_ptr_array_unref(relay->pairs);
	pthread_mutex_destroy(&relay->lock);
	g_free(relay);
}
