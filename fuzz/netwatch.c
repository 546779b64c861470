/* SPDX-License-Identifier: MIT
 *
 * Target: rtnetlink's messages, as the client watches the network.
 */
#include "client/netwatch.h"

#include <string.h>

#include "fuzz/target.h"

/* Messages that are whole and do not matter leave the decoder at the start of the next one: then
 * twice the same does not matter either. */
int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autofree guint8 *twice = NULL;

	if (vpnr_netwatch_matters(data, size) || size == 0 || size % 4 != 0)
		return 0; /* without padding nothing can follow */
	twice = g_malloc(2 * size);
	memcpy(twice, data, size);
	memcpy(twice + size, data, size);
	g_assert(!vpnr_netwatch_matters(twice, 2 * size));
	return 0;
}
