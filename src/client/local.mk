# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/await.c \
	%D%/await.h \
	%D%/backend.h \
	%D%/backoff.c \
	%D%/backoff.h \
	%D%/bulletin.c \
	%D%/bulletin.h \
	%D%/connect.c \
	%D%/connect.h \
	%D%/dns.c \
	%D%/dns.h \
	%D%/inbound.c \
	%D%/inbound.h \
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
	%D%/rules.c \
	%D%/rules.h \
	%D%/transparent.c \
	%D%/transparent.h \
	%D%/tunnel.c \
	%D%/tunnel.h \
	%D%/uplink.c \
	%D%/uplink.h

EXTRA_DIST += %D%/.may_include
