/* SPDX-License-Identifier: MIT
 *
 * top_asker: asks a program for samples on a thread of its own, so that whoever looks at them can
 * press keys while a program is slow, or hangs.
 *
 * All functions are for one thread, the owner's.
 */
#pragma once

#include "app/top_sample.h"

G_BEGIN_DECLS

typedef struct VpnrTopAsker VpnrTopAsker;

/* Starts the thread, which asks at path when it is told to. NULL with an error if there is no
 * thread or descriptor left. */
VpnrTopAsker *vpnr_top_asker_start(const char *path, GError **error);

/* Asks once. Not before the answer to the last time has been taken. */
void vpnr_top_asker_ask(VpnrTopAsker *asker);

/* A descriptor that is readable once the answer is there (transfer none). */
int vpnr_top_asker_fd(const VpnrTopAsker *asker);

/* Takes the answer that is there (transfer full); NULL with an error that names the path if there
 * was none. */
VpnrTopSample *vpnr_top_asker_take(VpnrTopAsker *asker, GError **error);

/* Breaks off a question that is under way, ends the thread, frees. Takes NULL. */
void vpnr_top_asker_stop(VpnrTopAsker *asker);

/* The same question on the calling thread: at most as long as the control socket's time limit, for
 * each of its two answers. */
VpnrTopSample *vpnr_top_ask(const char *path, GError **error);

G_END_DECLS
