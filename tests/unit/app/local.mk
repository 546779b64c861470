# SPDX-License-Identifier: MIT
unit_tests += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
unit_tests += %D%/settings
%C%_settings_SOURCES = %D%/settings.c
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
unit_tests += %D%/ctl_show
%C%_ctl_show_SOURCES = %D%/ctl_show.c
