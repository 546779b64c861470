# SPDX-License-Identifier: MIT
# VPNR_WARNINGS: WARN_CFLAGS holds those of our warnings that the compiler knows;
# --enable-werror turns each into an error.

AC_DEFUN([VPNR_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
		[], [enable_werror=no])

	# psabi is no warning but a note, on 32 bit, with each file that has an atomic of 64 bits: older
	# compilers lay it out otherwise, of which no other program is to know.
	WARN_CFLAGS=
	for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
		-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef \
		-Wno-unused-parameter -Wno-missing-field-initializers -Wno-psabi; do
		_VPNR_TRY_WARNING([$flag])
	done
	AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

# clang takes unknown warnings with a warning, hence the -Werror.
AC_DEFUN([_VPNR_TRY_WARNING], [
	AC_MSG_CHECKING([whether $CC accepts $1])
	vpnr_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([int vpnr_probe;])],
		[AC_MSG_RESULT([yes]); WARN_CFLAGS="$WARN_CFLAGS $1"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$vpnr_save_CFLAGS
])
