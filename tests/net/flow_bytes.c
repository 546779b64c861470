/* SPDX-License-Identifier: MIT
 *
 * flow_bytes: see flow.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/net/flow.h"

/* Bytes of one send and one receive: a multiple of a word. */
#define CHUNK 65536

/* How far from where they are expected strange bytes are looked for: more than a window. */
#define SEARCH (4 << 20)

/* Word number `index` of a seed, by the mixing steps of SplitMix64: neighbours share nothing. */
static uint64_t
word_at(uint64_t seed, uint64_t index)
{
	uint64_t z = seed * 0xd1342543de82ef95 + (index + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t
run_seed_back(uint64_t seed)
{
	return ~seed;
}

/* The bytes from offset on; returns where they begin in a buffer that is used again. */
static const uint8_t *
bytes_at(uint64_t seed, uint64_t offset, size_t n)
{
	static uint64_t words[CHUNK / 8 + 2];
	uint64_t first = offset / 8, last = (offset + n + 7) / 8;

	for (uint64_t i = first; i < last; i++)
		words[i - first] = word_at(seed, i);
	return (const uint8_t *)words + offset % 8;
}

bool
run_send(Run *run, int fd)
{
	uint64_t left = run->size - run->offset;
	size_t n = left < CHUNK ? left : CHUNK;
	ssize_t sent = send(fd, bytes_at(run->seed, run->offset, n), n, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN) {
		complain("seed %" PRIu64 ": sending after %" PRIu64 " of %" PRIu64 " bytes: %s",
			 run->seed, run->offset, run->size, strerror(errno));
		return false;
	}
	if (sent > 0)
		run->offset += sent;
	return true;
}

/* Where in the run the n bytes (8 at least) really belong; UINT64_MAX: nowhere near. */
static uint64_t
find_bytes(const Run *run, const uint8_t *bytes, uint64_t offset)
{
	uint64_t begin = offset > SEARCH ? offset - SEARCH : 0;

	for (uint64_t at = begin; at < offset + SEARCH; at += CHUNK) {
		const uint8_t *chunk = bytes_at(run->seed, at, CHUNK + 7);
		const uint8_t *found = memmem(chunk, CHUNK + 7, bytes, 8);
		if (found)
			return at + (found - chunk);
	}
	return UINT64_MAX;
}

static bool
check_bytes(const Run *run, const uint8_t *got, size_t n)
{
	const uint8_t *wanted = bytes_at(run->seed, run->offset, n);
	uint64_t where;
	size_t i = 0;

	if (memcmp(got, wanted, n) == 0)
		return true;
	while (got[i] == wanted[i])
		i++;
	where = n - i >= 8 ? find_bytes(run, got + i, run->offset + i) : UINT64_MAX;
	if (where == UINT64_MAX)
		complain("seed %" PRIu64 ": byte %" PRIu64 " is wrong", run->seed, run->offset + i);
	else
		complain("seed %" PRIu64 ": in place of byte %" PRIu64 " comes byte %" PRIu64,
			 run->seed, run->offset + i, where);
	return false;
}

RunResult
run_receive(Run *run, int fd)
{
	static uint8_t buf[CHUNK];
	ssize_t n = recv(fd, buf, sizeof buf, 0);

	if (n < 0 && errno == EAGAIN)
		return RUN_GOES_ON;
	if (n < 0)
		complain("seed %" PRIu64 ": receiving after %" PRIu64 " of %" PRIu64 " bytes: %s",
			 run->seed, run->offset, run->size, strerror(errno));
	else if (n == 0 && run->offset < run->size)
		complain("seed %" PRIu64 ": the end after %" PRIu64 " of %" PRIu64 " bytes",
			 run->seed, run->offset, run->size);
	else if (n == 0)
		return RUN_ENDED;
	else if ((uint64_t)n > run->size - run->offset)
		complain("seed %" PRIu64 ": %" PRIu64 " bytes where there should be %" PRIu64,
			 run->seed, run->offset + n, run->size);
	else if (check_bytes(run, buf, n)) {
		run->offset += n;
		return RUN_GOES_ON;
	}
	return RUN_FAILED;
}
