/* SPDX-License-Identifier: MIT
 *
 * relay: see relay.h. Two threads of a pool per connection, one for each direction.
 */
#include "tests/thread/relay.h"

#include <pthread.h>
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
};

typedef struct {
	Pair *pair;
	int from, to;
} Pump;

static void
pump_bytes(int from, int to)
{
	guint8 bytes[65536];

	for (;;) {
		gssize got = recv(from, bytes, sizeof bytes, 0);
		gssize sent = 0;

		while (got > 0 && sent < got) {
			gssize now = send(to, bytes + sent, (gsize)(got - sent), MSG_NOSIGNAL);

			if (now <= 0)
				return;
			sent += now;
		}
		if (got <= 0)
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

	pump_bytes(pump->from, pump->to);
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
	relay->acceptor = vpnr_accept_start(listen, "relay", on_accept, relay, &error);
	g_assert_no_error(error);
	return relay;
}

void
relay_cut(Relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	for (guint i = 0; i < relay->pairs->len; i++) {
		Pair *pair = relay->pairs->pdata[i];

		shutdown(pair->fds[0], SHUT_RDWR);
		shutdown(pair->fds[1], SHUT_RDWR);
	}
	pthread_mutex_unlock(&relay->lock);
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
