# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/packages %D%/lib.sh %D%/check %D%/demo .ci/run
