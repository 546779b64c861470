# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/batch \
	%D%/fairness \
	%D%/cut \
	%D%/datagrams \
	%D%/greeting \
	%D%/link \
	%D%/reader \
	%D%/replay \
	%D%/reserve \
	%D%/schedule \
	%D%/session \
	%D%/tally \
	%D%/tls \
	%D%/transport \
	%D%/wire \
	%D%/writer

# The other side of a link.
link_peer = %D%/peer.c %D%/peer.h $(test_loopback) $(test_patience)

%C%_batch_SOURCES = %D%/batch.c
%C%_fairness_SOURCES = %D%/fairness.c
# Two sessions in one process.
link_meeting = %D%/meeting.c %D%/meeting.h $(test_loopback) $(test_patience)

%C%_cut_SOURCES = %D%/cut.c $(link_meeting)
%C%_datagrams_SOURCES = %D%/datagrams.c
%C%_greeting_SOURCES = %D%/greeting.c %D%/peer.c %D%/peer.h $(link_meeting)
%C%_greeting_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_deadline_after
%C%_link_SOURCES = %D%/link.c $(link_peer)
%C%_link_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=g_get_monotonic_time,--wrap=pthread_create,--wrap=vpnr_transport_recv
%C%_reader_SOURCES = %D%/reader.c $(link_peer)
%C%_replay_SOURCES = %D%/replay.c
%C%_reserve_SOURCES = %D%/reserve.c
%C%_schedule_SOURCES = %D%/schedule.c
%C%_session_SOURCES = %D%/session.c $(link_peer)
%C%_session_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_create
%C%_tally_SOURCES = %D%/tally.c
%C%_tls_SOURCES = %D%/tls.c $(test_loopback) $(test_patience)
%C%_transport_SOURCES = %D%/transport.c $(test_loopback) $(test_patience)
%C%_wire_SOURCES = %D%/wire.c $(test_loopback) $(test_patience)
%C%_writer_SOURCES = %D%/writer.c $(link_peer)
