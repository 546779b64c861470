/* SPDX-License-Identifier: MIT
 *
 * document: the test vectors of docs/protocol.md, read from the document itself, so that the tests
 * and what other implementations are written from cannot drift apart.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The bytes of vector SECTION.INDEX (transfer full), or NULL if the document has none of that
 * number. The environment's VPNR_SRCDIR says where the source tree is; make check sets it. */
GByteArray *document_vector(const char *section, guint index);

/* The number of vectors of a section, whose numbers start at 1. */
guint document_count(const char *section);

/* The n bytes as hexadecimal text (transfer full), so that a failed comparison shows both. */
char *document_hex(const guint8 *bytes, gsize n);

G_END_DECLS
