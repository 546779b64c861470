# SPDX-License-Identifier: MIT
dist_doc_DATA += %D%/capture.md
dist_doc_DATA += %D%/protocol.md
dist_doc_DATA += %D%/threads.md
dist_doc_DATA += %D%/debugging.md
dist_doc_DATA += %D%/resume.md
dist_doc_DATA += %D%/run.md
dist_doc_DATA += %D%/performance.md

plotsdir = $(docdir)/plots
dist_plots_DATA = \
	%D%/plots/connections.svg \
	%D%/plots/cpu.svg \
	%D%/plots/latency.svg \
	%D%/plots/streams.svg \
	%D%/plots/throughput.svg
