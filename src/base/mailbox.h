/* SPDX-License-Identifier: MIT
 *
 * mailbox: the one queue between threads: a GAsyncQueue with a descriptor that can be polled.
 *
 * Any thread pushes; one thread, the owner, pops and waits. A push gives the item away: the pusher
 * must not touch it again. The eventfd is written only when the owner has announced that it sleeps,
 * so a busy queue costs no system call.
 *
 * The queue itself has no bound. Who pushes must have a reason why it cannot grow for ever (credit,
 * in most places); docs/threads.md has the list.
 *
 * The owner's loop:
 *
 *	for (;;) {
 *		while ((item = vpnr_mailbox_try_pop(box)) != NULL)
 *			...;
 *		if (vpnr_mailbox_begin_wait(box))
 *			poll() on vpnr_mailbox_fd(box) and on what else there is;
 *		vpnr_mailbox_end_wait(box);
 *	}
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrMailbox VpnrMailbox;

/* A new, empty mailbox. Items that are left in it when it is freed go to free_item. Returns NULL
 * with an error (G_FILE_ERROR) when the process has no descriptor left. */
VpnrMailbox *vpnr_mailbox_new(GDestroyNotify free_item, GError **error);

/* Frees the mailbox and what is in it. No other thread may know it any more. Takes NULL. */
void vpnr_mailbox_free(VpnrMailbox *box);

/* Appends item (transfer full) and wakes the owner if it sleeps (thread-safe). */
void vpnr_mailbox_push(VpnrMailbox *box, gpointer item);

/* Wakes the owner without an item, for news that travel in an atomic (thread-safe). A wake before
 * the owner sleeps is not lost: the next vpnr_mailbox_begin_wait() returns FALSE. */
void vpnr_mailbox_wake(VpnrMailbox *box);

/* The oldest item (transfer full), or NULL when it is empty (owner). */
gpointer vpnr_mailbox_try_pop(VpnrMailbox *box);

/* Waits for an item (transfer full), for at most timeout_ms (-1: for ever); NULL on time-out or on
 * a wake without an item (owner). */
gpointer vpnr_mailbox_pop(VpnrMailbox *box, int timeout_ms);

/* Announces that the owner is going to poll (owner). TRUE: poll. FALSE: there is an item or a wake,
 * do not. Either way call vpnr_mailbox_end_wait() afterwards. */
gboolean vpnr_mailbox_begin_wait(VpnrMailbox *box);

/* Takes back the announcement (owner). The descriptor may stay readable until the next one. */
void vpnr_mailbox_end_wait(VpnrMailbox *box);

/* The descriptor that becomes readable (transfer none). */
int vpnr_mailbox_fd(const VpnrMailbox *box);

/* The number of items now (thread-safe, a snapshot). */
guint vpnr_mailbox_length(VpnrMailbox *box);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrMailbox, vpnr_mailbox_free)

G_END_DECLS
