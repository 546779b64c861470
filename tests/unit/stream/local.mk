# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/credit \
	%D%/deliver \
	%D%/flow \
	%D%/growth \
	%D%/handover \
	%D%/lend \
	%D%/lifecycle \
	%D%/outflow \
	%D%/retired \
	%D%/room \
	%D%/share \
	%D%/stream \
	%D%/table \
	%D%/worker

stream_rig = %D%/rig.c %D%/rig.h $(test_patience)

# Counts the frames that exist.
stream_alive = %D%/alive.c %D%/alive.h
stream_alive_ldflags = -Wl,--wrap=vpnr_frame_new,--wrap=vpnr_frame_free

%C%_credit_SOURCES = %D%/credit.c
%C%_deliver_SOURCES = %D%/deliver.c $(stream_rig)
%C%_deliver_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_mutex_unlock
%C%_flow_SOURCES = %D%/flow.c $(stream_rig) $(test_loopback)
%C%_flow_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_deadline_after
%C%_growth_SOURCES = %D%/growth.c
%C%_handover_SOURCES = %D%/handover.c $(test_patience)
%C%_lend_SOURCES = %D%/lend.c $(test_patience)
%C%_lifecycle_SOURCES = %D%/lifecycle.c
%C%_outflow_SOURCES = %D%/outflow.c $(stream_alive) $(test_loopback) $(test_patience)
%C%_outflow_LDFLAGS = $(AM_LDFLAGS) $(stream_alive_ldflags)
%C%_retired_SOURCES = %D%/retired.c
%C%_room_SOURCES = %D%/room.c
%C%_share_SOURCES = %D%/share.c
%C%_stream_SOURCES = %D%/stream.c
%C%_table_SOURCES = %D%/table.c $(stream_rig)
%C%_worker_SOURCES = %D%/worker.c $(stream_rig) $(stream_alive) $(test_loopback)
%C%_worker_LDFLAGS = $(AM_LDFLAGS) $(stream_alive_ldflags) \
	-Wl,--wrap=poll,--wrap=recvmsg,--wrap=send \
	-Wl,--wrap=vpnr_patience_hears_talk,--wrap=vpnr_patience_keep_watch
