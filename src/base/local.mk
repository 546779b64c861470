# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/addr.h \
	%D%/cancel.h \
	%D%/dial.h \
	%D%/fd.h \
	%D%/key.c \
	%D%/key.h \
	%D%/latch.h \
	%D%/log.h \
	%D%/mailbox.h \
	%D%/network.h \
	%D%/pool.h \
	%D%/resolve.h \
	%D%/stats.h \
	%D%/thread.h

EXTRA_DIST += %D%/.may_include
