/* SPDX-License-Identifier: MIT
 *
 * batch: see batch.h.
 */
#include "link/batch.h"

void
vpnr_batch_init(VpnrBatch *batch)
{
	batch->size = VPNR_BATCH_MIN;
}

gsize
vpnr_batch_size(const VpnrBatch *batch)
{
	return batch->size;
}

gsize
vpnr_batch_unsent(const VpnrBatch *batch)
{
	return MAX(batch->size, VPNR_UNSENT_MIN);
}

gboolean
vpnr_batch_sent(VpnrBatch *batch, gint64 us)
{
	gsize before = batch->size;

	if (us > VPNR_BATCH_US)
		batch->size = MAX(batch->size / 2, VPNR_BATCH_MIN);
	else if (us < VPNR_BATCH_US / 2)
		batch->size = MIN(batch->size * 2, VPNR_BATCH_MAX);
	return batch->size != before;
}
