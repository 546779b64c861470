/* SPDX-License-Identifier: MIT
 *
 * reader: see reader.h. Everything below reader_run() happens on the reader thread.
 */
#include "link/reader.h"

#include <string.h>

#include "base/patience.h"
#include "base/thread.h"
#include "link/tally.h"
#include "proto/codec.h"
#include "proto/v2.h"

/* Bytes. Room for the longest frame whose end has not come yet, and for as much again behind it. */
#define BUFFER (2 * VPNR_V2_FRAME_MAX)

struct VpnrReader {
	/* const after start */
	VpnrReaderParams params;
	VpnrThread *thread;
	/* reader thread */
	VpnrDecoder *decoder;
	guint8 *buffer;
	gsize filled;
	VpnrPatienceWatch watch;
};

VpnrReader *
vpnr_reader_new(const VpnrReaderParams *params)
{
	VpnrReader *reader = g_new0(VpnrReader, 1);

	reader->params = *params;
	reader->decoder = vpnr_decoder_new(params->protocol, params->role);
	reader->buffer = g_malloc(BUFFER);
	reader->params.early = NULL;
	if (params->early != NULL && params->early->len > 0) {
		g_assert(params->early->len <= VPNR_READER_EARLY_MAX);
		memcpy(reader->buffer, params->early->data, params->early->len);
		reader->filled = params->early->len;
	}
	return reader;
}

/* Hands out every whole frame in the buffer and moves what is left to its start. FALSE: the end, of
 * which *end and *text say the kind. */
static gboolean
dispatch(VpnrReader *reader, VpnrReaderEnd *end, const char **text)
{
	const VpnrReaderParams *params = &reader->params;
	gsize start = 0;

	for (;;) {
		VpnrFrame *frame = NULL;
		gsize used = 0;
		VpnrDecode result = vpnr_decoder_next(reader->decoder, reader->buffer + start,
						      reader->filled - start, &frame, &used, text);

		if (result == VPNR_DECODE_BAD) {
			*end = VPNR_READER_MALFORMED;
			return FALSE;
		}
		start += used;
		if (result == VPNR_DECODE_MORE)
			break;
		vpnr_tally_received(params->stats, frame);
		if (!params->frame(params->data, frame)) {
			*end = VPNR_READER_STOPPED;
			return FALSE;
		}
	}
	if (start > 0) { /* otherwise it is a frame that has not come whole, and may be long */
		reader->filled -= start;
		memmove(reader->buffer, reader->buffer + start, reader->filled);
	}
	return TRUE;
}

static VpnrReaderEnd
receive_until_end(VpnrReader *reader, const char **text)
{
	const VpnrReaderParams *params = &reader->params;
	gboolean heard = reader->filled > 0;
	VpnrReaderEnd end;

	for (;;) {
		gssize got;
		int patience;

		if (heard && !dispatch(reader, &end, text))
			return end;
		patience = params->tick(params->data, heard);
		if (patience < 0)
			return VPNR_READER_STOPPED;
		vpnr_patience_keep_watch(&reader->watch, VPNR_PATIENCE_LINK);
		got = vpnr_transport_recv(params->transport, reader->buffer + reader->filled,
					  BUFFER - reader->filled, patience);
		if (got == VPNR_TRANSPORT_END)
			return VPNR_READER_END;
		if (got == VPNR_TRANSPORT_FAILED) {
			*text = vpnr_transport_error(params->transport);
			return VPNR_READER_FAILED;
		}
		heard = got != VPNR_TRANSPORT_IDLE;
		if (got > 0)
			reader->filled += (gsize)got;
	}
}

static void
reader_run(gpointer data)
{
	VpnrReader *reader = data;
	const char *text = NULL;
	VpnrReaderEnd end;

	end = receive_until_end(reader, &text);

	reader->params.ended(reader->params.data, end, text);
}

gboolean
vpnr_reader_start(VpnrReader *reader, GError **error)
{
	reader->thread = vpnr_thread_start_numbered("vpnr-reader", reader->params.number,
						    reader_run, reader, error);
	return reader->thread != NULL;
}

void
vpnr_reader_join(VpnrReader *reader)
{
	vpnr_thread_join(g_steal_pointer(&reader->thread));
}

void
vpnr_reader_free(VpnrReader *reader)
{
	if (reader == NULL)
		return;
	vpnr_reader_join(reader);
	vpnr_decoder_free(reader->decoder);
	g_free(reader->buffer);
	g_free(reader);
}
