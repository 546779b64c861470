# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/bytes.h \
	%D%/codec.h \
	%D%/decode.h \
	%D%/frame.h \
	%D%/hello.h \
	%D%/proxyreq.h \
	%D%/v1.h \
	%D%/v2.h

EXTRA_DIST += %D%/.may_include
