# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/bytes.c %D%/bytes.h \
	%D%/codec.c %D%/codec.h \
	%D%/decode.h \
	%D%/frame.c %D%/frame.h \
	%D%/hello.c %D%/hello.h \
	%D%/proxyreq.c %D%/proxyreq.h \
	%D%/socks5.c %D%/socks5.h \
	%D%/v1.c %D%/v1.h \
	%D%/v2.c %D%/v2.h

EXTRA_DIST += %D%/.may_include
