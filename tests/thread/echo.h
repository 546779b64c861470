/* SPDX-License-Identifier: MIT
 *
 * echo: a conversation whose two ends tell every byte that is lost, doubled or changed: the asker
 * says how many bytes will come and sends them, the answerer sends them back and closes.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Answers on a connected socket (transfer full), until the asker leaves at the latest. */
void echo_answer(int fd);

/* Asks for n bytes to be sent back. TRUE: all came back, and then the end. FALSE: the connection
 * was reset meanwhile. Anything else, such as an end that comes early, ends the test. half_close:
 * the asker ends its side before the answer is complete. */
gboolean echo_ask(int fd, guint32 n, gboolean half_close);

G_END_DECLS
