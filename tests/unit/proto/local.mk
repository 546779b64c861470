# SPDX-License-Identifier: MIT
unit_tests += \
	%D%/bytes \
	%D%/codec \
	%D%/frame \
	%D%/hello \
	%D%/proxyreq \
	%D%/socks5 \
	%D%/v1 \
	%D%/v2

# The test vectors of docs/protocol.md.
proto_document = %D%/document.c %D%/document.h

%C%_bytes_SOURCES = %D%/bytes.c
%C%_codec_SOURCES = %D%/codec.c $(proto_document)
%C%_frame_SOURCES = %D%/frame.c
%C%_hello_SOURCES = %D%/hello.c $(proto_document)
%C%_proxyreq_SOURCES = %D%/proxyreq.c
%C%_socks5_SOURCES = %D%/socks5.c
%C%_v1_SOURCES = %D%/v1.c $(proto_document)
%C%_v2_SOURCES = %D%/v2.c $(proto_document)
