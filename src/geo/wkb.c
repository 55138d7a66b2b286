/*
 * wkb.c
 *		Converts the positions of a geometry in extended well-known binary, in
 *		place: pure, no PostgreSQL header.  PostGIS writes and reads the binary;
 *		everything but longitudes and latitudes stays as it is.
 */
#include "geo/datum.h"

#include <string.h>

#define HAS_Z UINT32_C(0x80000000)
#define HAS_M UINT32_C(0x40000000)
#define HAS_SRID UINT32_C(0x20000000)

/* Deeper nesting than PostGIS itself would read. */
#define MOST_DEPTH 100

typedef struct Reader
{
	uint8_t *at;
	uint8_t *end;
	bool swapped; /* of the other byte order than this machine */
	O2oGeoDatum from;
	O2oGeoDatum to;
} Reader;

static bool
read_byte(Reader *reader, uint8_t *byte)
{
	if (reader->at >= reader->end)
		return false;
	*byte = *reader->at++;
	return true;
}

static bool
read_uint32(Reader *reader, uint32_t *number)
{
	if (reader->end - reader->at < 4)
		return false;
	memcpy(number, reader->at, 4);
	if (reader->swapped)
		*number = __builtin_bswap32(*number);
	reader->at += 4;
	return true;
}

static double
get_double(const Reader *reader, const uint8_t *at)
{
	uint64_t bits;
	double number;

	memcpy(&bits, at, 8);
	if (reader->swapped)
		bits = __builtin_bswap64(bits);
	memcpy(&number, &bits, 8);
	return number;
}

static void
put_double(const Reader *reader, uint8_t *at, double number)
{
	uint64_t bits;

	memcpy(&bits, &number, 8);
	if (reader->swapped)
		bits = __builtin_bswap64(bits);
	memcpy(at, &bits, 8);
}

/* So many positions of so many coordinates each. */
static bool
convert_positions(Reader *reader, uint32_t count, int dimensions)
{
	if ((size_t) (reader->end - reader->at) / (8 * dimensions) < count)
		return false;
	for (; count > 0; count--)
	{
		double longitude = get_double(reader, reader->at);
		double latitude = get_double(reader, reader->at + 8);

		o2o_geo_convert(reader->from, reader->to, &longitude, &latitude);
		put_double(reader, reader->at, longitude);
		put_double(reader, reader->at + 8, latitude);
		reader->at += 8 * dimensions;
	}
	return true;
}

static bool
convert_sequence(Reader *reader, int dimensions)
{
	uint32_t count;

	return read_uint32(reader, &count) && convert_positions(reader, count, dimensions);
}

/* One geometry: a position, a sequence of them, sequences, or geometries. */
static bool
convert_geometry(Reader *reader, int depth)
{
	uint16_t probe = 1;
	uint8_t little;
	uint32_t type;
	uint32_t count;
	int dimensions;

	if (depth > MOST_DEPTH || !read_byte(reader, &little) || little > 1)
		return false;
	reader->swapped = little != *(uint8_t *) &probe;
	if (!read_uint32(reader, &type))
		return false;
	dimensions = 2 + (type & HAS_Z ? 1 : 0) + (type & HAS_M ? 1 : 0);
	if (type & HAS_SRID && !read_uint32(reader, &count))
		return false;
	switch (type & ~(HAS_Z | HAS_M | HAS_SRID))
	{
		case 1: /* point */
			return convert_positions(reader, 1, dimensions);
		case 2: /* linestring */
		case 8: /* circularstring */
			return convert_sequence(reader, dimensions);
		case 3:  /* polygon */
		case 17: /* triangle */
			if (!read_uint32(reader, &count))
				return false;
			for (; count > 0; count--)
				if (!convert_sequence(reader, dimensions))
					return false;
			return true;
		case 4:  /* multipoint */
		case 5:  /* multilinestring */
		case 6:  /* multipolygon */
		case 7:  /* collection */
		case 9:  /* compoundcurve */
		case 10: /* curvepolygon */
		case 11: /* multicurve */
		case 12: /* multisurface */
		case 15: /* polyhedral surface */
		case 16: /* network of triangles */
			if (!read_uint32(reader, &count))
				return false;
			for (; count > 0; count--)
				if (!convert_geometry(reader, depth + 1))
					return false;
			return true;
	}
	return false;
}

/* False when the binary is not understood, which leaves it half converted. */
bool
o2o_geo_convert_wkb(O2oGeoDatum from, O2oGeoDatum to, uint8_t *wkb, size_t size)
{
	Reader reader = {wkb, wkb + size, false, from, to};

	return convert_geometry(&reader, 0) && reader.at == reader.end;
}
