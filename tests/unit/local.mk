# SPDX-License-Identifier: MIT
#
# One program per source file, in the same folders as src/:
#
#	unit_tests += %D%/mailbox
#	%C%_mailbox_SOURCES = %D%/mailbox.c

# What tests of several folders share.
test_loopback = %D%/loopback.c %D%/loopback.h
test_patience = %D%/patience.c %D%/patience.h

# One side of a session.
test_party = %D%/party.c %D%/party.h $(link_peer)

include %D%/base/local.mk
include %D%/proto/local.mk
include %D%/link/local.mk
include %D%/stream/local.mk
include %D%/capture/local.mk
include %D%/client/local.mk
include %D%/server/local.mk
include %D%/app/local.mk
include %D%/run/local.mk
include %D%/leak/local.mk
