/* SPDX-License-Identifier: MIT
 *
 * decode: what a decoder of a byte stream can answer.
 */
#pragma once

typedef enum {
	VPNR_DECODE_OK,   /* one whole unit was decoded */
	VPNR_DECODE_MORE, /* nothing is wrong so far, but the unit is not whole: more bytes */
	VPNR_DECODE_BAD,  /* these bytes can never become valid */
} VpnrDecode;
