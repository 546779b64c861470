# SPDX-License-Identifier: MIT
unit_tests += %D%/acl
%C%_acl_SOURCES = %D%/acl.c
