/* SPDX-License-Identifier: MIT
 *
 * top_screen: see top_screen.h.
 */
#include "app/top_screen.h"

#include <locale.h>
#include <ncurses.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/ctl_format.h"

/* Milliseconds after an escape in which the rest of a key may come, as ssh may deliver it. */
#define ESCAPE_MS 50

struct VpnrTopScreen {
	SCREEN *handle;
	gboolean utf8;
};

gboolean
vpnr_top_screen_check(GError **error)
{
	gboolean out = isatty(STDOUT_FILENO) != 0;

	if (out && isatty(STDIN_FILENO) != 0)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
		    "standard %s is no terminal; \"vpnrctl connections\" and \"vpnrctl top "
		    "--json\" need none",
		    out ? "input" : "output");
	return FALSE;
}

static void
set_modes(void)
{
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
}

VpnrTopScreen *
vpnr_top_screen_open(GError **error)
{
	/* For text alone: numbers look as in the other commands. */
	setlocale(LC_CTYPE, "");
	SCREEN *handle = newterm(NULL, stdout, stdin);
	if (handle == NULL) {
		const char *name = g_getenv("TERM");

		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
			    "the terminal \"%s\" (TERM) is not known here; \"vpnrctl connections\" "
			    "needs none",
			    name != NULL ? name : "");
		return NULL;
	}
	VpnrTopScreen *screen = g_new(VpnrTopScreen, 1);
	screen->handle = handle;
	screen->utf8 = g_get_charset(NULL);
	set_modes();
	return screen;
}

void
vpnr_top_screen_close(VpnrTopScreen *screen)
{
	if (screen == NULL)
		return;
	if (!isendwin())
		endwin();
	delscreen(screen->handle);
	g_free(screen);
}

/* The size that ncurses knows is that of its last resize. */
void
vpnr_top_screen_size(VpnrTopScreen *screen, guint *width, guint *height)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0 &&
	    is_term_resized(size.ws_row, size.ws_col))
		resizeterm(size.ws_row, size.ws_col);
	*width = (guint)COLS;
	*height = (guint)LINES;
}

static attr_t
attributes_of(VpnrTopStyle style)
{
	static const attr_t attributes[] = {
		[VPNR_TOP_PLAIN] = A_NORMAL,
		[VPNR_TOP_TITLE] = A_REVERSE,
		[VPNR_TOP_ALARM] = A_BOLD,
		[VPNR_TOP_FAINT] = A_DIM,
	};

	return attributes[style];
}

static void
draw_line(const VpnrTopScreen *screen, int y, const VpnrTopLine *line)
{
	g_autofree char *ascii = screen->utf8 ? NULL : vpnr_ctl_ascii(line->text);
	attr_t attributes = attributes_of(line->style);

	attrset(attributes);
	mvaddstr(y, 0, ascii != NULL ? ascii : line->text);
	if (line->style == VPNR_TOP_TITLE)
		mvchgat(y, 0, -1, attributes, 0, NULL);
}

void
vpnr_top_screen_draw(VpnrTopScreen *screen, const GPtrArray *page)
{
	erase();
	for (guint i = 0; i < page->len; i++)
		draw_line(screen, (int)i, g_ptr_array_index(page, i));
	attrset(A_NORMAL);
	refresh();
}

static VpnrTopKey
key_of(int code)
{
	static const struct {
		int code;
		VpnrTopKey key;
	} keys[] = {
		{ 'q', VPNR_TOP_KEY_QUIT },           { 'Q', VPNR_TOP_KEY_QUIT },
		{ 's', VPNR_TOP_KEY_NEXT_ORDER },     { '>', VPNR_TOP_KEY_NEXT_ORDER },
		{ '<', VPNR_TOP_KEY_PREVIOUS_ORDER }, { 'r', VPNR_TOP_KEY_REVERSE },
		{ 'R', VPNR_TOP_KEY_REVERSE },        { ' ', VPNR_TOP_KEY_REFRESH },
		{ KEY_UP, VPNR_TOP_KEY_UP },          { KEY_DOWN, VPNR_TOP_KEY_DOWN },
		{ KEY_PPAGE, VPNR_TOP_KEY_PAGE_UP },  { KEY_NPAGE, VPNR_TOP_KEY_PAGE_DOWN },
		{ KEY_HOME, VPNR_TOP_KEY_FIRST },     { KEY_END, VPNR_TOP_KEY_LAST },
		{ 'h', VPNR_TOP_KEY_HELP },           { '?', VPNR_TOP_KEY_HELP },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return VPNR_TOP_KEY_OTHER;
}

gboolean
vpnr_top_screen_read(VpnrTopScreen *screen, VpnrTopKey *key)
{
	int code = getch();

	*key = key_of(code);
	return code != ERR;
}

void
vpnr_top_screen_leave(VpnrTopScreen *screen)
{
	endwin();
}

void
vpnr_top_screen_take(VpnrTopScreen *screen)
{
	/* What others have done to the terminal, ncurses cannot know. */
	reset_prog_mode();
	clearok(stdscr, TRUE);
	refresh();
}
