/*
 * wkb.c
 *		Converts the positions of a geometry in extended well-known binary, in
 *		place: pure, no PostgreSQL header.  PostGIS writes and reads the binary;
 *		everything but longitudes and latitudes stays as it is.
 */
#include "geo/datum.h"
#include "geo/wkb.h"

#include <string.h>

#define HAS_Z UINT32_C(0x80000000)
#define HAS_M UINT32_C(0x40000000)
#define HAS_SRID UINT32_C(0x20000000)

/* Deeper nesting than PostGIS itself would read. */
#define MOST_DEPTH 100

typedef struct Converter
{
	O2oWkbReader reader;
	uint8_t *wkb;
	O2oGeoDatum from;
	O2oGeoDatum to;
} Converter;

static void
put_double(const Converter *converter, uint8_t *at, double number)
{
	uint64_t bits;

	memcpy(&bits, &number, 8);
	if (converter->reader.swapped)
		bits = __builtin_bswap64(bits);
	memcpy(at, &bits, 8);
}

/* So many positions of so many coordinates each. */
static bool
convert_positions(Converter *converter, uint32_t count, int dimensions)
{
	O2oWkbReader *reader = &converter->reader;

	if ((size_t) (reader->end - reader->at) / (8 * dimensions) < count)
		return false;
	for (; count > 0; count--)
	{
		uint8_t *at = converter->wkb + (reader->at - converter->wkb);
		double longitude;
		double latitude;

		if (!o2o_wkb_double(reader, &longitude) || !o2o_wkb_double(reader, &latitude))
			return false;
		o2o_geo_convert(converter->from, converter->to, &longitude, &latitude);
		put_double(converter, at, longitude);
		put_double(converter, at + 8, latitude);
		reader->at += 8 * (dimensions - 2);
	}
	return true;
}

static bool
convert_sequence(Converter *converter, int dimensions)
{
	uint32_t count;

	return o2o_wkb_uint32(&converter->reader, &count) &&
		   convert_positions(converter, count, dimensions);
}

/* One geometry: a position, a sequence of them, sequences, or geometries. */
static bool
convert_geometry(Converter *converter, int depth)
{
	uint32_t type;
	uint32_t count;
	int dimensions;

	if (depth > MOST_DEPTH || !o2o_wkb_head(&converter->reader, &type))
		return false;
	dimensions = 2 + (type & HAS_Z ? 1 : 0) + (type & HAS_M ? 1 : 0);
	if (type & HAS_SRID && !o2o_wkb_uint32(&converter->reader, &count))
		return false;
	switch (type & ~(HAS_Z | HAS_M | HAS_SRID))
	{
		case 1: /* point */
			return convert_positions(converter, 1, dimensions);
		case 2: /* linestring */
		case 8: /* circularstring */
			return convert_sequence(converter, dimensions);
		case 3:  /* polygon */
		case 17: /* triangle */
			if (!o2o_wkb_uint32(&converter->reader, &count))
				return false;
			for (; count > 0; count--)
				if (!convert_sequence(converter, dimensions))
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
			if (!o2o_wkb_uint32(&converter->reader, &count))
				return false;
			for (; count > 0; count--)
				if (!convert_geometry(converter, depth + 1))
					return false;
			return true;
	}
	return false;
}

/* False when the binary is not understood, which leaves it half converted. */
bool
o2o_geo_convert_wkb(O2oGeoDatum from, O2oGeoDatum to, uint8_t *wkb, size_t size)
{
	Converter converter = {{wkb, wkb + size, false}, wkb, from, to};

	return convert_geometry(&converter, 0) && converter.reader.at == converter.reader.end;
}
