# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/admit \
	%D%/associate \
	%D%/await \
	%D%/backoff \
	%D%/bulletin \
	%D%/connect \
	%D%/dns \
	%D%/flows \
	%D%/inbound \
	%D%/lookup \
	%D%/netwatch \
	%D%/origdst \
	%D%/own \
	%D%/renewal \
	%D%/request \
	%D%/transparent \
	%D%/tunnel \
	%D%/udp_inbound \
	%D%/uplink \
	%D%/uplink_log \
	%D%/uplinks

# A client and its server.
client_linked = %D%/linked.c %D%/linked.h $(test_party)

%C%_admit_SOURCES = %D%/admit.c $(client_linked)
%C%_associate_SOURCES = %D%/associate.c $(client_linked)
%C%_associate_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_flows_take_rested_locked
%C%_await_SOURCES = %D%/await.c $(test_loopback) $(test_patience)
%C%_backoff_SOURCES = %D%/backoff.c
%C%_bulletin_SOURCES = %D%/bulletin.c
%C%_connect_SOURCES = %D%/connect.c $(link_peer)
%C%_dns_SOURCES = %D%/dns.c
%C%_flows_SOURCES = %D%/flows.c $(client_linked)
%C%_flows_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=g_get_monotonic_time
%C%_inbound_SOURCES = %D%/inbound.c $(test_party)
%C%_inbound_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt -Wl,--wrap=vpnr_uplinks_open
%C%_lookup_SOURCES = %D%/lookup.c
%C%_lookup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_resolve_marked
%C%_netwatch_SOURCES = %D%/netwatch.c $(test_loopback) $(test_patience)
%C%_origdst_SOURCES = %D%/origdst.c $(test_loopback) $(test_patience)
%C%_origdst_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt
%C%_own_SOURCES = %D%/own.c
%C%_renewal_SOURCES = %D%/renewal.c
%C%_request_SOURCES = %D%/request.c $(test_loopback) $(test_patience)
%C%_transparent_SOURCES = %D%/transparent.c $(test_loopback) $(test_patience)
%C%_tunnel_SOURCES = %D%/tunnel.c $(link_unhurried) $(test_party)
%C%_tunnel_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags)
%C%_udp_inbound_SOURCES = %D%/udp_inbound.c $(client_linked)
%C%_uplink_SOURCES = %D%/uplink.c $(link_unhurried) $(test_party)
%C%_uplink_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags) \
	-Wl,--wrap=vpnr_backoff_next,--wrap=vpnr_deadline_after,--wrap=vpnr_greeting_receive \
	-Wl,--wrap=vpnr_bulletin_set_state,--wrap=vpnr_connect
%C%_uplink_log_SOURCES = %D%/uplink_log.c
%C%_uplinks_SOURCES = %D%/uplinks.c $(test_party)
