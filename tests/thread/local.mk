# SPDX-License-Identifier: MIT
#
# Stress tests: short in make check, meant for a build with --enable-sanitizer=thread.
thread_tests += \
	%D%/flows \
	%D%/gate \
	%D%/latch \
	%D%/lend \
	%D%/link \
	%D%/mailbox \
	%D%/pool \
	%D%/session \
	%D%/streams \
	%D%/system

%C%_flows_SOURCES = %D%/flows.c $(thread_side) $(test_loopback) $(test_patience)
%C%_gate_SOURCES = %D%/gate.c $(test_patience)
%C%_latch_SOURCES = %D%/latch.c
%C%_lend_SOURCES = %D%/lend.c
%C%_link_SOURCES = %D%/link.c
%C%_mailbox_SOURCES = %D%/mailbox.c
%C%_pool_SOURCES = %D%/pool.c
%C%_session_SOURCES = %D%/session.c $(link_meeting)

# One end of a link.
thread_side = %D%/side.c %D%/side.h

thread_echo = %D%/echo.c %D%/echo.h $(test_loopback) $(test_patience)

%C%_streams_SOURCES = %D%/streams.c $(thread_side) $(thread_echo)
%C%_system_SOURCES = %D%/system.c %D%/relay.c %D%/relay.h $(thread_echo)
%C%_system_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_backoff_next
