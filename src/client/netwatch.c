#include "client/netwatch.h"
VpnrNetwatch *
vpnr_netwatch_new(GError **error)
{
	g_set_error_literal(error, G_FILE_ERROR, 0, "stub");
	return NULL;
}
int
vpnr_netwatch_fd(const VpnrNetwatch *w)
{
	return -1;
}
gboolean
vpnr_netwatch_read(VpnrNetwatch *w)
{
	return FALSE;
}
void
vpnr_netwatch_free(VpnrNetwatch *w)
{
}
gboolean
vpnr_netwatch_same_path(int fd)
{
	return TRUE;
}
