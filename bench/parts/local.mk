# SPDX-License-Identifier: MIT
#
# The parts of vpnr by themselves, in one program: make bench-micro, or bench/micro.

check_PROGRAMS += bench/micro
bench_micro_SOURCES = \
	%D%/codec.c \
	%D%/mailbox.c \
	%D%/main.c \
	%D%/measure.c \
	%D%/measure.h \
	%D%/queue.c \
	%D%/queue.h \
	%D%/replay.c \
	%D%/report.c \
	%D%/report.h \
	%D%/schedule.c \
	%D%/subjects.h \
	%D%/transport.c \
	$(test_loopback) $(test_patience)

bench-micro: bench/micro
	@bench/micro $(BENCH)
.PHONY: bench-micro
