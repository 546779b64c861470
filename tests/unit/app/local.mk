# SPDX-License-Identifier: MIT
test_mainloop = %D%/mainloop.c %D%/mainloop.h

unit_tests += %D%/entries
%C%_entries_SOURCES = %D%/entries.c
unit_tests += %D%/enrol
%C%_enrol_SOURCES = %D%/enrol.c
unit_tests += %D%/rewrite
%C%_rewrite_SOURCES = %D%/rewrite.c
unit_tests += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
unit_tests += %D%/secret
%C%_secret_SOURCES = %D%/secret.c
unit_tests += %D%/settings
%C%_settings_SOURCES = %D%/settings.c
unit_tests += %D%/settings_capture
%C%_settings_capture_SOURCES = %D%/settings_capture.c
unit_tests += %D%/settings_clients
%C%_settings_clients_SOURCES = %D%/settings_clients.c
unit_tests += %D%/settings_flows
%C%_settings_flows_SOURCES = %D%/settings_flows.c
unit_tests += %D%/inbounds
%C%_inbounds_SOURCES = %D%/inbounds.c $(client_linked)
unit_tests += %D%/control
%C%_control_SOURCES = %D%/control.c $(test_mainloop) $(test_patience)
%C%_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_deadline_after
unit_tests += %D%/options
%C%_options_SOURCES = %D%/options.c
unit_tests += %D%/ctl_add
%C%_ctl_add_SOURCES = %D%/ctl_add.c $(test_mainloop)
unit_tests += %D%/ctl_find
%C%_ctl_find_SOURCES = %D%/ctl_find.c $(test_mainloop)
unit_tests += %D%/ctl_format
%C%_ctl_format_SOURCES = %D%/ctl_format.c
unit_tests += %D%/ctl_main
%C%_ctl_main_SOURCES = %D%/ctl_main.c $(test_mainloop)
unit_tests += %D%/ctl_request
%C%_ctl_request_SOURCES = %D%/ctl_request.c
unit_tests += %D%/ctl_rules
%C%_ctl_rules_SOURCES = %D%/ctl_rules.c
unit_tests += %D%/ctl_show
%C%_ctl_show_SOURCES = %D%/ctl_show.c
unit_tests += %D%/control_lasting
%C%_control_lasting_SOURCES = %D%/control_lasting.c $(test_mainloop)
unit_tests += %D%/control_wire
%C%_control_wire_SOURCES = %D%/control_wire.c
unit_tests += %D%/runs
%C%_runs_SOURCES = %D%/runs.c $(test_loopback) $(test_patience)
%C%_runs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getsockopt
unit_tests += %D%/ctl_leak_show
%C%_ctl_leak_show_SOURCES = %D%/ctl_leak_show.c
unit_tests += %D%/ctl_top
%C%_ctl_top_SOURCES = %D%/ctl_top.c $(test_mainloop)

# What the tests of "vpnrctl top" share.
top_fixture = %D%/top_fixture.c %D%/top_fixture.h

unit_tests += %D%/top_asker
%C%_top_asker_SOURCES = %D%/top_asker.c $(test_mainloop)
unit_tests += %D%/top_head
%C%_top_head_SOURCES = %D%/top_head.c $(top_fixture)
unit_tests += %D%/top_json
%C%_top_json_SOURCES = %D%/top_json.c $(top_fixture)
unit_tests += %D%/top_page
%C%_top_page_SOURCES = %D%/top_page.c $(top_fixture)
unit_tests += %D%/top_rates
%C%_top_rates_SOURCES = %D%/top_rates.c $(top_fixture)
unit_tests += %D%/top_sample
%C%_top_sample_SOURCES = %D%/top_sample.c $(top_fixture)
unit_tests += %D%/top_table
%C%_top_table_SOURCES = %D%/top_table.c $(top_fixture)
unit_tests += %D%/top_view
%C%_top_view_SOURCES = %D%/top_view.c $(top_fixture)
