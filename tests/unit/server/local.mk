# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/acl \
	%D%/clients \
	%D%/dialer \
	%D%/server \
	%D%/service

%C%_acl_SOURCES = %D%/acl.c
%C%_clients_SOURCES = %D%/clients.c
%C%_dialer_SOURCES = %D%/dialer.c $(stream_rig) $(test_loopback)
%C%_server_SOURCES = %D%/server.c $(link_peer)
%C%_service_SOURCES = %D%/service.c $(link_peer)
