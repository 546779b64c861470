# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/await.c \
	%D%/await.h \
	%D%/backend.c \
	%D%/backend.h \
	%D%/backoff.c \
	%D%/backoff.h \
	%D%/bulletin.c \
	%D%/bulletin.h \
	%D%/capture.c \
	%D%/capture.h \
	%D%/connect.c \
	%D%/connect.h \
	%D%/inbound.c \
	%D%/inbound.h \
	%D%/iptables.c \
	%D%/iptables.h \
	%D%/iptables_capture.c \
	%D%/iptables_capture.h \
	%D%/iptables_kill.c \
	%D%/iptables_kill.h \
	%D%/iptables_match.c \
	%D%/iptables_match.h \
	%D%/iptables_run.c \
	%D%/iptables_run.h \
	%D%/iptables_script.c \
	%D%/iptables_script.h \
	%D%/lookup.c \
	%D%/lookup.h \
	%D%/netwatch.c \
	%D%/netwatch.h \
	%D%/nft_capture.c \
	%D%/nft_capture.h \
	%D%/nft_kill.c \
	%D%/nft_kill.h \
	%D%/nft_write.c \
	%D%/nft_write.h \
	%D%/nftables.c \
	%D%/nftables.h \
	%D%/origdst.c \
	%D%/origdst.h \
	%D%/renewal.c \
	%D%/renewal.h \
	%D%/request.c \
	%D%/request.h \
	%D%/routing.c \
	%D%/routing.h \
	%D%/rules.c \
	%D%/rules.h \
	%D%/rules_words.c \
	%D%/rules_words.h \
	%D%/tunnel.c \
	%D%/tunnel.h \
	%D%/uplink.c \
	%D%/uplink.h

EXTRA_DIST += %D%/.may_include
