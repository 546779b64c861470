/* SPDX-License-Identifier: MIT
 *
 * codec: what it costs to make a frame into bytes as the writer does, batch by batch, long ones
 * where they lie, and to make a frame of bytes that are all there, its birth and end included. To
 * compare with: what it costs to copy the bytes.
 */
#include <err.h>
#include <string.h>

#include "bench/parts/subjects.h"
#include "proto/codec.h"

typedef struct {
	VpnrFrame *frame;
	VpnrEncoder *encoder;
	VpnrDecoder *decoder;
	gsize size;       /* of the frame on the wire */
	GByteArray *wire; /* a batch of it, and room for one */
} Codec;

/* Bytes of a batch, and the room that it takes: the frame that fills it may go beyond. */
#define BATCH (256 * 1024)
#define ROOM  (BATCH + 2 * VPNR_DATA_MAX)

static void
append(Codec *codec, guint64 times)
{
	for (; times > 0; times--) {
		if (codec->wire->len >= BATCH)
			g_byte_array_set_size(codec->wire, 0);
		vpnr_encoder_append(codec->encoder, codec->frame, codec->wire);
	}
}

static void
encode(gpointer data, guint64 times)
{
	Codec *codec = data;
	gsize n;

	for (; times > 0; times--)
		if (vpnr_encoder_in_place(codec->encoder, codec->frame, &n) == NULL)
			append(codec, 1);
}

/* The copies below are from where the codec takes its bytes to where it puts them. In other places
 * they would be faster or slower by a half, as it happens, since that depends on the offset in a
 * page. A frame's data is copied with what stands before it in memory, for the header. */
static gsize
before_header(const Codec *codec)
{
	return offsetof(VpnrFrame, data) + codec->frame->size - codec->size;
}

static void
copy_out(gpointer data, guint64 times)
{
	const Codec *codec = data;
	const guint8 *from = (const guint8 *)codec->frame + before_header(codec);
	gsize at = 0;

	for (; times > 0; times--) {
		if (at >= BATCH)
			at = 0;
		memcpy(codec->wire->data + at, from, codec->size);
		at += codec->size;
	}
}

static void
decode(gpointer data, guint64 times)
{
	Codec *codec = data;
	const char *why = NULL;
	gsize at = 0, used;

	for (; times > 0; times--) {
		VpnrFrame *frame;

		if (at == codec->wire->len)
			at = 0;
		if (vpnr_decoder_next(codec->decoder, codec->wire->data + at, codec->wire->len - at,
				      &frame, &used, &why) != VPNR_DECODE_OK)
			errx(1, "our own bytes are no frame: %s", why);
		at += used;
		vpnr_frame_free(frame);
	}
}

static void
copy_in(gpointer data, guint64 times)
{
	const Codec *codec = data;
	g_autofree guint8 *frame = g_malloc(offsetof(VpnrFrame, data) + codec->frame->size);
	gsize at = 0;

	for (; times > 0; times--) {
		if (at == codec->wire->len)
			at = 0;
		memcpy(frame + before_header(codec), codec->wire->data + at, codec->size);
		at += codec->size;
	}
}

static void
compare(Measure *measure, Codec *codec, const char *verb, const WorkFunc run[2])
{
	const char *type = vpnr_frame_type_name(codec->frame->type);
	gsize n = codec->frame->size;
	g_autofree char *name = n > 0 ? g_strdup_printf("%s %s %zu", verb, type, n)
				      : g_strdup_printf("%s %s", verb, type);
	g_autofree char *copy_name = g_strdup_printf("memcpy for %s", name);
	const Work works[] = {
		{ copy_name, run[0], codec, 1, n },
		{ name, run[1], codec, 1, n },
	};

	measure_in_turn(measure, works, G_N_ELEMENTS(works));
}

static void
measure_frame(Measure *measure, VpnrFrame *frame)
{
	Codec codec = {
		.frame = frame,
		.encoder = vpnr_encoder_new(VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT),
		.decoder = vpnr_decoder_new(VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER),
		.wire = g_byte_array_sized_new(ROOM),
	};

	memset(frame->data, 1, frame->size);
	append(&codec, 1);
	codec.size = codec.wire->len;
	compare(measure, &codec, "encode", (WorkFunc[2]){ copy_out, encode });
	g_byte_array_set_size(codec.wire, 0);
	append(&codec, BATCH / codec.size);
	compare(measure, &codec, "decode", (WorkFunc[2]){ copy_in, decode });

	vpnr_frame_free(codec.frame);
	vpnr_encoder_free(codec.encoder);
	vpnr_decoder_free(codec.decoder);
	g_byte_array_unref(codec.wire);
}

void
measure_codec(Measure *measure)
{
	static const gsize sizes[] = { 64, 1024, 16384, VPNR_DATA_MAX };

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
		measure_frame(measure, vpnr_frame_new(VPNR_FRAME_DATA, 1, sizes[i]));
	measure_frame(measure, vpnr_frame_new_window(1, G_MAXINT64));
	measure_frame(measure, vpnr_frame_new(VPNR_FRAME_ACK, 0, 0));
}
