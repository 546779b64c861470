/* SPDX-License-Identifier: MIT
 *
 * thread: one named POSIX thread with a small stack, joined by whoever started it.
 *
 * Threads start with all signals blocked: signals belong to main. Nothing is ever detached or
 * cancelled.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of stack, with what belongs to the thread at its end. The deepest call is a TLS handshake,
 * which takes 40 KiB; GLib's and c-ares' buffers and a margin make the rest. Pages that are never
 * touched cost nothing. */
#define VPNR_THREAD_STACK (256 * 1024)

/* Threads that vpnr_thread_limit() allows where addresses are plenty: more than a kernel gives one
 * process by default, so its limit is the one that counts. */
#define VPNR_THREADS_MAX 65536

typedef struct VpnrThread VpnrThread;

typedef void (*VpnrThreadFunc)(gpointer data);

/* Starts func(data) on a new thread. name is cut to 15 bytes (the kernel's limit). Returns NULL
 * with an error (G_THREAD_ERROR_AGAIN) when the system has no thread to give; func is then never
 * called. */
VpnrThread *vpnr_thread_start(const char *name, VpnrThreadFunc func, gpointer data, GError **error);

/* The same, and func gets a copy of the size bytes at data, in no memory of its own: it stands at
 * the end of the thread's stack, until the thread is joined. size: some hundred at most, since this
 * is in a page that is touched anyway; the copy is aligned to 16 bytes. */
VpnrThread *vpnr_thread_start_with_copy(const char *name, VpnrThreadFunc func, gconstpointer data,
					gsize size, GError **error);

/* The same for one of several: its number is part of the name, unless it is 0. */
VpnrThread *vpnr_thread_start_numbered(const char *name, guint number, VpnrThreadFunc func,
				       gpointer data, GError **error);

/* Waits until the thread has ended and frees it. Takes NULL. */
void vpnr_thread_join(VpnrThread *thread);

/* What the thread's func got: data, or the copy of it. */
gpointer vpnr_thread_data(VpnrThread *thread);

/* The lowest address of the calling thread's stack, whose end is VPNR_THREAD_STACK bytes above;
 * NULL if none of the functions above has started it. */
gpointer vpnr_thread_stack(void);

/* Names the calling thread, as gdb's "info threads" and "top -H" show it; cut to 15 bytes. */
void vpnr_thread_set_name(const char *name);

/* How many threads a pool may have. Their stacks take at most three eighths of the addresses that
 * there are: where these have 32 bits, 1.5 of 3 or 4 GiB. Without addresses malloc has nothing to
 * give either, and GLib ends the process; a thread that is refused costs one connection. */
guint vpnr_thread_limit(void);

/* The number of threads of this process, from /proc/self/status; 0 if it cannot be read. */
guint vpnr_thread_count(void);

G_END_DECLS
