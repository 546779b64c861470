# SPDX-License-Identifier: MIT
run_apart = %D%/apart.c %D%/apart.h

unit_tests += %D%/child
%C%_child_SOURCES = %D%/child.c
unit_tests += %D%/diversion
%C%_diversion_SOURCES = %D%/diversion.c $(run_apart)
unit_tests += %D%/lender
%C%_lender_SOURCES = %D%/lender.c
unit_tests += %D%/netns
%C%_netns_SOURCES = %D%/netns.c $(run_apart)
unit_tests += %D%/privilege
%C%_privilege_SOURCES = %D%/privilege.c $(run_apart)
unit_tests += %D%/seclusion
%C%_seclusion_SOURCES = %D%/seclusion.c $(run_apart)
