# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/attributes.c \
	%D%/attributes.h \
	%D%/confine.c \
	%D%/confine.h \
	%D%/control.c \
	%D%/control.h \
	%D%/control_ask.c \
	%D%/control_wire.c \
	%D%/control_wire.h \
	%D%/ctl_add.c \
	%D%/ctl_add.h \
	%D%/ctl_connections.c \
	%D%/ctl_find.c \
	%D%/ctl_find.h \
	%D%/ctl_format.c \
	%D%/ctl_format.h \
	%D%/ctl_json.c \
	%D%/ctl_json.h \
	%D%/ctl_leak.c \
	%D%/ctl_leak.h \
	%D%/ctl_leak_show.c \
	%D%/ctl_leak_show.h \
	%D%/ctl_notes.c \
	%D%/ctl_notes.h \
	%D%/ctl_request.c \
	%D%/ctl_request.h \
	%D%/ctl_run.c \
	%D%/ctl_run.h \
	%D%/ctl_rules.c \
	%D%/ctl_rules.h \
	%D%/ctl_show.h \
	%D%/ctl_status.c \
	%D%/daemon.c \
	%D%/daemon.h \
	%D%/enrol.c \
	%D%/enrol.h \
	%D%/entries.c \
	%D%/entries.h \
	%D%/inbounds.c \
	%D%/inbounds.h \
	%D%/keyfile.c \
	%D%/keyfile.h \
	%D%/keys.c \
	%D%/keys.h \
	%D%/notify.c \
	%D%/notify.h \
	%D%/options.c \
	%D%/options.h \
	%D%/report.c \
	%D%/report.h \
	%D%/rewrite.c \
	%D%/rewrite.h \
	%D%/runs.c \
	%D%/runs.h \
	%D%/secret.c \
	%D%/secret.h \
	%D%/settings.c \
	%D%/settings.h \
	%D%/settings_capture.c \
	%D%/settings_capture.h \
	%D%/settings_clients.c \
	%D%/settings_clients.h \
	%D%/settings_confine.c \
	%D%/settings_confine.h \
	%D%/settings_flows.c \
	%D%/settings_flows.h \
	%D%/syscalls.c \
	%D%/syscalls.h \
	%D%/top_asker.c \
	%D%/top_asker.h \
	%D%/top_head.c \
	%D%/top_head.h \
	%D%/top_json.c \
	%D%/top_json.h \
	%D%/top_page.c \
	%D%/top_page.h \
	%D%/top_rates.c \
	%D%/top_rates.h \
	%D%/top_sample.c \
	%D%/top_sample.h \
	%D%/top_table.c \
	%D%/top_table.h \
	%D%/top_view.c \
	%D%/top_view.h \
	%D%/values.c \
	%D%/values.h

bin_PROGRAMS += vpnr-client vpnr-server vpnrctl
vpnr_client_SOURCES = %D%/client_main.c
vpnr_server_SOURCES = %D%/server_main.c

# Only vpnrctl draws on terminals. The path is the one in contrib/systemd/vpnr-server.service.in.
vpnrctl_SOURCES = %D%/ctl_main.c %D%/ctl_top.c %D%/ctl_top.h %D%/top_screen.c %D%/top_screen.h
vpnrctl_CPPFLAGS = $(AM_CPPFLAGS) -DVPNR_SERVER_CONFIG='"$(sysconfdir)/vpnr/server.conf"'
vpnrctl_CFLAGS = $(AM_CFLAGS) $(NCURSES_CFLAGS)
vpnrctl_LDADD = $(LDADD) $(NCURSES_LIBS)

EXTRA_DIST += %D%/.may_include
