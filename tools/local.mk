# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/packages %D%/lib.sh %D%/bench %D%/check %D%/demo .ci/run
