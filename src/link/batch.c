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

void
vpnr_batch_sent(VpnrBatch *batch, VpnrSent sent)
{
	if (sent == VPNR_SENT_LATE)
		batch->size = MAX(batch->size / 2, VPNR_BATCH_MIN);
	else
		batch->size = MIN(batch->size * 2, VPNR_BATCH_MAX);
}
