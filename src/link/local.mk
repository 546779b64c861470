# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/greeting.c \
	%D%/greeting.h \
	%D%/batch.c \
	%D%/batch.h \
	%D%/link.c \
	%D%/link.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/replay.c \
	%D%/replay.h \
	%D%/reserve.c \
	%D%/reserve.h \
	%D%/schedule.c \
	%D%/schedule.h \
	%D%/session.c \
	%D%/session.h \
	%D%/tally.c \
	%D%/tally.h \
	%D%/tls.c \
	%D%/tls.h \
	%D%/transport.c \
	%D%/transport.h \
	%D%/wire.c \
	%D%/wire.h \
	%D%/writer.c \
	%D%/writer.h \
	%D%/writer_private.h \
	%D%/writer_thread.c

EXTRA_DIST += %D%/.may_include
