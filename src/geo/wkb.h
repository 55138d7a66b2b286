/*
 * wkb.h
 *		Reads numbers from a geometry in well-known binary: pure, no PostgreSQL
 *		header, never beyond the end. For wkb.c and fence_polygon.c.
 */
#ifndef O2O_GEO_WKB_H
#define O2O_GEO_WKB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct O2oWkbReader
{
	const uint8_t *at;
	const uint8_t *end;
	bool swapped; /* of the other byte order than this machine */
} O2oWkbReader;

static inline bool
o2o_wkb_uint32(O2oWkbReader *reader, uint32_t *number)
{
	if (reader->end - reader->at < 4)
		return false;
	memcpy(number, reader->at, 4);
	if (reader->swapped)
		*number = __builtin_bswap32(*number);
	reader->at += 4;
	return true;
}

static inline bool
o2o_wkb_double(O2oWkbReader *reader, double *number)
{
	uint64_t bits;

	if (reader->end - reader->at < 8)
		return false;
	memcpy(&bits, reader->at, 8);
	if (reader->swapped)
		bits = __builtin_bswap64(bits);
	memcpy(number, &bits, 8);
	reader->at += 8;
	return true;
}

/* Byte order and type of a geometry, with the flags of the extended form in it. */
static inline bool
o2o_wkb_head(O2oWkbReader *reader, uint32_t *type)
{
	uint16_t probe = 1;

	if (reader->at >= reader->end || *reader->at > 1)
		return false;
	reader->swapped = *reader->at != *(uint8_t *) &probe;
	reader->at++;
	return o2o_wkb_uint32(reader, type);
}

#endif /* O2O_GEO_WKB_H */
