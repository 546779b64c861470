# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/backoff.c \
	%D%/backoff.h \
	%D%/inbound.c \
	%D%/inbound.h \
	%D%/origdst.c \
	%D%/origdst.h \
	%D%/request.c \
	%D%/request.h \
	%D%/uplink.c \
	%D%/uplink.h

EXTRA_DIST += %D%/.may_include
