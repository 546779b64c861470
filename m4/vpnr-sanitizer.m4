# SPDX-License-Identifier: MIT
# VPNR_SANITIZER: --enable-sanitizer=LIST instruments everything that is built. Sets
# vpnr_sanitizer to the list ("" for none), SANITIZER_CFLAGS for compiling and linking, and the
# conditional SANITIZE_THREAD.

AC_DEFUN([VPNR_SANITIZER], [
	AC_ARG_ENABLE([sanitizer],
		[AS_HELP_STRING([--enable-sanitizer=LIST],
			[instrument with address, undefined or thread (commas between)])],
		[vpnr_sanitizer=$enableval], [vpnr_sanitizer=])
	AS_IF([test "x$vpnr_sanitizer" = xno], [vpnr_sanitizer=])
	_VPNR_CHECK_SANITIZER_LIST

	# A finding ends the program: a test must not pass with one. Frame pointers keep stacks readable.
	SANITIZER_CFLAGS=
	AS_IF([test "x$vpnr_sanitizer" != x], [
		SANITIZER_CFLAGS="-fsanitize=$vpnr_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
		_VPNR_TRY_SANITIZER
		_VPNR_ALLOW_CASTS
		AC_DEFINE([HAVE_SANITIZER], [1], [Define if all is instrumented by a sanitizer.])
	])
	AC_SUBST([SANITIZER_CFLAGS])
	AM_CONDITIONAL([SANITIZE_THREAD], [test "x$vpnr_sanitizer" = xthread])
])

AC_DEFUN([_VPNR_CHECK_SANITIZER_LIST], [
	for word in $(AS_ECHO(["$vpnr_sanitizer"]) | tr ',' ' '); do
		AS_CASE([$word],
			[address|undefined|thread], [],
			[AC_MSG_ERROR([--enable-sanitizer=$vpnr_sanitizer: "$word" is none of address, undefined, thread])])
	done
	AS_CASE([$vpnr_sanitizer],
		[*thread*], [AS_IF([test "x$vpnr_sanitizer" != xthread],
			[AC_MSG_ERROR([--enable-sanitizer=$vpnr_sanitizer: thread cannot be combined with others])])])
])

AC_DEFUN([_VPNR_TRY_SANITIZER], [
	AC_MSG_CHECKING([whether $CC links with $SANITIZER_CFLAGS])
	vpnr_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([$CC cannot link with -fsanitize=$vpnr_sanitizer; are its runtime libraries installed?])])
	CFLAGS=$vpnr_save_CFLAGS
])

# Since 17 "undefined" of clang has functions of C called by their very types; GLib calls every
# GDestroyNotify by another. gcc knows no such check, nor the option.
AC_DEFUN([_VPNR_ALLOW_CASTS], [
	AC_MSG_CHECKING([whether $CC accepts -fno-sanitize=function])
	vpnr_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $SANITIZER_CFLAGS -fno-sanitize=function"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])
		SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fno-sanitize=function"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$vpnr_save_CFLAGS
])
