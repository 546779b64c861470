/* SPDX-License-Identifier: MIT
 *
 * top_screen: the terminal of "vpnrctl top": lines out, keys in. The only file that knows ncurses,
 * and a part of vpnrctl alone.
 *
 * Whoever has it handles the signals: none of the functions installs a handler that stays.
 */
#pragma once

#include "app/top_page.h"
#include "app/top_view.h"

G_BEGIN_DECLS

typedef struct VpnrTopScreen VpnrTopScreen;

/* FALSE with an error, which says what to use in its place, if standard input or standard output is
 * no terminal. */
gboolean vpnr_top_screen_check(GError **error);

/* Takes the terminal that both are. NULL with an error if nothing is known of it (TERM). */
VpnrTopScreen *vpnr_top_screen_open(GError **error);

/* Leaves the terminal as it was. Takes NULL. */
void vpnr_top_screen_close(VpnrTopScreen *screen);

/* Its size now, in columns and lines. */
void vpnr_top_screen_size(VpnrTopScreen *screen, guint *width, guint *height);

/* Shows the page (VpnrTopLine), which was made for its size. */
void vpnr_top_screen_draw(VpnrTopScreen *screen, const GPtrArray *page);

/* Takes the next key; FALSE if there is none. Does not wait. */
gboolean vpnr_top_screen_read(VpnrTopScreen *screen, VpnrTopKey *key);

/* Leaves the terminal as it was until it is taken again, also from another program that has been
 * there meanwhile. */
void vpnr_top_screen_leave(VpnrTopScreen *screen);
void vpnr_top_screen_take(VpnrTopScreen *screen);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrTopScreen, vpnr_top_screen_close)

G_END_DECLS
