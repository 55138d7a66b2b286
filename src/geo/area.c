/*
 * area.c
 *		Circles and boxes on the earth: text, normal form, what lies in them: pure,
 *		no PostgreSQL header.  The types around it live in area_type.c, distances
 *		in distance.c.
 */
#include "geo/geo.h"

#include <math.h>
#include <string.h>

/* Whole 1e-7 degrees to the one value that stands for this box. */
O2oGeoStatus
o2o_geo_frame_from_units(int64_t west, int64_t south, int64_t east, int64_t north,
						 O2oGeoFrame *frame)
{
	if (west < -O2O_GEO_LON_HALF || west > O2O_GEO_LON_HALF || east < -O2O_GEO_LON_HALF ||
		east > O2O_GEO_LON_HALF)
		return O2O_GEO_LONGITUDE;
	if (south < -O2O_GEO_LAT_HALF || south > O2O_GEO_LAT_HALF || north < -O2O_GEO_LAT_HALF ||
		north > O2O_GEO_LAT_HALF)
		return O2O_GEO_LATITUDE;
	if (south > north)
		return O2O_GEO_UPSIDE_DOWN;
	if (west == O2O_GEO_LON_HALF)
	{
		west = -O2O_GEO_LON_HALF;
		if (east == O2O_GEO_LON_HALF)
			east = west;
	}
	if (east == -O2O_GEO_LON_HALF && west != east)
		east = O2O_GEO_LON_HALF;
	frame->west = (int32_t) west;
	frame->south = (int32_t) south;
	frame->east = (int32_t) east;
	frame->north = (int32_t) north;
	return O2O_GEO_OK;
}

/* West, south, east, north in degrees, each rounded to the nearest 1e-7. */
O2oGeoStatus
o2o_geo_frame_from_degrees(const double corners[4], O2oGeoFrame *frame)
{
	int64_t units[4];
	int i;

	for (i = 0; i < 4; i++)
	{
		double limit = i % 2 == 0 ? 180.0 : 90.0;

		/* written so that NaN fails */
		if (!(corners[i] >= -limit && corners[i] <= limit))
			return i % 2 == 0 ? O2O_GEO_LONGITUDE : O2O_GEO_LATITUDE;
		units[i] = llround(corners[i] * 1e7);
	}
	return o2o_geo_frame_from_units(units[0], units[1], units[2], units[3], frame);
}

/* Skip white space, one character, white space; NULL if it is another one. */
static const char *
skip_mark(const char *text, char mark)
{
	text = o2o_geo_skip_space(text);
	return *text == mark ? o2o_geo_skip_space(text + 1) : NULL;
}

/* '(longitude,latitude)'; NULL if there is none. */
static const char *
parse_pair(const char *text, double *longitude, double *latitude)
{
	text = skip_mark(text, '(');
	if (text)
		text = o2o_geo_parse_number(text, longitude);
	if (text)
		text = skip_mark(text, ',');
	if (text)
		text = o2o_geo_parse_number(text, latitude);
	return text ? skip_mark(text, ')') : NULL;
}

/* '<(longitude,latitude),radius>' to numbers of any size. */
bool
o2o_geo_circle_parse(const char *text, double *longitude, double *latitude, double *radius)
{
	const char *word;

	text = skip_mark(text, '<');
	if (text)
		text = parse_pair(text, longitude, latitude);
	if (text)
		text = skip_mark(text, ',');
	if (!text)
		return false;
	word = o2o_geo_skip_word(text, "INFINITY");
	if (word)
		*radius = INFINITY;
	text = word ? word : o2o_geo_parse_number(text, radius);
	/* what is infinite says so: a number too large is a mistake */
	if (!text || (!word && isinf(*radius)))
		return false;
	text = skip_mark(text, '>');
	return text && *text == '\0';
}

/* '(west,south),(east,north)' to degrees of any size. */
bool
o2o_geo_frame_parse(const char *text, double corners[4])
{
	text = parse_pair(text, &corners[0], &corners[1]);
	if (text)
		text = skip_mark(text, ',');
	if (text)
		text = parse_pair(text, &corners[2], &corners[3]);
	return text && *text == '\0';
}

/* '(west,south),(east,north)' into O2O_GEO_FRAME_TEXT_SIZE bytes. */
void
o2o_geo_frame_format(const O2oGeoFrame *frame, char *text)
{
	*text++ = '(';
	text = o2o_geo_format_units(frame->west, text);
	*text++ = ',';
	text = o2o_geo_format_units(frame->south, text);
	memcpy(text, "),(", 3);
	text = o2o_geo_format_units(frame->east, text + 3);
	*text++ = ',';
	text = o2o_geo_format_units(frame->north, text);
	memcpy(text, ")", 2);
}

/*
 * Whether a position of an index's area may lie in the box; for the area of a
 * single position: whether it does.  A pole has every longitude, and longitude
 * 180 is kept as -180.
 */
bool
o2o_geo_frame_reaches(const O2oGeoFrame *frame, const O2oGeoBox *box)
{
	int64_t west = frame->west + O2O_GEO_LON_HALF;
	int64_t east = frame->east + O2O_GEO_LON_HALF;
	int64_t south = frame->south + O2O_GEO_LAT_HALF;
	int64_t north = frame->north + O2O_GEO_LAT_HALF;

	if (box->north < south || box->south > north)
		return false;
	if ((north == O2O_GEO_LAT_TOP && box->north >= O2O_GEO_LAT_TOP) ||
		(south == 0 && box->south <= 0))
		return true;
	if (east == O2O_GEO_LON_TURN && box->west <= 0)
		return true;
	return west <= east ? box->west <= east && box->east >= west
						: box->west <= east || box->east >= west;
}

/* Whether the longitudes from west to east, going east, have one in common. */
static bool
longitudes_meet(const O2oGeoFrame *a, const O2oGeoFrame *b)
{
	bool crosses_a = a->west > a->east;
	bool crosses_b = b->west > b->east;

	/* 180 and -180 are one meridian */
	if ((a->east == O2O_GEO_LON_HALF || crosses_a) && (b->west == -O2O_GEO_LON_HALF || crosses_b))
		return true;
	if ((b->east == O2O_GEO_LON_HALF || crosses_b) && (a->west == -O2O_GEO_LON_HALF || crosses_a))
		return true;
	if (crosses_a || crosses_b)
		return a->west <= b->east || b->west <= a->east;
	return a->west <= b->east && b->west <= a->east;
}

/* Whether two boxes have a position in common. */
bool
o2o_geo_frames_meet(const O2oGeoFrame *a, const O2oGeoFrame *b)
{
	int32_t south = a->south > b->south ? a->south : b->south;
	int32_t north = a->north < b->north ? a->north : b->north;

	if (south > north)
		return false;
	/* at a pole all longitudes are one place */
	return north == O2O_GEO_LAT_HALF || south == -O2O_GEO_LAT_HALF || longitudes_meet(a, b);
}
