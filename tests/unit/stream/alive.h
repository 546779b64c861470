/* SPDX-License-Identifier: MIT
 *
 * alive: counts the frames that exist. The program is linked with --wrap=vpnr_frame_new and
 * --wrap=vpnr_frame_free.
 */
#pragma once

#include <glib.h>

/* Frames made and not freed (thread-safe). */
gint alive_frames(void);
