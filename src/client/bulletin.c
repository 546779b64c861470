/* SPDX-License-Identifier: MIT
 *
 * bulletin: see bulletin.h.
 */
#include "client/bulletin.h"

#include <pthread.h>

struct VpnrBulletin {
	/* lock */
	pthread_mutex_t lock;
	VpnrUplinkTarget target;
	VpnrBulletinNews news;
};

VpnrBulletin *
vpnr_bulletin_new(const VpnrUplinkTarget *target)
{
	VpnrBulletin *bulletin = g_new0(VpnrBulletin, 1);

	pthread_mutex_init(&bulletin->lock, NULL);
	bulletin->target = *target;
	bulletin->news.server = target->server;
	bulletin->news.since_us = g_get_monotonic_time();
	bulletin->news.down_since_us = bulletin->news.since_us;
	return bulletin;
}

void
vpnr_bulletin_free(VpnrBulletin *bulletin)
{
	if (bulletin == NULL)
		return;
	vpnr_key_wipe(&bulletin->target.private_key);
	pthread_mutex_destroy(&bulletin->lock);
	g_free(bulletin);
}

void
vpnr_bulletin_set_target(VpnrBulletin *bulletin, const VpnrUplinkTarget *target)
{
	pthread_mutex_lock(&bulletin->lock);
	bulletin->target = *target;
	pthread_mutex_unlock(&bulletin->lock);
}

void
vpnr_bulletin_get_target(VpnrBulletin *bulletin, VpnrUplinkTarget *target)
{
	pthread_mutex_lock(&bulletin->lock);
	*target = bulletin->target;
	pthread_mutex_unlock(&bulletin->lock);
}

int
vpnr_bulletin_patience_ms(VpnrBulletin *bulletin)
{
	int patience;

	pthread_mutex_lock(&bulletin->lock);
	patience = (int)bulletin->target.resume_timeout_s * 1000;
	pthread_mutex_unlock(&bulletin->lock);
	return patience;
}

void
vpnr_bulletin_set_state(VpnrBulletin *bulletin, VpnrUplinkState state)
{
	pthread_mutex_lock(&bulletin->lock);
	bulletin->news.state = state;
	bulletin->news.since_us = g_get_monotonic_time();
	if (state == VPNR_UPLINK_CONNECTED)
		bulletin->news.down_since_us = 0;
	else if (bulletin->news.down_since_us == 0)
		bulletin->news.down_since_us = bulletin->news.since_us;
	if (state == VPNR_UPLINK_CONNECTING)
		bulletin->news.server = bulletin->target.server;
	pthread_mutex_unlock(&bulletin->lock);
}

void
vpnr_bulletin_set_server(VpnrBulletin *bulletin, const VpnrAddr *server)
{
	pthread_mutex_lock(&bulletin->lock);
	bulletin->news.server = *server;
	pthread_mutex_unlock(&bulletin->lock);
}

void
vpnr_bulletin_set_software(VpnrBulletin *bulletin, const char *software)
{
	pthread_mutex_lock(&bulletin->lock);
	g_strlcpy(bulletin->news.software, software, sizeof bulletin->news.software);
	pthread_mutex_unlock(&bulletin->lock);
}

VpnrBulletinNews
vpnr_bulletin_news(VpnrBulletin *bulletin)
{
	VpnrBulletinNews news;

	pthread_mutex_lock(&bulletin->lock);
	news = bulletin->news;
	pthread_mutex_unlock(&bulletin->lock);
	return news;
}

const char *
vpnr_bulletin_server(VpnrBulletin *bulletin, char buffer[static VPNR_ADDR_STRLEN])
{
	VpnrBulletinNews news = vpnr_bulletin_news(bulletin);

	vpnr_addr_format(&news.server, buffer);
	return buffer;
}

const char *
vpnr_uplink_state_name(VpnrUplinkState state)
{
	static const char *const names[] = {
		[VPNR_UPLINK_DISCONNECTED] = "disconnected",
		[VPNR_UPLINK_CONNECTING] = "connecting",
		[VPNR_UPLINK_CONNECTED] = "connected",
	};

	return names[state];
}
