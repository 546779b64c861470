# SPDX-License-Identifier: MIT
#
# Scenarios in network namespaces, one goal each, printing TAP; they need root and skip without it.
# Their numbers order them by how much must work before them: look at the first failure first.

net_tests += \
	%D%/01-config.test \
	%D%/02-flow.test \
	%D%/10-curl.test \
	%D%/11-status.test \
	%D%/12-rules.test \
	%D%/13-wget.test \
	%D%/14-git.test \
	%D%/15-ssh.test \
	%D%/16-top.test \
	%D%/20-large.test \
	%D%/21-many-at-once.test \
	%D%/22-many-in-turn.test \
	%D%/30-half-close.test \
	%D%/31-refused.test \
	%D%/32-socks.test \
	%D%/33-http-connect.test \
	%D%/34-vanished.test \
	%D%/35-links.test \
	%D%/36-limits.test \
	%D%/40-server-restart.test \
	%D%/41-kill.test \
	%D%/42-sigterm.test \
	%D%/43-silence.test \
	%D%/44-resume.test \
	%D%/45-address.test \
	%D%/46-stalled.test \
	%D%/47-idle.test \
	%D%/48-rotate.test \
	%D%/50-loop.test \
	%D%/51-wrong-keys.test \
	%D%/52-reload.test \
	%D%/53-resume-timeout.test \
	%D%/54-waiting.test \
	%D%/55-given-up.test \
	%D%/56-no-ipv6.test \
	%D%/57-ipv4-kernel.test \
	%D%/58-add-client.test \
	%D%/59-confined.test \
	%D%/60-v1.test \
	%D%/70-garbage.test \
	%D%/80-capture-nft.test \
	%D%/81-kill-switch.test \
	%D%/82-capture-tproxy.test \
	%D%/83-capture-iptables.test \
	%D%/84-gateway.test \
	%D%/85-run.test \
	%D%/86-leak-test.test \
	%D%/87-udp.test \
	%D%/88-udp-flood.test \
	%D%/89-socks-udp.test \
	%D%/90-gdb.test \
	%D%/91-kill-any-time.test \
	%D%/92-container.test \
	%D%/93-everywhere.test \
	%D%/94-cgroup.test

# Applications and servers of the tests' own. They share nothing with what they test.
net_helpers = %D%/probe %D%/peer %D%/garbage %D%/dns %D%/flow %D%/udp %D%/ipv4only
check_PROGRAMS += $(net_helpers)
%C%_probe_SOURCES = %D%/probe.c
%C%_probe_LDADD =
%C%_peer_SOURCES = %D%/peer.c
%C%_peer_LDADD =
%C%_garbage_SOURCES = %D%/garbage.c
%C%_garbage_LDADD =
%C%_dns_SOURCES = %D%/dns.c
%C%_dns_LDADD =
%C%_flow_SOURCES = %D%/flow.c %D%/flow.h %D%/flow_bytes.c %D%/flow_server.c %D%/flow_transfer.c \
	%D%/flow_echo.c
%C%_flow_LDADD =
%C%_udp_SOURCES = %D%/udp.c
%C%_udp_LDADD =
%C%_ipv4only_SOURCES = %D%/ipv4only.c
%C%_ipv4only_LDADD =

EXTRA_DIST += $(net_tests) %D%/lib.sh %D%/breaks.sh %D%/tap.sh %D%/watch.sh %D%/nginx.conf.in %D%/.shellcheckrc
