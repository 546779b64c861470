# SPDX-License-Identifier: MIT
dist_man_MANS += \
	%D%/vpnr-client.8 \
	%D%/vpnr-server.8 \
	%D%/vpnr.conf.5 \
	%D%/vpnrctl.8
