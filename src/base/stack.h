/* SPDX-License-Identifier: MIT
 *
 * stack: the pages of a thread's stack that it will not need again before something happens.
 *
 * Opening a stream calls deep, waiting in it does not. The pages that were touched once stay with
 * the thread, so a thread that has slept for a while gives back what is below its frames. The next
 * deep call gets pages of zeros from the kernel, which costs it less than a microsecond each.
 */
#pragma once

#include <glib.h>
#include <poll.h>

G_BEGIN_DECLS

/* Milliseconds that a thread sleeps before its stack is worth a look. A stream that says something
 * every second never pays. */
#define VPNR_STACK_PATIENCE_MS 1000

/* Gives back the pages of the calling thread's stack below the caller's frame, but for the one that
 * the frame ends in (one system call). Never fails; does nothing for a thread that
 * vpnr_thread_start() has not started. */
void vpnr_stack_release(void);

/* poll(), for at most timeout_ms (-1: for ever). If nothing happens for VPNR_STACK_PATIENCE_MS it
 * does vpnr_stack_release(), once, and sleeps on without another timer. Signals must be blocked, as
 * they are in threads. */
int vpnr_stack_poll(struct pollfd *pollfds, nfds_t n, int timeout_ms);

G_END_DECLS
