# SPDX-License-Identifier: MIT
unit_tests += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
