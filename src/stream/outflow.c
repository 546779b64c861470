/* SPDX-License-Identifier: MIT
 *
 * outflow: see outflow.h.
 */
#include "stream/outflow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Frames up to this many bytes are copied behind the one before them when they have to wait. */
#define SMALL 4096

/* Room for small frames that is made at once. */
#define BLOCK 16384

/* Frames that one sendmsg() takes. */
#define VECTOR 16

void
vpnr_outflow_clear(VpnrOutflow *outflow)
{
	g_queue_clear_full(&outflow->frames, (GDestroyNotify)vpnr_frame_free);
	outflow->offset = 0;
	outflow->spare = 0;
}

gboolean
vpnr_outflow_is_empty(const VpnrOutflow *outflow)
{
	return outflow->frames.length == 0;
}

static void
start_block(VpnrOutflow *outflow, guint32 stream)
{
	VpnrFrame *block = vpnr_frame_new(VPNR_FRAME_DATA, stream, BLOCK);

	block->size = 0;
	outflow->spare = BLOCK;
	g_queue_push_tail(&outflow->frames, block);
}

/* Nothing is appended to the last any more. Frames of a byte and long ones in turn would else take
 * a whole block for each byte. */
static void
end_block(VpnrOutflow *outflow)
{
	GList *last = outflow->frames.tail;

	if (outflow->spare > 0)
		last->data = vpnr_frame_trim(last->data);
	outflow->spare = 0;
}

/* The first frame stays as it is: in the ordinary case it is written at once and never copied. */
void
vpnr_outflow_push(VpnrOutflow *outflow, VpnrFrame *frame)
{
	VpnrFrame *last;

	if (frame->size > SMALL || vpnr_outflow_is_empty(outflow)) {
		end_block(outflow);
		g_queue_push_tail(&outflow->frames, frame);
		return;
	}
	if (outflow->spare < frame->size)
		start_block(outflow, frame->stream);
	last = g_queue_peek_tail(&outflow->frames);
	memcpy(last->data + last->size, frame->data, frame->size);
	last->size += frame->size;
	outflow->spare -= frame->size;
	vpnr_frame_free(frame);
}

/* n bytes from the front are written. */
static void
drop(VpnrOutflow *outflow, gsize n)
{
	outflow->offset += n;
	while (outflow->frames.length > 0) {
		VpnrFrame *first = g_queue_peek_head(&outflow->frames);

		if (outflow->offset < first->size)
			return;
		outflow->offset -= first->size;
		vpnr_frame_free(g_queue_pop_head(&outflow->frames));
	}
	outflow->spare = 0;
}

static gssize
write_vector(VpnrOutflow *outflow, int fd, gsize *want)
{
	struct iovec iov[VECTOR];
	struct msghdr msg = { .msg_iov = iov };
	gsize skip = outflow->offset;

	*want = 0;
	for (GList *l = outflow->frames.head; l != NULL && msg.msg_iovlen < VECTOR; l = l->next) {
		VpnrFrame *frame = l->data;

		iov[msg.msg_iovlen++] = (struct iovec){ frame->data + skip, frame->size - skip };
		*want += frame->size - skip;
		skip = 0;
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

gboolean
vpnr_outflow_write(VpnrOutflow *outflow, int fd, gsize *written)
{
	*written = 0;
	while (!vpnr_outflow_is_empty(outflow)) {
		gsize want;
		gssize got = write_vector(outflow, fd, &want);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN;
		*written += (gsize)got;
		drop(outflow, (gsize)got);
		if ((gsize)got < want)
			return TRUE; /* the socket's buffer is full */
	}
	return TRUE;
}
