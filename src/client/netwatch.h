#pragma once
#include <glib.h>
typedef struct VpnrNetwatch VpnrNetwatch;
VpnrNetwatch *vpnr_netwatch_new(GError **error);
int vpnr_netwatch_fd(const VpnrNetwatch *w);
gboolean vpnr_netwatch_read(VpnrNetwatch *w);
void vpnr_netwatch_free(VpnrNetwatch *w);
gboolean vpnr_netwatch_same_path(int fd);
