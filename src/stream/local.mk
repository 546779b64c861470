# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/credit.c \
	%D%/credit.h \
	%D%/deliver.c \
	%D%/flow.c \
	%D%/flow.h \
	%D%/flow_output.c \
	%D%/flow_private.h \
	%D%/handover.c \
	%D%/handover.h \
	%D%/lend.c \
	%D%/lend.h \
	%D%/lifecycle.c \
	%D%/lifecycle.h \
	%D%/outflow.c \
	%D%/outflow.h \
	%D%/retired.c \
	%D%/retired.h \
	%D%/room.c \
	%D%/room.h \
	%D%/share.c \
	%D%/share.h \
	%D%/stream.c \
	%D%/stream.h \
	%D%/submit.c \
	%D%/table.c \
	%D%/table.h \
	%D%/table_private.h \
	%D%/worker.c \
	%D%/worker.h \
	%D%/worker_input.c \
	%D%/worker_output.c \
	%D%/worker_private.h

EXTRA_DIST += %D%/.may_include
