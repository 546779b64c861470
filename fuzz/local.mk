# SPDX-License-Identifier: MIT
#
# One target per decoder, each with a corpus in fuzz/corpus/NAME/, which make check replays. To
# search for new inputs, configure with --enable-fuzz and CC=clang, then for example:
#
#	make fuzz/v2 && mkdir found && fuzz/v2 -max_total_time=60 found SOURCE/fuzz/corpus/v2
#
# libFuzzer writes what it finds into the first folder; only what once failed joins the corpus.

if ENABLE_FUZZ
fuzz_ldadd = $(FUZZ_ENGINE) $(LDADD)
else
fuzz_ldadd = fuzz/libreplay.a $(LDADD)
check_LIBRARIES += fuzz/libreplay.a
endif
fuzz_libreplay_a_SOURCES = fuzz/replay.c fuzz/target.h
fuzz_pieces = %D%/pieces.c %D%/pieces.h

fuzz_targets += \
	%D%/greeting \
	%D%/hello \
	%D%/netwatch \
	%D%/packet \
	%D%/proxyreq \
	%D%/settings \
	%D%/socks5 \
	%D%/v1-readme \
	%D%/v1-rust \
	%D%/v2

%C%_greeting_SOURCES = %D%/greeting.c $(fuzz_pieces)
%C%_greeting_LDADD = $(fuzz_ldadd)
%C%_hello_SOURCES = %D%/hello.c
%C%_hello_LDADD = $(fuzz_ldadd)
%C%_netwatch_SOURCES = %D%/netwatch.c
%C%_netwatch_LDADD = $(fuzz_ldadd)
%C%_packet_SOURCES = %D%/packet.c
%C%_packet_LDADD = $(fuzz_ldadd)
%C%_proxyreq_SOURCES = %D%/proxyreq.c $(fuzz_pieces)
%C%_proxyreq_LDADD = $(fuzz_ldadd)
%C%_settings_SOURCES = %D%/settings.c
%C%_settings_LDADD = $(fuzz_ldadd)
%C%_socks5_SOURCES = %D%/socks5.c
%C%_socks5_LDADD = $(fuzz_ldadd)
%C%_v1_readme_SOURCES = %D%/v1.c $(fuzz_pieces)
%C%_v1_readme_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_DIALECT=VPNR_PROTOCOL_V1
%C%_v1_readme_LDADD = $(fuzz_ldadd)
%C%_v1_rust_SOURCES = %D%/v1.c $(fuzz_pieces)
%C%_v1_rust_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_DIALECT=VPNR_PROTOCOL_V1_RUST
%C%_v1_rust_LDADD = $(fuzz_ldadd)
%C%_v2_SOURCES = %D%/v2.c $(fuzz_pieces)
%C%_v2_LDADD = $(fuzz_ldadd)

EXTRA_DIST += %D%/corpus
