# SPDX-License-Identifier: MIT
unit_tests += %D%/key
%C%_key_SOURCES = %D%/key.c
