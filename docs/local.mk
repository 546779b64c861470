# SPDX-License-Identifier: MIT
# In a folder of the same name, so that what README and the pages call docs/... is there.
docsdir = $(docdir)/docs
dist_docs_DATA = \
	%D%/capture.md \
	%D%/protocol.md \
	%D%/threads.md \
	%D%/debugging.md \
	%D%/resume.md \
	%D%/run.md \
	%D%/performance.md

plotsdir = $(docsdir)/plots
dist_plots_DATA = \
	%D%/plots/connections.svg \
	%D%/plots/cpu.svg \
	%D%/plots/latency.svg \
	%D%/plots/streams.svg \
	%D%/plots/throughput.svg
