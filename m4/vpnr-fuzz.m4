# SPDX-License-Identifier: MIT
# VPNR_FUZZ: --enable-fuzz links the programs of fuzz/ with libFuzzer (clang only). Without it they
# are linked with fuzz/replay.c, which feeds them the stored corpus. Call it after VPNR_SANITIZER:
# fuzzing finds little without a sanitizer, so it turns on address and undefined if none was chosen.

AC_DEFUN([VPNR_FUZZ], [
	AC_REQUIRE([VPNR_SANITIZER])
	AC_ARG_ENABLE([fuzz],
		[AS_HELP_STRING([--enable-fuzz], [link the fuzz targets with libFuzzer (needs clang)])],
		[vpnr_fuzz=$enableval], [vpnr_fuzz=no])

	FUZZ_CFLAGS=
	FUZZ_ENGINE=
	AS_IF([test "x$vpnr_fuzz" = xyes], [
		AS_IF([test "x$vpnr_sanitizer" = x], [
			vpnr_sanitizer=address,undefined
			SANITIZER_CFLAGS="-fsanitize=$vpnr_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
		])
		FUZZ_CFLAGS=-fsanitize=fuzzer-no-link
		FUZZ_ENGINE=-fsanitize=fuzzer
		_VPNR_TRY_FUZZER
	])
	AC_SUBST([FUZZ_CFLAGS])
	AC_SUBST([FUZZ_ENGINE])
	AM_CONDITIONAL([ENABLE_FUZZ], [test "x$vpnr_fuzz" = xyes])
])

AC_DEFUN([_VPNR_TRY_FUZZER], [
	AC_MSG_CHECKING([whether $CC links with $FUZZ_ENGINE])
	vpnr_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $SANITIZER_CFLAGS $FUZZ_ENGINE"
	AC_LINK_IFELSE([AC_LANG_SOURCE([[
		#include <stddef.h>
		int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
		int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) { return 0; }
	]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([--enable-fuzz needs clang with libFuzzer: configure with CC=clang])])
	CFLAGS=$vpnr_save_CFLAGS
])
