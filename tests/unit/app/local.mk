# SPDX-License-Identifier: MIT
unit_tests += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
unit_tests += %D%/settings
%C%_settings_SOURCES = %D%/settings.c
unit_tests += %D%/control
%C%_control_SOURCES = %D%/control.c
