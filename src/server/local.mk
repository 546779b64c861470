# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/acl.c \
	%D%/acl.h

EXTRA_DIST += %D%/.may_include
