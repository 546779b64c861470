# SPDX-License-Identifier: MIT
#
# One target per decoder, each with a corpus in fuzz/corpus/NAME/:
#
#	fuzz_targets += %D%/v1
#	%C%_v1_SOURCES = %D%/v1.c
#	%C%_v1_LDADD = $(fuzz_ldadd)
#	EXTRA_DIST += %D%/corpus/v1

if ENABLE_FUZZ
fuzz_ldadd = $(FUZZ_ENGINE) $(LDADD)
else
fuzz_ldadd = fuzz/libreplay.a $(LDADD)
check_LIBRARIES += fuzz/libreplay.a
endif
fuzz_libreplay_a_SOURCES = fuzz/replay.c
