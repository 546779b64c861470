# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/accept \
	%D%/addr \
	%D%/budget \
	%D%/cancel \
	%D%/deadline \
	%D%/dial \
	%D%/fd \
	%D%/fds \
	%D%/gate \
	%D%/heap \
	%D%/key \
	%D%/latch \
	%D%/log \
	%D%/mailbox \
	%D%/nameserver \
	%D%/network \
	%D%/patience \
	%D%/pool \
	%D%/ports \
	%D%/resolve \
	%D%/stack \
	%D%/stats \
	%D%/thread

%C%_accept_SOURCES = %D%/accept.c $(test_loopback) $(test_patience)
%C%_addr_SOURCES = %D%/addr.c
%C%_budget_SOURCES = %D%/budget.c
%C%_cancel_SOURCES = %D%/cancel.c
%C%_deadline_SOURCES = %D%/deadline.c
%C%_dial_SOURCES = %D%/dial.c
%C%_fds_SOURCES = %D%/fds.c
%C%_fd_SOURCES = %D%/fd.c $(test_loopback) $(test_patience)
%C%_gate_SOURCES = %D%/gate.c
%C%_heap_SOURCES = %D%/heap.c
%C%_key_SOURCES = %D%/key.c
%C%_latch_SOURCES = %D%/latch.c
%C%_log_SOURCES = %D%/log.c
%C%_mailbox_SOURCES = %D%/mailbox.c
%C%_nameserver_SOURCES = %D%/nameserver.c
%C%_network_SOURCES = %D%/network.c
%C%_ports_SOURCES = %D%/ports.c
%C%_patience_SOURCES = %D%/patience.c $(test_patience)
%C%_pool_SOURCES = %D%/pool.c
%C%_pool_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_create -Wl,--wrap=vpnr_heap_trim
%C%_resolve_SOURCES = %D%/resolve.c
%C%_resolve_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=setsockopt
%C%_stack_SOURCES = %D%/stack.c
%C%_stats_SOURCES = %D%/stats.c
%C%_thread_SOURCES = %D%/thread.c
%C%_thread_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_create,--wrap=pthread_attr_setstack
