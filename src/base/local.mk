# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/accept.c \
	%D%/accept.h \
	%D%/addr.c \
	%D%/addr.h \
	%D%/budget.c \
	%D%/budget.h \
	%D%/cancel.c \
	%D%/cancel.h \
	%D%/deadline.c \
	%D%/deadline.h \
	%D%/dial.c \
	%D%/dial.h \
	%D%/fd.c \
	%D%/fd.h \
	%D%/fds.c \
	%D%/fds.h \
	%D%/gate.c \
	%D%/gate.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/key.c \
	%D%/key.h \
	%D%/latch.c \
	%D%/latch.h \
	%D%/log.c \
	%D%/log.h \
	%D%/mailbox.c \
	%D%/mailbox.h \
	%D%/nameserver.c \
	%D%/nameserver.h \
	%D%/network.c \
	%D%/network.h \
	%D%/patience.c \
	%D%/patience.h \
	%D%/pool.c \
	%D%/pool.h \
	%D%/ports.c \
	%D%/ports.h \
	%D%/resolve.c \
	%D%/resolve.h \
	%D%/stack.c \
	%D%/stack.h \
	%D%/stats.c \
	%D%/stats.h \
	%D%/thread.c \
	%D%/thread.h

EXTRA_DIST += %D%/.may_include
