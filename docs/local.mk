# SPDX-License-Identifier: MIT
dist_doc_DATA += %D%/capture.md
dist_doc_DATA += %D%/protocol.md
dist_doc_DATA += %D%/threads.md
dist_doc_DATA += %D%/debugging.md
dist_doc_DATA += %D%/resume.md
dist_doc_DATA += %D%/run.md
dist_doc_DATA += %D%/performance.md
