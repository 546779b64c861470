# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/control.h \
	%D%/keys.c \
	%D%/keys.h \
	%D%/settings.h

EXTRA_DIST += %D%/.may_include
