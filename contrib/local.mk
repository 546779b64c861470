# SPDX-License-Identifier: MIT
#
# What is installed beside the programs. Everything goes below the prefix, so that "make install"
# of a user and of make distcheck write nowhere else; a distribution passes systemdunitdir.

examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/examples/client.conf \
	%D%/examples/server.conf

# bash looks for a file with the name of the command.
bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = \
	%D%/completion/vpnr \
	%D%/completion/vpnrctl

install-data-hook:
	cd '$(DESTDIR)$(bashcompdir)' && \
		for name in vpnr-client vpnr-server; do ln -sf vpnr $$name || exit; done

uninstall-hook:
	cd '$(DESTDIR)$(bashcompdir)' && rm -f vpnr-client vpnr-server

systemdunitdir = $(prefix)/lib/systemd/system
units = \
	%D%/systemd/vpnr-client.service \
	%D%/systemd/vpnr-killswitch.service \
	%D%/systemd/vpnr-server.service
nodist_systemdunit_DATA = $(units)
CLEANFILES += $(units)

$(units): Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/systemd && \
		$(SED) -e 's|@bindir[@]|$(bindir)|' -e 's|@sysconfdir[@]|$(sysconfdir)|' \
		'$(srcdir)/$@.in' >$@
%D%/systemd/vpnr-client.service: %D%/systemd/vpnr-client.service.in
%D%/systemd/vpnr-killswitch.service: %D%/systemd/vpnr-killswitch.service.in
%D%/systemd/vpnr-server.service: %D%/systemd/vpnr-server.service.in

EXTRA_DIST += \
	%D%/systemd/vpnr-client.service.in \
	%D%/systemd/vpnr-killswitch.service.in \
	%D%/systemd/vpnr-server.service.in

# (gdb) source PREFIX/share/vpnr/vpnr-gdb.py
dist_pkgdata_DATA = %D%/gdb/vpnr-gdb.py
