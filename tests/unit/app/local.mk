# SPDX-License-Identifier: MIT
unit_tests += %D%/entries
%C%_entries_SOURCES = %D%/entries.c
unit_tests += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
unit_tests += %D%/settings
%C%_settings_SOURCES = %D%/settings.c
unit_tests += %D%/settings_capture
%C%_settings_capture_SOURCES = %D%/settings_capture.c
unit_tests += %D%/settings_flows
%C%_settings_flows_SOURCES = %D%/settings_flows.c
unit_tests += %D%/inbounds
%C%_inbounds_SOURCES = %D%/inbounds.c $(client_linked)
unit_tests += %D%/control
%C%_control_SOURCES = %D%/control.c $(test_patience)
%C%_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vpnr_deadline_after
unit_tests += %D%/options
%C%_options_SOURCES = %D%/options.c
unit_tests += %D%/ctl_find
%C%_ctl_find_SOURCES = %D%/ctl_find.c
unit_tests += %D%/ctl_format
%C%_ctl_format_SOURCES = %D%/ctl_format.c
unit_tests += %D%/ctl_main
%C%_ctl_main_SOURCES = %D%/ctl_main.c
unit_tests += %D%/ctl_request
%C%_ctl_request_SOURCES = %D%/ctl_request.c
unit_tests += %D%/ctl_show
%C%_ctl_show_SOURCES = %D%/ctl_show.c
