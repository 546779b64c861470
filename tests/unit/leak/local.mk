# SPDX-License-Identifier: MIT
unit_tests += %D%/packet
%C%_packet_SOURCES = %D%/packet.c
unit_tests += %D%/probe
%C%_probe_SOURCES = %D%/probe.c
unit_tests += %D%/trial
%C%_trial_SOURCES = %D%/trial.c $(test_loopback) $(test_patience)
unit_tests += %D%/verdict
%C%_verdict_SOURCES = %D%/verdict.c
unit_tests += %D%/watch
%C%_watch_SOURCES = %D%/watch.c $(run_apart)
