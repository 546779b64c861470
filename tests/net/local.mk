# SPDX-License-Identifier: MIT
#
# Scenarios in network namespaces: net_tests += %D%/NAME.test, each printing TAP.

EXTRA_DIST += $(net_tests)
