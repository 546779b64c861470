/* SPDX-License-Identifier: MIT
 *
 * stack: see stack.h.
 */
#include "base/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/thread.h"

/* Bytes below the frame of vpnr_stack_release() that are left alone: what it calls at the moment of
 * giving back is madvise() alone, which needs a return address, or some hundred bytes where a
 * sanitizer stands in front of it. */
#define MARGIN 1024

/* Not inlined, so that its frame is below all that the caller still needs. */
__attribute__((noinline)) void
vpnr_stack_release(void)
{
	guintptr page = (guintptr)sysconf(_SC_PAGESIZE);
	guintptr end = ((guintptr)__builtin_frame_address(0) - MARGIN) & ~(page - 1);
	guintptr start = (guintptr)vpnr_thread_stack();

	if (start != 0 && start < end)
		madvise((void *)start, end - start, MADV_DONTNEED);
}

int
vpnr_stack_poll(struct pollfd *pollfds, nfds_t n, int timeout_ms)
{
	int n_ready;

	if (timeout_ms >= 0 && timeout_ms <= VPNR_STACK_PATIENCE_MS)
		return poll(pollfds, n, timeout_ms);
	n_ready = poll(pollfds, n, VPNR_STACK_PATIENCE_MS);
	if (n_ready != 0)
		return n_ready;
	vpnr_stack_release();
	return poll(pollfds, n, timeout_ms < 0 ? -1 : timeout_ms - VPNR_STACK_PATIENCE_MS);
}
