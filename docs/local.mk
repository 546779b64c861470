# SPDX-License-Identifier: MIT
dist_doc_DATA += %D%/protocol.md
dist_doc_DATA += %D%/threads.md
