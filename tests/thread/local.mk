# SPDX-License-Identifier: MIT
#
# Stress tests: short in make check, meant for a build with --enable-sanitizer=thread.
thread_tests += \
	%D%/latch \
	%D%/link \
	%D%/mailbox \
	%D%/pool

%C%_latch_SOURCES = %D%/latch.c
%C%_link_SOURCES = %D%/link.c
%C%_mailbox_SOURCES = %D%/mailbox.c
%C%_pool_SOURCES = %D%/pool.c
