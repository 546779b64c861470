# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/admit \
	%D%/associate \
	%D%/await \
	%D%/backoff \
	%D%/bridge \
	%D%/bulletin \
	%D%/claim \
	%D%/connect \
	%D%/dns \
	%D%/flows \
	%D%/inbound \
	%D%/iptables \
	%D%/iptables_capture \
	%D%/iptables_kill \
	%D%/iptables_match \
	%D%/iptables_run \
	%D%/iptables_script \
	%D%/lookup \
	%D%/netwatch \
	%D%/nft_capture \
	%D%/nft_kill \
	%D%/capture \
	%D%/nft_write \
	%D%/nftables \
	%D%/rules \
	%D%/rules_words \
	%D%/origdst \
	%D%/own \
	%D%/privilege \
	%D%/renewal \
	%D%/request \
	%D%/transparent \
	%D%/routing \
	%D%/tunnel \
	%D%/udp_inbound \
	%D%/uplink

# A client and its server.
client_linked = %D%/linked.c %D%/linked.h $(test_party)

%C%_admit_SOURCES = %D%/admit.c $(client_linked)
%C%_associate_SOURCES = %D%/associate.c $(client_linked)
%C%_await_SOURCES = %D%/await.c $(test_loopback) $(test_patience)
%C%_backoff_SOURCES = %D%/backoff.c
%C%_bridge_SOURCES = %D%/bridge.c $(test_golden) $(test_namespace)
%C%_bulletin_SOURCES = %D%/bulletin.c
%C%_claim_SOURCES = %D%/claim.c
%C%_connect_SOURCES = %D%/connect.c $(link_peer)
%C%_dns_SOURCES = %D%/dns.c
%C%_flows_SOURCES = %D%/flows.c $(client_linked)
%C%_inbound_SOURCES = %D%/inbound.c $(test_party)
%C%_inbound_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt -Wl,--wrap=vpnr_uplink_open
%C%_iptables_SOURCES = %D%/iptables.c $(test_golden)
%C%_iptables_capture_SOURCES = %D%/iptables_capture.c $(test_golden)
%C%_iptables_kill_SOURCES = %D%/iptables_kill.c $(test_golden)
%C%_iptables_match_SOURCES = %D%/iptables_match.c $(test_golden)
%C%_iptables_run_SOURCES = %D%/iptables_run.c
%C%_iptables_script_SOURCES = %D%/iptables_script.c
%C%_lookup_SOURCES = %D%/lookup.c
%C%_lookup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_resolve_marked
%C%_netwatch_SOURCES = %D%/netwatch.c $(test_loopback) $(test_patience)
%C%_nft_capture_SOURCES = %D%/nft_capture.c $(test_golden)
%C%_nft_kill_SOURCES = %D%/nft_kill.c $(test_golden)
%C%_nft_write_SOURCES = %D%/nft_write.c $(test_golden)
%C%_nftables_SOURCES = %D%/nftables.c $(test_golden) $(test_namespace)
%C%_capture_SOURCES = %D%/capture.c $(test_golden) $(test_namespace)
%C%_rules_SOURCES = %D%/rules.c $(test_golden)
%C%_rules_words_SOURCES = %D%/rules_words.c $(test_golden)
%C%_origdst_SOURCES = %D%/origdst.c $(test_loopback) $(test_patience)
%C%_origdst_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt
%C%_own_SOURCES = %D%/own.c
%C%_privilege_SOURCES = %D%/privilege.c
%C%_renewal_SOURCES = %D%/renewal.c
%C%_request_SOURCES = %D%/request.c $(test_loopback) $(test_patience)
%C%_transparent_SOURCES = %D%/transparent.c $(test_loopback) $(test_patience)
%C%_routing_SOURCES = %D%/routing.c
%C%_tunnel_SOURCES = %D%/tunnel.c $(link_unhurried) $(test_party)
%C%_tunnel_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags)
%C%_udp_inbound_SOURCES = %D%/udp_inbound.c $(client_linked)
%C%_uplink_SOURCES = %D%/uplink.c $(link_unhurried) $(test_party)
%C%_uplink_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags) \
	-Wl,--wrap=vpnr_backoff_next,--wrap=vpnr_deadline_after,--wrap=vpnr_greeting_receive \
	-Wl,--wrap=vpnr_bulletin_set_state,--wrap=vpnr_connect

# A network whose packet filter a test may change.
test_namespace = %D%/namespace.c %D%/namespace.h

# Rules of every kind, and the texts that they must give.
test_golden = %D%/golden.c %D%/golden.h
EXTRA_DIST += %D%/nft %D%/iptables-text
