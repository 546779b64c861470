/* SPDX-License-Identifier: MIT
 *
 * dns: a name server with a handful of names (RFC 1035), for tests.
 *
 *     dns NAME=ADDRESS...
 *
 * Answers on port 53 of every address, by UDP and TCP. A name may be given several times; one that
 * is not given does not exist (NXDOMAIN). One thread.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
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

/* By UDP; whatever fails concerns one question. */
static void
serve_datagram(int fd, char **records)
{
	uint8_t message[MESSAGE_MAX];
	struct sockaddr_in6 from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &size);
	size_t reply = n > 0 ? answer(message, n, records) : 0;

	if (reply > 0)
		sendto(fd, message, reply, 0, (struct sockaddr *)&from, size);
}

/* By TCP, with its length in front (RFC 1035, section 4.2.2); one question for each connection. */
static void
serve_connection(int listener, char **records)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	uint8_t message[2 + MESSAGE_MAX];

	if (fd >= 0 && recv(fd, message, 2, MSG_WAITALL) == 2) {
		size_t n = message[0] << 8 | message[1];
		size_t reply = 0;

		if (n <= MESSAGE_MAX && recv(fd, message + 2, n, MSG_WAITALL) == (ssize_t)n)
			reply = answer(message + 2, n, records);
		message[0] = reply >> 8;
		message[1] = reply;
		if (reply > 0)
			send(fd, message, 2 + reply, MSG_NOSIGNAL);
	}
	close(fd);
}

static int
open_port(int type)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	int off = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
	    bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
		err(2, "port 53");
	return fd;
}

int
main(int argc, char **argv)
{
	struct pollfd pfd[2] = {
		{ .fd = open_port(SOCK_DGRAM), .events = POLLIN },
		{ .fd = open_port(SOCK_STREAM), .events = POLLIN },
	};

	if (listen(pfd[1].fd, 16) < 0)
		err(2, "port 53");
	for (;;) {
		if (poll(pfd, 2, -1) < 0)
			err(2, "poll");
		if (pfd[0].revents != 0)
			serve_datagram(pfd[0].fd, argv + 1);
		if (pfd[1].revents != 0)
			serve_connection(pfd[1].fd, argv + 1);
	}
}
