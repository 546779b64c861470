# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/.may_include
