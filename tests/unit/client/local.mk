# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/await \
	%D%/backoff \
	%D%/bulletin \
	%D%/connect \
	%D%/dns \
	%D%/inbound \
	%D%/netwatch \
	%D%/origdst \
	%D%/own \
	%D%/renewal \
	%D%/request \
	%D%/transparent \
	%D%/tunnel \
	%D%/uplink

%C%_await_SOURCES = %D%/await.c $(test_loopback) $(test_patience)
%C%_backoff_SOURCES = %D%/backoff.c
%C%_bulletin_SOURCES = %D%/bulletin.c
%C%_connect_SOURCES = %D%/connect.c $(link_peer)
%C%_dns_SOURCES = %D%/dns.c
%C%_inbound_SOURCES = %D%/inbound.c $(test_party)
%C%_inbound_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt -Wl,--wrap=vpnr_uplink_open
%C%_netwatch_SOURCES = %D%/netwatch.c $(test_loopback) $(test_patience)
%C%_origdst_SOURCES = %D%/origdst.c $(test_loopback) $(test_patience)
%C%_origdst_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt
%C%_own_SOURCES = %D%/own.c
%C%_renewal_SOURCES = %D%/renewal.c
%C%_request_SOURCES = %D%/request.c $(test_loopback) $(test_patience)
%C%_transparent_SOURCES = %D%/transparent.c $(test_loopback) $(test_patience)
%C%_tunnel_SOURCES = %D%/tunnel.c $(test_party)
%C%_uplink_SOURCES = %D%/uplink.c $(test_party)
%C%_uplink_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=vpnr_backoff_next,--wrap=vpnr_deadline_after,--wrap=vpnr_greeting_receive \
	-Wl,--wrap=vpnr_bulletin_set_state
