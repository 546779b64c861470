/* SPDX-License-Identifier: MIT
 *
 * flow.h: what the parts of flow share; flow.c says what flow is. One thread, one epoll.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* --- bytes that can be checked (flow_bytes.c) ------------------------------------------------- */

/* One direction of a connection: its byte number `offset` follows from the seed and the number
 * alone, so that whoever has both can tell which byte is lost, doubled or swapped. */
typedef struct {
	uint64_t seed;
	uint64_t size;   /* how many bytes go this way, as far as is known */
	uint64_t offset; /* how many have */
} Run;

/* The seed of the answers on a connection whose requests have the seed. */
uint64_t run_seed_back(uint64_t seed);

/* Sends what the socket takes at once. FALSE: the connection has failed, which has been told. */
bool run_send(Run *run, int fd);

typedef enum {
	RUN_GOES_ON,
	RUN_ENDED,  /* an ordinary end, where it should be */
	RUN_FAILED, /* and it has been told why */
} RunResult;

/* Receives and checks what is there. */
RunResult run_receive(Run *run, int fd);

/* --- what all parts need (flow.c) ------------------------------------------------------------- */

/* Prints "error: ..." and counts it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often somebody has complained. */
unsigned complaints(void);

uint64_t now_ms(void);

/* Makes epoll tell these events of fd with data; `events` may change from call to call. */
void watch(int epoll, int fd, uint32_t events, void *data);

/* A descriptor that becomes readable by SIGTERM, SIGINT and SIGUSR1; next_signal() tells which. */
int open_signals(void);
int next_signal(int fd);

/* Closes with a reset. */
void abort_connection(int fd);

/* Keeps the kernel from receiving megabytes for a program that does not. */
void keep_small(int fd);

/* The command line. */
typedef struct {
	const char *host, *port;
	int connections;
	uint64_t seed, size;
	int interval_ms; /* of echo */
	int socks;       /* the port of a SOCKS5 proxy on the loopback, or 0 */
	bool stalled, repeat;
} Options;

/* A connection to the options' host that does not block and has sent line, or -1. */
int connect_to(const Options *options, const char *line);

/* --- the parts: each returns when its work is done -------------------------------------------- */

void serve(const Options *options);
void transfer(const Options *options, uint64_t up, uint64_t down);
void echo(const Options *options, bool by_signal);
