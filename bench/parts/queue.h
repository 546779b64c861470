/* SPDX-License-Identifier: MIT
 *
 * queue: ways to hand something from one thread to another, all used in the same way. One that
 * fails ends the program.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const char *name;
	gpointer (*make)(void);
	void (*free)(gpointer queue);
	void (*push)(gpointer queue, gpointer item);
	gpointer (*try_pop)(gpointer queue); /* NULL if it is empty; itself NULL if it cannot */
	gpointer (*pop)(gpointer queue);     /* waits */
} QueueClass;

extern const QueueClass queue_mailbox;
extern const QueueClass queue_async; /* GAsyncQueue, the half of a mailbox that holds the items */
/* These hand over that there is something, and not what. */
extern const QueueClass queue_eventfd; /* the other half of a mailbox, that wakes */
extern const QueueClass queue_pipe;

G_END_DECLS
