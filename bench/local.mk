# SPDX-License-Identifier: MIT
#
# Benchmarks, which docs/performance.md explains: as root, make bench-latency and so on, with their
# options in BENCH: make bench-latency BENCH='--json --repeat 5'; and make bench compares vpnr with its
# peers. make check builds the helpers and runs none of it.

benchmarks = %D%/bulk %D%/idle %D%/latency %D%/peers %D%/rotation %D%/stalled

# Applications and servers of the benchmarks' own. They share nothing with what they measure.
bench_helpers = %D%/connect %D%/delay %D%/flows %D%/request %D%/target
check_PROGRAMS += $(bench_helpers)
bench_ends = %D%/dial.c %D%/dial.h
bench_bytes = %D%/pattern.c %D%/pattern.h
bench_samples = %D%/samples.c %D%/samples.h

%C%_connect_SOURCES = %D%/connect.c $(bench_ends) $(bench_samples)
%C%_connect_LDADD =
%C%_delay_SOURCES = %D%/delay.c
%C%_delay_LDADD =
%C%_flows_SOURCES = %D%/flows.c $(bench_ends) $(bench_bytes)
%C%_flows_LDADD =
%C%_request_SOURCES = %D%/request.c $(bench_ends) $(bench_samples)
%C%_request_LDADD =
%C%_target_SOURCES = %D%/target.c $(bench_bytes)
%C%_target_LDADD =

bench-programs: $(bin_PROGRAMS) $(bench_helpers)
bench: bench-programs
	@VPNR_BUILDDIR='$(abs_top_builddir)' $(srcdir)/bench/peers $(BENCH)
bench-bulk bench-idle bench-latency bench-rotation bench-stalled: bench-programs
	@name=$@; VPNR_BUILDDIR='$(abs_top_builddir)' $(srcdir)/bench/$${name#bench-} $(BENCH)
.PHONY: bench bench-programs bench-bulk bench-idle bench-latency bench-rotation bench-stalled

EXTRA_DIST += $(benchmarks) %D%/lib.sh %D%/tunnels.sh %D%/peers.sh %D%/questions.sh
EXTRA_DIST += %D%/plots.sh %D%/stats.jq %D%/peers.jq %D%/.shellcheckrc

include %D%/parts/local.mk
