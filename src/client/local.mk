# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/admit.c \
	%D%/admit.h \
	%D%/associate.c \
	%D%/associate.h \
	%D%/await.c \
	%D%/await.h \
	%D%/backoff.c \
	%D%/backoff.h \
	%D%/bulletin.c \
	%D%/bulletin.h \
	%D%/connect.c \
	%D%/connect.h \
	%D%/dns.c \
	%D%/dns.h \
	%D%/flows.c \
	%D%/flows.h \
	%D%/flows_private.h \
	%D%/flows_table.c \
	%D%/inbound.c \
	%D%/inbound.h \
	%D%/lookup.c \
	%D%/lookup.h \
	%D%/netwatch.c \
	%D%/netwatch.h \
	%D%/origdst.c \
	%D%/origdst.h \
	%D%/own.c \
	%D%/own.h \
	%D%/renewal.c \
	%D%/renewal.h \
	%D%/request.c \
	%D%/request.h \
	%D%/transparent.c \
	%D%/transparent.h \
	%D%/tunnel.c \
	%D%/tunnel.h \
	%D%/udp_inbound.c \
	%D%/udp_inbound.h \
	%D%/uplink.c \
	%D%/uplink.h \
	%D%/uplink_log.c \
	%D%/uplink_log.h \
	%D%/uplinks.c \
	%D%/uplinks.h

EXTRA_DIST += %D%/.may_include
