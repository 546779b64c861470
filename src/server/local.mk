# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/acl.c \
	%D%/acl.h \
	%D%/arrival.c \
	%D%/arrival.h \
	%D%/clients.c \
	%D%/clients.h \
	%D%/dialer.c \
	%D%/dialer.h \
	%D%/pending.c \
	%D%/pending.h \
	%D%/quotas.c \
	%D%/quotas.h \
	%D%/refusals.c \
	%D%/refusals.h \
	%D%/resolver.c \
	%D%/resolver.h \
	%D%/server.c \
	%D%/server.h \
	%D%/service.c \
	%D%/service.h \
	%D%/tenant.c \
	%D%/tenant.h

EXTRA_DIST += %D%/.may_include
