# SPDX-License-Identifier: MIT
# VPNR_ATOMIC: adds -latomic to LIBS where the processor has no instructions for atomics of 64 bits
# and the compiler calls a library for them: ARMv6, for which Raspberry Pi OS is compiled, and MIPS,
# PowerPC and RISC-V of 32 bits.

AC_DEFUN([VPNR_ATOMIC], [
	AC_MSG_CHECKING([for what atomics of 64 bits need])
	vpnr_save_LIBS=$LIBS
	vpnr_atomic=none
	for library in '' -latomic; do
		AS_IF([test "x$vpnr_atomic" = xnone], [
			LIBS="$vpnr_save_LIBS $library"
			_VPNR_LINK_ATOMIC([vpnr_atomic=${library:-nothing}])
		])
	done
	AC_MSG_RESULT([$vpnr_atomic])
	AS_IF([test "x$vpnr_atomic" = xnone],
		[AC_MSG_ERROR([$CC links atomics of 64 bits neither alone nor with -latomic])])
])

# _VPNR_LINK_ATOMIC(IF-LINKED)
AC_DEFUN([_VPNR_LINK_ATOMIC], [
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[
		#include <stdatomic.h>
		#include <stdint.h>
		static _Atomic uint64_t number;
	]], [[
		uint64_t old = atomic_exchange(&number, 2);

		while (!atomic_compare_exchange_weak(&number, &old, old + 1))
			;
		return (int)(atomic_fetch_add(&number, 1) + atomic_load(&number));
	]])], [$1])
])
