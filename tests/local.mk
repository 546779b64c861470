# SPDX-License-Identifier: MIT
#
# make check: every test speaks TAP, so the summary counts single tests and not programs.

TESTS = $(unit_tests) $(thread_tests) %D%/corpus.test $(net_tests)
TEST_EXTENSIONS = .test

tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(tap_driver)
TEST_LOG_DRIVER = $(tap_driver)
LOG_COMPILER = $(SHELL) $(srcdir)/%D%/run-unit

AM_TESTS_ENVIRONMENT = \
	VPNR_SRCDIR='$(abs_top_srcdir)'; export VPNR_SRCDIR; \
	VPNR_BUILDDIR='$(abs_top_builddir)'; export VPNR_BUILDDIR; \
	VPNR_FUZZ_TARGETS='$(fuzz_targets)'; export VPNR_FUZZ_TARGETS; \
	$(sanitizer_environment)

# ThreadSanitizer of clang 14 cannot place its shadow on kernels with much address randomisation,
# and takes memory that GLib's slice allocator hands from thread to thread for shared memory.
if SANITIZE_THREAD
sanitizer_environment = \
	VPNR_NO_ASLR=yes; export VPNR_NO_ASLR; \
	G_SLICE=always-malloc; export G_SLICE; \
	TSAN_OPTIONS="suppressions=$(abs_top_srcdir)/%D%/tsan.supp $$TSAN_OPTIONS"; \
	export TSAN_OPTIONS;
endif

EXTRA_DIST += %D%/run-unit %D%/corpus.test %D%/tsan.supp
