/* SPDX-License-Identifier: MIT
 *
 * mailbox: a GAsyncQueue, an eventfd, and the handshake between them.
 *
 * Sleeping without losing a wake-up (the pattern of Dekker's algorithm). A pusher publishes, then
 * looks whether the owner sleeps; the owner announces its sleep, then looks whether something was
 * published:
 *
 *	pusher: length += 1;          if (state == SLEEPING) write the eventfd
 *	owner:  state = SLEEPING;     if (length == 0) poll
 *
 * All four accesses are sequentially consistent, so they have one order that both threads agree
 * on, and in it either the pusher's look comes after the announcement, and it writes, or the
 * owner's look comes after the publication, and it does not poll. (With acquire and release only,
 * each could miss the other: a store may pass a later load of another variable.) A wake without an
 * item is the same with `woken` in the place of `length`.
 *
 * The pusher that moves the state from SLEEPING to SIGNALLED is the only one that writes, so there
 * is at most one write for each sleep, and the owner knows how many there have been: it reads the
 * eventfd only when one is owed. A pusher that is held up between the move and the write makes the
 * owner's next poll() return early, which is harmless, and is read then.
 *
 * The length counts published items. It is raised in the queue's lock, so the n-th increment is of
 * the n-th item, and the owner takes only what has been counted: the count never falls below zero,
 * and by the count alone an item's pusher happens before its owner. The lock would do as well, but
 * ThreadSanitizer cannot see into GLib, and this it can see.
 */
#include "base/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/deadline.h"
#include "base/fd.h"

typedef enum {
	OWNER_AWAKE,
	OWNER_SLEEPING,
	OWNER_SIGNALLED, /* asleep, and somebody has written the eventfd or is about to */
} OwnerState;

struct VpnrMailbox {
	/* const after start */
	GAsyncQueue *queue;
	GDestroyNotify free_item;
	int fd;
	/* owner */
	guint64 owed; /* writes to the eventfd that have not been read */
	/* atomic */
	_Atomic guint length;
	_Atomic gboolean woken;
	_Atomic OwnerState state;
};

VpnrMailbox *
vpnr_mailbox_new(GDestroyNotify free_item, GError **error)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int saved_errno = errno;
	VpnrMailbox *box;

	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno),
			    "cannot make a mailbox: %s", g_strerror(saved_errno));
		return NULL;
	}
	box = g_new0(VpnrMailbox, 1);
	box->queue = g_async_queue_new();
	box->free_item = free_item;
	box->fd = fd;
	return box;
}

void
vpnr_mailbox_free(VpnrMailbox *box)
{
	gpointer item;

	if (box == NULL)
		return;
	while ((item = vpnr_mailbox_try_pop(box)) != NULL)
		if (box->free_item != NULL)
			box->free_item(item);
	g_async_queue_unref(box->queue);
	vpnr_fd_close(box->fd);
	g_free(box);
}

static void
call_owner(VpnrMailbox *box)
{
	OwnerState state = OWNER_SLEEPING;

	/* The load spares a busy mailbox the exchange, which would take the cache line from the
	 * owner at each push. */
	if (atomic_load(&box->state) == OWNER_SLEEPING &&
	    atomic_compare_exchange_strong(&box->state, &state, OWNER_SIGNALLED))
		eventfd_write(box->fd, 1);
}

void
vpnr_mailbox_push(VpnrMailbox *box, gpointer item)
{
	g_async_queue_lock(box->queue);
	g_async_queue_push_unlocked(box->queue, item);
	atomic_fetch_add(&box->length, 1);
	g_async_queue_unlock(box->queue);
	call_owner(box);
}

void
vpnr_mailbox_wake(VpnrMailbox *box)
{
	atomic_store(&box->woken, TRUE);
	call_owner(box);
}

gpointer
vpnr_mailbox_try_pop(VpnrMailbox *box)
{
	gpointer item;

	if (atomic_load(&box->length) == 0)
		return NULL;
	item = g_async_queue_try_pop(box->queue);
	atomic_fetch_sub(&box->length, 1);
	return item;
}

/* The eventfd is read before the next sleep and not after this one, when somebody waits for what
 * the owner was woken for. */
gboolean
vpnr_mailbox_begin_wait(VpnrMailbox *box)
{
	eventfd_t n;

	if (box->owed > 0 && eventfd_read(box->fd, &n) == 0)
		box->owed -= n;
	atomic_store(&box->state, OWNER_SLEEPING);
	return atomic_load(&box->length) == 0 && !atomic_load(&box->woken);
}

static void
end_sleep(VpnrMailbox *box)
{
	if (atomic_exchange(&box->state, OWNER_AWAKE) == OWNER_SIGNALLED)
		box->owed++;
}

void
vpnr_mailbox_end_wait(VpnrMailbox *box)
{
	end_sleep(box);
	/* The owner looks at everything after this, so the wake has done its work. */
	atomic_exchange(&box->woken, FALSE);
}

static void
sleep_until(VpnrMailbox *box, gint64 deadline)
{
	struct pollfd pollfd = { .fd = box->fd, .events = POLLIN };

	if (vpnr_mailbox_begin_wait(box))
		poll(&pollfd, 1, vpnr_deadline_left(deadline));
	end_sleep(box);
}

/* A wake is taken back only when it is reported, by NULL: one that arrives together with an item
 * is reported by the next call. */
gpointer
vpnr_mailbox_pop(VpnrMailbox *box, int timeout_ms)
{
	gint64 deadline = vpnr_deadline_after(timeout_ms);
	gpointer item;

	while ((item = vpnr_mailbox_try_pop(box)) == NULL) {
		if (atomic_exchange(&box->woken, FALSE) || vpnr_deadline_left(deadline) == 0)
			break;
		sleep_until(box, deadline);
	}
	return item;
}

int
vpnr_mailbox_fd(const VpnrMailbox *box)
{
	return box->fd;
}

guint
vpnr_mailbox_length(VpnrMailbox *box)
{
	return atomic_load(&box->length);
}
