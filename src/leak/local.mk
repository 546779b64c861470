# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/packet.c \
	%D%/packet.h \
	%D%/probe.c \
	%D%/probe.h \
	%D%/trial.c \
	%D%/trial.h \
	%D%/verdict.c \
	%D%/verdict.h \
	%D%/watch.c \
	%D%/watch.h

EXTRA_DIST += %D%/.may_include
