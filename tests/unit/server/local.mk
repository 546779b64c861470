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
%C%_server_SOURCES = %D%/server.c $(test_party)
%C%_service_SOURCES = %D%/service.c $(test_party)
