# SPDX-License-Identifier: MIT
src_libvpnr_a_SOURCES += \
	%D%/child.c \
	%D%/child.h \
	%D%/diversion.c \
	%D%/diversion.h \
	%D%/lender.c \
	%D%/lender.h \
	%D%/netns.c \
	%D%/netns.h \
	%D%/privilege.c \
	%D%/privilege.h \
	%D%/seclusion.c \
	%D%/seclusion.h

EXTRA_DIST += %D%/.may_include
