/* SPDX-License-Identifier: MIT
 *
 * batch: see batch.h.
 */
#include "link/batch.h"

/* A frame of bulk goes beyond its batch, by its header. */
static gsize
data_for(gsize size)
{
	return size < VPNR_BATCH_MAX ? size - VPNR_FRAME_HEADER : VPNR_DATA_BULK;
}

void
vpnr_batch_init(VpnrBatch *batch)
{
	*batch = (VpnrBatch){ .size = VPNR_BATCH_MIN, .data = data_for(VPNR_BATCH_MIN) };
}

gsize
vpnr_batch_size(const VpnrBatch *batch)
{
	return batch->size;
}

gsize
vpnr_batch_data(const VpnrBatch *batch)
{
	return batch->data;
}

gsize
vpnr_batch_unsent(const VpnrBatch *batch, gsize under_way)
{
	return MAX(MAX(batch->size, VPNR_UNSENT_MIN), under_way / VPNR_UNSENT_SHARE);
}

gboolean
vpnr_batch_sent(VpnrBatch *batch, gint64 us)
{
	gsize before = batch->size;

	if (us > VPNR_BATCH_US)
		batch->size = MAX(batch->size / 2, VPNR_BATCH_MIN);
	else if (us < VPNR_BATCH_US / 2)
		batch->size = MIN(batch->size * 2, VPNR_BATCH_MAX);
	if (batch->size == before && ++batch->n_sent < VPNR_BATCH_LOOK)
		return FALSE;
	batch->n_sent = 0;
	if (batch->size >= before)
		batch->data = data_for(batch->size);
	return TRUE;
}
