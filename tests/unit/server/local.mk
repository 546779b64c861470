# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/acl \
	%D%/arrival \
	%D%/clients \
	%D%/dialer \
	%D%/pending \
	%D%/quotas \
	%D%/refusals \
	%D%/resolver \
	%D%/server \
	%D%/service \
	%D%/tenant

%C%_acl_SOURCES = %D%/acl.c
%C%_arrival_SOURCES = %D%/arrival.c $(link_peer)
%C%_clients_SOURCES = %D%/clients.c
%C%_dialer_SOURCES = %D%/dialer.c $(stream_rig) $(test_loopback)
%C%_dialer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_nameserver_list
%C%_pending_SOURCES = %D%/pending.c
%C%_quotas_SOURCES = %D%/quotas.c
%C%_refusals_SOURCES = %D%/refusals.c
%C%_refusals_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_log,--wrap=g_get_monotonic_time
%C%_resolver_SOURCES = %D%/resolver.c
%C%_resolver_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_nameserver_list
%C%_server_SOURCES = %D%/server.c $(link_unhurried) $(test_party)
%C%_server_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags)
%C%_service_SOURCES = %D%/service.c $(link_unhurried) $(test_party)
%C%_service_LDFLAGS = $(AM_LDFLAGS) $(link_unhurried_ldflags) -Wl,--wrap=vpnr_deadline_after
%C%_tenant_SOURCES = %D%/tenant.c $(test_party)
%C%_tenant_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_table_remove \
	-Wl,--wrap=vpnr_table_set_frame_size,--wrap=vpnr_nameserver_list
