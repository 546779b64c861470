# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/alone.c \
	%D%/backend.c \
	%D%/backend.h \
	%D%/bridge.c \
	%D%/bridge.h \
	%D%/capture.c \
	%D%/capture.h \
	%D%/claim.c \
	%D%/claim.h \
	%D%/iptables.c \
	%D%/iptables.h \
	%D%/iptables_capture.c \
	%D%/iptables_capture.h \
	%D%/iptables_guard.c \
	%D%/iptables_guard.h \
	%D%/iptables_kill.c \
	%D%/iptables_kill.h \
	%D%/iptables_match.c \
	%D%/iptables_match.h \
	%D%/iptables_run.c \
	%D%/iptables_run.h \
	%D%/iptables_script.c \
	%D%/iptables_script.h \
	%D%/nft_capture.c \
	%D%/nft_capture.h \
	%D%/nft_kill.c \
	%D%/nft_kill.h \
	%D%/nft_write.c \
	%D%/nft_write.h \
	%D%/nftables.c \
	%D%/nftables.h \
	%D%/privilege.c \
	%D%/privilege.h \
	%D%/routing.c \
	%D%/routing.h \
	%D%/routing_ask.c \
	%D%/routing_ask.h \
	%D%/routing_guard.c \
	%D%/routing_guard.h \
	%D%/rules.c \
	%D%/rules.h \
	%D%/rules_words.c \
	%D%/rules_words.h \
	%D%/text_file.c \
	%D%/text_file.h

EXTRA_DIST += %D%/.may_include
