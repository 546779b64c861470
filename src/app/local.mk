# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/control.c \
	%D%/control.h \
	%D%/control_ask.c \
	%D%/control_wire.h \
	%D%/keys.c \
	%D%/keys.h \
	%D%/keyfile.c \
	%D%/keyfile.h \
	%D%/options.c \
	%D%/options.h \
	%D%/settings.c \
	%D%/settings.h \
	%D%/values.c \
	%D%/values.h

EXTRA_DIST += %D%/.may_include
