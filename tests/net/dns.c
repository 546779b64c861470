/* SPDX-License-Identifier: MIT
 *
 * dns: a name server with a handful of names (RFC 1035), for tests.
 *
 *     dns NAME=ADDRESS...
 *
 * Answers on UDP 127.0.0.1:53. A name may be given several times; one that is not given does not
 * exist (NXDOMAIN). One thread.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER = 12,
	TYPE_A = 1,
	TYPE_AAAA = 28,
	NXDOMAIN = 3,
	MESSAGE_MAX = 512,
	RECORD_MAX = 12 + 16, /* a pointer to the name, type, class, TTL, size, an address */
};

/* Writes the question's name with dots into name; returns the offset behind the question, or 0. */
static size_t
parse_question(const uint8_t *query, size_t n, char name[static 256], int *type)
{
	size_t at = HEADER, length = 0;

	while (at < n && query[at] != 0) {
		size_t label = query[at++];
		if (label > 63 || at + label > n || length + label + 1 > 255)
			return 0;
		memcpy(name + length, query + at, label);
		length += label;
		name[length++] = '.';
		at += label;
	}
	if (length == 0 || at + 5 > n)
		return 0;
	name[length - 1] = '\0';
	*type = query[at + 1] << 8 | query[at + 2];
	return at + 5;
}

/* Appends the record of an address if it is of the wanted type; returns the size of the record. */
static size_t
append_record(uint8_t *at, const char *address, int wanted)
{
	uint8_t bytes[16];
	int type = strchr(address, ':') ? TYPE_AAAA : TYPE_A;
	size_t size = type == TYPE_A ? 4 : 16;

	if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, address, bytes) != 1)
		errx(2, "\"%s\" is not an address", address);
	if (type != wanted)
		return 0;
	/* the name of the question; type, class IN, a TTL of 0, size */
	const uint8_t head[] = { 0xc0, HEADER, 0, type, 0, 1, 0, 0, 0, 0, 0, size };
	memcpy(at, head, sizeof head);
	memcpy(at + sizeof head, bytes, size);
	return sizeof head + size;
}

/* Turns the query in the buffer into its answer; returns the answer's size, or 0 for none. */
static size_t
answer(uint8_t message[static MESSAGE_MAX], size_t n, char **records)
{
	char name[256];
	int type;
	bool known = false;
	size_t end = n > HEADER ? parse_question(message, n, name, &type) : 0;

	if (end == 0)
		return 0;
	memset(message + 6, 0, 6); /* records: no answer yet, and nothing else */
	for (; *records && end + RECORD_MAX <= MESSAGE_MAX; records++) {
		const char *equals = strchr(*records, '=');
		if (!equals)
			errx(2, "\"%s\" is not NAME=ADDRESS", *records);
		size_t length = equals - *records;
		if (strlen(name) != length || strncasecmp(name, *records, length) != 0)
			continue;
		known = true;
		size_t size = append_record(message + end, equals + 1, type);
		end += size;
		message[7] += size > 0;
	}
	message[2] = 0x84 | (message[2] & 0x01); /* a response, authoritative */
	message[3] = 0x80 | (known ? 0 : NXDOMAIN);
	return end;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(53) };
	uint8_t message[MESSAGE_MAX];

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
		err(2, "127.0.0.1:53");
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof from;
		ssize_t n =
		    recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &size);
		size_t reply = n > 0 ? answer(message, n, argv + 1) : 0;
		if (reply > 0)
			sendto(fd, message, reply, 0, (struct sockaddr *)&from, size);
	}
}
