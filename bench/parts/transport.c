/* SPDX-License-Identifier: MIT
 *
 * transport: what bytes cost from one end of a link to the other, one thread sending and one
 * receiving, over a loopback connection that is set up as a link's is. Plain, it is the kernel's
 * part alone.
 */
#include "link/transport.h"

#include <err.h>

#include "app/keys.h"
#include "base/fd.h"
#include "base/thread.h"
#include "bench/parts/subjects.h"
#include "link/batch.h"
#include "link/link.h"
#include "link/tls.h"
#include "proto/v2.h"
#include "tests/unit/loopback.h"

/* Room for what comes: as much as a link's reader has. */
#define ROOM (2 * VPNR_V2_FRAME_MAX)

/* --- connections ------------------------------------------------------------------------------ */

typedef struct {
	VpnrTransport *sender, *receiver;
	guint8 *bytes, *room;
	gsize batch;  /* bytes of one send */
	guint64 left; /* receiving thread: what is still to come */
} Pipe;

/* One side of a handshake. */
typedef struct {
	VpnrRole role;
	int fd;
	VpnrKey key;
	VpnrTransport *transport;
} Side;

static gboolean
is_any(const VpnrKey *peer, gpointer data)
{
	return TRUE;
}

static void
shake(gpointer data)
{
	Side *side = data;
	g_autoptr(GError) error = NULL;
	VpnrTlsParams params = { .role = side->role,
				 .private_key = &side->key,
				 .authorise = is_any,
				 .timeout_ms = 10000,
				 .cancel_fd = -1 };

	if (vpnr_keys_generate(&side->key, &error))
		side->transport = vpnr_tls_handshake(side->fd, &params, NULL, &error);
	if (side->transport == NULL)
		errx(1, "handshake: %s", error->message);
}

static VpnrThread *
start(VpnrThreadFunc func, gpointer data)
{
	g_autoptr(GError) error = NULL;
	VpnrThread *thread = vpnr_thread_start("other", func, data, &error);

	if (thread == NULL)
		errx(1, "%s", error->message);
	return thread;
}

static void
connect_tls(Pipe *pipe, int ours, int theirs)
{
	Side client = { .role = VPNR_ROLE_CLIENT, .fd = ours };
	Side server = { .role = VPNR_ROLE_SERVER, .fd = theirs };
	VpnrThread *thread = start(shake, &server);

	shake(&client);
	vpnr_thread_join(thread);
	pipe->sender = client.transport;
	pipe->receiver = server.transport;
}

static void
connect_plain(Pipe *pipe, int ours, int theirs)
{
	pipe->sender = vpnr_transport_new_plain(ours);
	pipe->receiver = vpnr_transport_new_plain(theirs);
}

static void
pipe_init(Pipe *pipe, gsize batch, void (*connect)(Pipe *pipe, int ours, int theirs))
{
	int ours, theirs;

	loopback_pair(&ours, &theirs);
	loopback_set_blocking(theirs, FALSE);
	vpnr_link_prepare_socket(ours, VPNR_PROTOCOL_V2);
	vpnr_link_prepare_socket(theirs, VPNR_PROTOCOL_V2);
	pipe->batch = batch;
	pipe->bytes = g_malloc0(batch);
	pipe->room = g_malloc0(ROOM);
	connect(pipe, ours, theirs);
}

static void
pipe_clear(Pipe *pipe)
{
	vpnr_transport_free(pipe->sender);
	vpnr_transport_free(pipe->receiver);
	g_free(pipe->bytes);
	g_free(pipe->room);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pipe, pipe_clear)

/* --- measured --------------------------------------------------------------------------------- */

static void
receive(gpointer data)
{
	Pipe *pipe = data;

	while (pipe->left > 0) {
		gssize n = vpnr_transport_recv(pipe->receiver, pipe->room, ROOM, -1);

		if (n > 0)
			pipe->left -= (guint64)n;
		else if (n != VPNR_TRANSPORT_MORE)
			errx(1, "receive: %s", vpnr_transport_error(pipe->receiver));
	}
}

static void
transfer(gpointer data, guint64 times)
{
	Pipe *pipe = data;
	VpnrThread *thread;

	pipe->left = times * pipe->batch;
	thread = start(receive, pipe);
	for (; times > 0; times--)
		if (!vpnr_transport_send(pipe->sender, pipe->bytes, pipe->batch))
			err(1, "send");
	vpnr_thread_join(thread);
}

static void
measure_batch(Measure *measure, gsize batch)
{
	g_auto(Pipe) plain = { 0 };
	g_auto(Pipe) tls = { 0 };
	g_autofree char *plain_name = g_strdup_printf("plain, batches of %zu", batch);
	g_autofree char *tls_name = g_strdup_printf("TLS, batches of %zu", batch);
	const Work works[] = {
		{ plain_name, transfer, &plain, 1, batch },
		{ tls_name, transfer, &tls, 1, batch },
	};

	pipe_init(&plain, batch, connect_plain);
	pipe_init(&tls, batch, connect_tls);
	measure_in_turn(measure, works, G_N_ELEMENTS(works));
}

void
measure_transport(Measure *measure)
{
	measure_batch(measure, VPNR_BATCH_MIN);
	measure_batch(measure, VPNR_BATCH_MAX);
}
