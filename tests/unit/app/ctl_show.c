/* SPDX-License-Identifier: MIT
 *
 * ctl_show: answers of both programs in words, and answers that lack things or mean harm.
 */
#include "app/ctl_show.h"

#include <string.h>

static void
assert_shown(char *(*show)(const char *json, GError **error), const char *json,
	     const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = show(json, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
}

static char *
show_wide(const char *json, GError **error)
{
	return vpnr_ctl_show_connections(json, 0, error);
}

static char *
show_in_80(const char *json, GError **error)
{
	return vpnr_ctl_show_connections(json, 80, error);
}

static void
test_client_status(void)
{
	assert_shown(vpnr_ctl_show_status,
		     "{\"role\":\"client\",\"version\":\"0.1.0\",\"state\":\"connected\","
		     "\"window_bytes\":196608,\"credit_bytes\":65536,\"queue_bytes\":1024,"
		     "\"memory_used\":7340032,\"memory_budget\":1073741824,\"waiting\":2,"
		     "\"streams\":3,\"streams_total\":120,\"reconnects\":2,\"rotations\":7,"
		     "\"resumes\":8,\"frames_replayed\":40,\"bytes_replayed\":1024,"
		     "\"replay_bytes\":65536,\"bytes_sent\":2048,\"bytes_received\":1572864,"
		     "\"datagrams_sent\":7,\"datagrams_received\":6,\"datagrams_dropped\":1,"
		     "\"rtt_ms\":12.34,\"link_age_s\":61,\"link_down_s\":null,\"state_s\":62,"
		     "\"threads\":9,"
		     "\"uptime_s\":3725,\"pid\":4711,"
		     "\"server\":\"192.0.2.1:4334\",\"counters\":{\"streams_total\":120,"
		     "\"rotations\":7,\"bytes_replayed\":1024,\"resumes\":8,"
		     "\"auth_refused\":1,\"violations\":0,\"invented\":5}}",
		     "program  vpnr-client 0.1.0\n"
		     "process  4711, 9 threads, running for 1 h 2 min\n"
		     "state    connected for 1 min 2 s\n"
		     "server   192.0.2.1:4334\n"
		     "link     1 min 1 s old, round trip 12.3 ms\n"
		     "streams  3 open, 2 waiting for a link, 120 since the start\n"
		     "data     2.0 KiB sent, 1.5 MiB received\n"
		     "udp      7 datagrams sent, 6 received, 1 dropped\n"
		     "links    2 reconnects, 7 rotations, 8 resumes\n"
		     "replay   64.0 KiB kept, 40 frames (1.0 KiB) sent again\n"
		     "windows  192.0 KiB to receive, 64.0 KiB to send, 1.0 KiB queued\n"
		     "memory   7.0 MiB of 1.0 GiB\n"
		     "\n"
		     "COUNT  OF\n"
		     "    1  links refused before authentication was complete\n");
}

#define CLIENT "{\"role\":\"client\",\"state\":\"connecting\","

static void
assert_mentions(const char *json, const char *part)
{
	g_autofree char *text = vpnr_ctl_show_status(json, NULL);

	if (strstr(text, part) == NULL)
		g_error("\"%s\" does not mention \"%s\"", text, part);
}

static void
test_capture(void)
{
	assert_mentions(CLIENT "\"capture\":{\"mode\":\"off\"}}", "\ncapture  off\n");
	assert_mentions(CLIENT "\"capture\":{\"mode\":\"redirect\",\"backend\":\"nft\","
			       "\"installed\":true}}",
			"\ncapture  redirect by nft\n");
	assert_mentions(CLIENT "\"capture\":{\"mode\":\"tproxy\",\"backend\":\"iptables\","
			       "\"installed\":true,\"damaged\":true}}",
			"\nNOTE     RULES OF CAPTURE ARE MISSING: somebody has removed them; \"");
	assert_mentions(CLIENT "\"capture\":{\"mode\":\"tproxy\",\"backend\":\"iptables\"}}",
			"\ncapture  tproxy by iptables, not installed before there is a link\n");
	assert_mentions(CLIENT "\"link_down_s\":null,\"capture\":{\"mode\":\"off\","
			       "\"kill_switch\":true}}",
			"\nswitch   the kill switch is on\n");
	assert_mentions(CLIENT "\"link_down_s\":7,\"capture\":{\"mode\":\"off\","
			       "\"kill_switch\":true}}",
			"\nNOTE     THE KILL SWITCH IS ON AND THERE IS NO LINK: nothing leaves "
			"this "
			"host\n");
	assert_mentions(CLIENT "\"capture\":{\"mode\":\"redirect\",\"backend\":\"nft\","
			       "\"kill_switch\":false,\"kill_switch_missing\":true}}",
			"\nNOTE     THE KILL SWITCH IS MISSING: ");
}

static void
test_client_without_a_link(void)
{
	assert_shown(vpnr_ctl_show_status,
		     "{\"role\":\"client\",\"version\":\"0.1.0\",\"state\":\"connecting\","
		     "\"streams\":3,\"streams_total\":3,\"reconnects\":0,\"rotations\":0,"
		     "\"resumes\":0,\"frames_replayed\":0,\"bytes_replayed\":0,"
		     "\"replay_bytes\":512,\"bytes_sent\":0,\"bytes_received\":0,"
		     "\"rtt_ms\":null,\"link_age_s\":null,\"link_down_s\":130,\"state_s\":4,"
		     "\"threads\":9,"
		     "\"uptime_s\":5,\"pid\":1,\"server\":\"192.0.2.1:4334\"}",
		     "program  vpnr-client 0.1.0\n"
		     "process  1, 9 threads, running for 5 s\n"
		     "state    connecting, without a link for 2 min 10 s\n"
		     "server   192.0.2.1:4334\n"
		     "streams  3 open, 3 since the start\n"
		     "data     0 B sent, 0 B received\n"
		     "links    0 reconnects, 0 rotations, 0 resumes\n"
		     "replay   512 B kept, 0 frames (0 B) sent again\n"
		     "windows  - to receive, - to send, - queued\n"
		     "memory   - of -\n");
}

static void
test_client_links(void)
{
	assert_mentions("{\"role\":\"client\",\"state\":\"connected\",\"links\":["
			"{\"link\":1,\"state\":\"connected\",\"streams\":3,\"bytes_sent\":1024,"
			"\"bytes_received\":0,\"reconnects\":0,\"rtt_ms\":0.5,\"link_age_s\":61,"
			"\"link_down_s\":null},"
			"{\"link\":12,\"state\":\"connecting\",\"streams\":4,\"bytes_sent\":0,"
			"\"bytes_received\":2048,\"reconnects\":2,\"rtt_ms\":null,"
			"\"link_age_s\":null,\"link_down_s\":7}]}",
			"\n"
			"LINK             AGE      RTT  STREAMS     SENT  RECEIVED  RECONNECTS\n"
			"   1       1 min 1 s  0.50 ms        3  1.0 KiB       0 B           0\n"
			"  12  connecting 7 s        -        4      0 B   2.0 KiB           2\n");
}

static void
test_server_status(void)
{
	assert_shown(vpnr_ctl_show_status,
		     "{\"role\":\"server\",\"version\":\"0.1.0\",\"state\":\"connected\","
		     "\"streams\":3,\"streams_total\":3,\"reconnects\":2,\"rotations\":0,"
		     "\"resumes\":2,\"frames_replayed\":0,"
		     "\"bytes_sent\":0,\"bytes_received\":0,\"rtt_ms\":null,\"threads\":9,"
		     "\"uptime_s\":5,\"pid\":1,\"links\":["
		     "{\"client\":\"alice\",\"peer\":\"192.0.2.7:50000\",\"protocol\":2,"
		     "\"state\":\"connected\",\"link_age_s\":4,\"since_s\":300,\"streams\":3,"
		     "\"rtt_ms\":0.5,\"replay_bytes\":2048,\"software\":\"vpnr 0.1.0\"},"
		     "{\"client\":\"bob\",\"peer\":\"192.0.2.8:50000\",\"protocol\":2,"
		     "\"state\":\"waiting\",\"link_age_s\":null,\"link_down_s\":70,\"streams\":20,"
		     "\"rtt_ms\":null,\"replay_bytes\":16777216},"
		     "{\"client\":\"x\\u001b[31m\",\"peer\":null},"
		     "{\"peer\":\"192.0.2.9:50000\",\"protocol\":\"1-rust\"}, 7]}",
		     "program  vpnr-server 0.1.0\n"
		     "process  1, 9 threads, running for 5 s\n"
		     "state    connected\n"
		     "streams  3 open, 3 since the start\n"
		     "data     0 B sent, 0 B received\n"
		     "links    2 resumes\n"
		     "replay   0 frames (-) sent again\n"
		     "windows  - to receive, - to send, - queued\n"
		     "memory   - of -\n"
		     "\n"
		     "CLIENT       ADDRESS                        LINK      RTT  STREAMS    REPLAY"
		     "\n"
		     "alice        192.0.2.7:50000                 4 s  0.50 ms        3   2.0 KiB"
		     "\n"
		     "bob          192.0.2.8:50000  waiting 1 min 10 s        -       20  16.0 MiB"
		     "\n"
		     "x?[31m       -                                 -        -        -         -"
		     "\n"
		     "VPNr/1-rust  192.0.2.9:50000                   -        -        -         -"
		     "\n");
}

static void
test_connections(void)
{
	assert_shown(show_wide,
		     "{\"connections\":["
		     "{\"id\":1,\"state\":\"open\",\"destination\":\"example.org:443\","
		     "\"peer\":\"10.0.0.7:40000\",\"bytes_sent\":1024,\"bytes_received\":5,"
		     "\"queue\":0,\"age_s\":61,\"thread\":\"s1\"},"
		     "{\"id\":200,\"state\":\"half-closed\",\"destination\":\"[2001:db8::1]:22\","
		     "\"peer\":\"10.0.0.7:40001\",\"bytes_sent\":0,\"bytes_received\":0,"
		     "\"queue\":12,\"age_s\":1}]}",
		     " ID  STATE        DESTINATION       PEER               SENT  RECEIVED  QUEUE "
		     "       AGE\n"
		     "  1  open         example.org:443   10.0.0.7:40000  1.0 KiB       5 B      0 "
		     " 1 min 1 s\n"
		     "200  half-closed  [2001:db8::1]:22  10.0.0.7:40001      0 B       0 B     12 "
		     "       1 s\n");
}

static void
test_narrow(void)
{
	g_test_summary("In 80 columns what can best be spared is left out.");

	static const char json[] =
	    "{\"connections\":["
	    "{\"id\":1,\"state\":\"open\",\"destination\":\"93.184.216.34:443\","
	    "\"peer\":\"10.0.0.7:40000\",\"bytes_sent\":1024,\"bytes_received\":7340032,"
	    "\"queue\":0,\"age_s\":61,\"waits_for\":\"application\",\"waits_s\":7,"
	    "\"send_credit\":65536,\"receive_window\":1048576},"
	    "{\"id\":200,\"state\":\"opening\",\"destination\":\"example.org:22\","
	    "\"peer\":\"10.0.0.7:40001\",\"bytes_sent\":0,\"bytes_received\":0,"
	    "\"queue\":12,\"age_s\":1,\"waits_for\":\"opening\",\"waits_s\":1,"
	    "\"send_credit\":null,\"receive_window\":65536}]}";

	assert_shown(show_wide, json,
		     " ID  STATE    DESTINATION        PEER               SENT  RECEIVED"
		     "  WAITS FOR    SINCE    CREDIT    WINDOW  QUEUE        AGE\n"
		     "  1  open     93.184.216.34:443  10.0.0.7:40000  1.0 KiB   7.0 MiB"
		     "  application    7 s  64.0 KiB   1.0 MiB      0  1 min 1 s\n"
		     "200  opening  example.org:22     10.0.0.7:40001      0 B       0 B"
		     "  opening        1 s         -  64.0 KiB     12        1 s\n");
	assert_shown(
	    show_in_80, json,
	    " ID  DESTINATION        PEER               SENT  RECEIVED  WAITS FOR    SINCE\n"
	    "  1  93.184.216.34:443  10.0.0.7:40000  1.0 KiB   7.0 MiB  application    7 s\n"
	    "200  example.org:22     10.0.0.7:40001      0 B       0 B  opening        1 s\n");
}

static void
test_flows(void)
{
	g_test_summary("A UDP flow has datagrams, and no credit.");
	assert_shown(show_wide,
		     "{\"connections\":["
		     "{\"id\":1,\"kind\":\"tcp\",\"destination\":\"a:80\",\"bytes_sent\":1,"
		     "\"bytes_received\":2,\"send_credit\":5},"
		     "{\"id\":2,\"kind\":\"udp\",\"destination\":\"a:53\",\"bytes_sent\":40,"
		     "\"bytes_received\":80,\"datagrams_sent\":1,\"datagrams_received\":2}]}",
		     "ID  KIND  DESTINATION  SENT  RECEIVED  SENT DG  RECEIVED DG  CREDIT\n"
		     " 1  tcp   a:80          1 B       2 B        -            -     5 B\n"
		     " 2  udp   a:53         40 B      80 B        1            2       -\n");
}

static void
test_server_connections(void)
{
	g_test_summary("By link and id; without a column for what no stream has.");
	assert_shown(show_wide,
		     "{\"connections\":["
		     "{\"id\":10,\"link\":\"bob\",\"state\":\"open\\u0007\",\"destination\":\"a:"
		     "1\","
		     "\"bytes_sent\":1,\"bytes_received\":2,\"queue\":3,\"age_s\":4},"
		     "{\"id\":9,\"link\":\"bob\"},{\"id\":11,\"link\":\"alice\"}]}",
		     "LINK   ID  STATE  DESTINATION  SENT  RECEIVED  QUEUE  AGE\n"
		     "alice  11  -      -               -         -      -    -\n"
		     "bob     9  -      -               -         -      -    -\n"
		     "bob    10  open?  a:1           1 B       2 B      3  4 s\n");
}

static void
test_client_links_in_order(void)
{
	assert_shown(show_wide,
		     "{\"connections\":[{\"id\":1,\"link\":10},{\"id\":7,\"link\":2},"
		     "{\"id\":3,\"link\":2}]}",
		     "LINK  ID\n"
		     "2      3\n"
		     "2      7\n"
		     "10     1\n");
}

static void
test_nothing(void)
{
	assert_shown(show_wide, "{\"connections\":[]}", "no connections\n");
	assert_shown(show_wide, "{}", "no connections\n");
	assert_shown(vpnr_ctl_show_status, "{}",
		     "program  vpnr-- -\n"
		     "process  -, - threads, running for -\n"
		     "state    -\n"
		     "streams  - open, - since the start\n"
		     "data     - sent, - received\n"
		     "links    - reconnects, - rotations, - resumes\n"
		     "replay   - frames (-) sent again\n"
		     "windows  - to receive, - to send, - queued\n"
		     "memory   - of -\n");
}

static void
test_wrong_types(void)
{
	static const char *const answers[] = {
		"{\"connections\":{}}",
		"{\"connections\":[[],{\"id\":[],\"state\":{},\"queue\":true}]}",
		"{\"connections\":7,\"links\":\"x\",\"counters\":[1],\"role\":[],\"rtt_ms\":\"x\"}",
		"{\"links\":[{\"rtt_ms\":{}}],\"counters\":{\"auth_refused\":\"many\"}}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *status = vpnr_ctl_show_status(answers[i], &error);
		g_autofree char *connections = show_wide(answers[i], &error);

		g_assert_no_error(error);
		g_assert_nonnull(status);
		g_assert_nonnull(connections);
	}
}

static void
test_no_object(void)
{
	static const char *const answers[] = { "", "[]", "7", "{", "{\"a\":", "nonsense" };

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(vpnr_ctl_show_status(answers[i], &error));
		g_assert_nonnull(error);
		g_clear_error(&error);
		g_assert_null(show_wide(answers[i], &error));
		g_assert_nonnull(error);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-show/status/client", test_client_status);
	g_test_add_func("/ctl-show/status/without-a-link", test_client_without_a_link);
	g_test_add_func("/ctl-show/status/links", test_client_links);
	g_test_add_func("/ctl-show/capture", test_capture);
	g_test_add_func("/ctl-show/status/server", test_server_status);
	g_test_add_func("/ctl-show/connections/client", test_connections);
	g_test_add_func("/ctl-show/connections/narrow", test_narrow);
	g_test_add_func("/ctl-show/connections/flows", test_flows);
	g_test_add_func("/ctl-show/connections/server", test_server_connections);
	g_test_add_func("/ctl-show/connections/links", test_client_links_in_order);
	g_test_add_func("/ctl-show/nothing", test_nothing);
	g_test_add_func("/ctl-show/wrong-types", test_wrong_types);
	g_test_add_func("/ctl-show/no-object", test_no_object);
	return g_test_run();
}
