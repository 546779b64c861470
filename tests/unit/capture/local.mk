# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/alone \
	%D%/bridge \
	%D%/capture \
	%D%/claim \
	%D%/iptables \
	%D%/iptables_capture \
	%D%/iptables_guard \
	%D%/iptables_kill \
	%D%/iptables_match \
	%D%/iptables_run \
	%D%/iptables_script \
	%D%/nft_capture \
	%D%/nft_kill \
	%D%/nft_write \
	%D%/nftables \
	%D%/privilege \
	%D%/routing \
	%D%/routing_ask \
	%D%/routing_guard \
	%D%/rules \
	%D%/rules_words \
	%D%/text_file

%C%_alone_SOURCES = %D%/alone.c $(test_golden) $(test_namespace)
%C%_bridge_SOURCES = %D%/bridge.c $(test_golden) $(test_namespace)
%C%_capture_SOURCES = %D%/capture.c $(test_golden) $(test_namespace)
%C%_claim_SOURCES = %D%/claim.c $(test_namespace)
%C%_iptables_SOURCES = %D%/iptables.c $(test_golden) $(test_namespace)
%C%_iptables_capture_SOURCES = %D%/iptables_capture.c $(test_golden)
%C%_iptables_guard_SOURCES = %D%/iptables_guard.c $(test_golden)
%C%_iptables_kill_SOURCES = %D%/iptables_kill.c $(test_golden)
%C%_iptables_match_SOURCES = %D%/iptables_match.c $(test_golden)
%C%_iptables_run_SOURCES = %D%/iptables_run.c $(test_namespace)
%C%_iptables_script_SOURCES = %D%/iptables_script.c
%C%_nft_capture_SOURCES = %D%/nft_capture.c $(test_golden)
%C%_nft_kill_SOURCES = %D%/nft_kill.c $(test_golden)
%C%_nft_write_SOURCES = %D%/nft_write.c $(test_golden)
%C%_nftables_SOURCES = %D%/nftables.c $(test_golden) $(test_namespace)
%C%_privilege_SOURCES = %D%/privilege.c
%C%_routing_SOURCES = %D%/routing.c $(test_namespace)
%C%_routing_ask_SOURCES = %D%/routing_ask.c $(test_namespace)
%C%_routing_guard_SOURCES = %D%/routing_guard.c $(test_namespace)
%C%_rules_SOURCES = %D%/rules.c $(test_golden)
%C%_rules_words_SOURCES = %D%/rules_words.c $(test_golden)
%C%_text_file_SOURCES = %D%/text_file.c

# A network whose packet filter a test may change.
test_namespace = %D%/namespace.c %D%/namespace.h

# Rules of every kind, and the texts that they must give.
test_golden = %D%/golden.c %D%/golden.h
EXTRA_DIST += %D%/nft %D%/iptables-text
