# SPDX-License-Identifier: MIT
#
# make lint: what a reader would otherwise have to look after.

lint_checks = \
	%D%/format %D%/layers %D%/includes %D%/whitespace %D%/words %D%/sizes %D%/shell %D%/dist

EXTRA_DIST += %D%/run %D%/files $(lint_checks)

lint:
	@VPNR_DISTFILES='$(DISTFILES)' VPNR_DISTDIR_PREFIX='$(srcdir)/' \
		$(SHELL) $(srcdir)/%D%/run $(lint_checks)
.PHONY: lint
