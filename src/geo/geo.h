/*
 * geo.h
 *		The position type and what the pure parts of this room offer.
 *		No PostgreSQL header is needed here: the pure parts stand alone.
 */
#ifndef O2O_GEO_H
#define O2O_GEO_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A position on WGS84 in 63 bits: longitude + 180 degrees in the upper 32 of
 * them, latitude + 90 degrees in the lower 31, both in 1e-7 degree (1.1 cm).
 * One position has one value: the antimeridian is -180 (ISO 6709), a pole has
 * longitude 0.  Compared as an integer it sorts west to east, then south to
 * north.
 */
typedef int64_t O2oGeoPoint;

#define O2O_GEO_LON_HALF INT64_C(1800000000)
#define O2O_GEO_LAT_HALF INT64_C(900000000)
#define O2O_GEO_LON_TURN (2 * O2O_GEO_LON_HALF)
#define O2O_GEO_LAT_TOP (2 * O2O_GEO_LAT_HALF)
#define O2O_GEO_LAT_BITS 31

/* '-179.1234567,-89.1234567' and its end */
#define O2O_GEO_TEXT_SIZE 26

#define PG_GETARG_GEOPOINT(n) ((O2oGeoPoint) PG_GETARG_INT64(n))
#define PG_RETURN_GEOPOINT(x) PG_RETURN_INT64(x)
#define DatumGetGeoPoint(x) ((O2oGeoPoint) DatumGetInt64(x))
#define GeoPointGetDatum(x) Int64GetDatum(x)

typedef enum O2oGeoStatus
{
	O2O_GEO_OK,
	O2O_GEO_LONGITUDE, /* out of range, or not a number */
	O2O_GEO_LATITUDE,
	O2O_GEO_UPSIDE_DOWN /* south above north */
} O2oGeoStatus;

/* An area of longitude and latitude, both ends included, biased as above. */
typedef struct O2oGeoBox
{
	int64_t west;
	int64_t east;
	int64_t south;
	int64_t north;
} O2oGeoBox;

/*
 * o2o.geocircle: the positions at most radius metres from the center.  The
 * radius is zero or more, and may be infinite.
 */
typedef struct O2oGeoCircle
{
	O2oGeoPoint center;
	double radius;
} O2oGeoCircle;

/*
 * o2o.geobox: the positions between two parallels and, going east, between two
 * meridians, in 1e-7 degree.  West above east: it crosses the antimeridian.  In
 * normal form west is below 180 degrees, and east is -180 only if west is.
 */
typedef struct O2oGeoFrame
{
	int32_t west;
	int32_t south;
	int32_t east;
	int32_t north;
} O2oGeoFrame;

/* '(-179.1234567,-89.1234567),(-179.1234567,-89.1234567)' and its end */
#define O2O_GEO_FRAME_TEXT_SIZE (2 * O2O_GEO_TEXT_SIZE + 4)

#define PG_GETARG_GEOCIRCLE(n) ((const O2oGeoCircle *) PG_GETARG_POINTER(n))
#define PG_GETARG_GEOFRAME(n) ((const O2oGeoFrame *) PG_GETARG_POINTER(n))
#define DatumGetGeoCircle(x) ((const O2oGeoCircle *) DatumGetPointer(x))
#define DatumGetGeoFrame(x) ((const O2oGeoFrame *) DatumGetPointer(x))

/* Search operators of both operator classes; the numbers are those of access/stratnum.h. */
#define O2O_GEO_OVERLAPS_FRAME 3
#define O2O_GEO_EQUALS 6
#define O2O_GEO_IN_CIRCLE 8
#define O2O_GEO_NEAREST 15
#define O2O_GEO_IN_FRAME 28

/* What a distance needs to know of one of its ends. */
typedef struct O2oGeoEnd
{
	double lat;  /* radians */
	double sine; /* of the latitude */
	double rho;  /* distance from the axis, metres */
	double z;    /* distance from the plane of the equator, over 1 - e^2 */
} O2oGeoEnd;

/* What bounds and distances need to know of the position they are measured from. */
typedef struct O2oGeoQuery
{
	O2oGeoPoint point;
	int64_t lon;
	int64_t lat;
	double meridional; /* radius of curvature of the meridian */
	O2oGeoEnd end;
} O2oGeoQuery;

/*
 * One search for the nearest: what an index says of the distance of a position.
 * A lower bound is enough, but an exact distance lets the server return the row as
 * it comes.  Of a bound it has to compute the distance itself, and to keep a copy
 * of the row and fetch the next one before it knows that none is nearer.  How many
 * rows are wanted an index is never told.  For the O2O_GEO_LIKELY nearest so far
 * the exact distance is worth its time.
 */
#define O2O_GEO_LIKELY 10

typedef struct O2oGeoSearch
{
	O2oGeoQuery query;
	double best[O2O_GEO_LIKELY]; /* the least bounds so far, in order */
	int found;                   /* and how many these are */
} O2oGeoSearch;

/* Longitude + 180 degrees, in 1e-7 degree: 0 .. 3599999999. */
static inline int64_t
o2o_geo_lon(O2oGeoPoint point)
{
	return point >> O2O_GEO_LAT_BITS;
}

/* Latitude + 90 degrees, in 1e-7 degree: 0 .. 1800000000. */
static inline int64_t
o2o_geo_lat(O2oGeoPoint point)
{
	return point & ((INT64_C(1) << O2O_GEO_LAT_BITS) - 1);
}

/* Degrees, the double next to the exact decimal. */
static inline double
o2o_geo_longitude_degrees(O2oGeoPoint point)
{
	return (o2o_geo_lon(point) - O2O_GEO_LON_HALF) / 1e7;
}

static inline double
o2o_geo_latitude_degrees(O2oGeoPoint point)
{
	return (o2o_geo_lat(point) - O2O_GEO_LAT_HALF) / 1e7;
}

/* From biased units in range and in normal form. */
static inline O2oGeoPoint
o2o_geo_pack(int64_t lon, int64_t lat)
{
	return lon << O2O_GEO_LAT_BITS | lat;
}

/* geopoint_parse.c */
extern O2oGeoStatus o2o_geo_from_units(int64_t lon_e7, int64_t lat_e7, O2oGeoPoint *point);
extern O2oGeoStatus o2o_geo_from_degrees(double longitude, double latitude, O2oGeoPoint *point);
extern bool o2o_geo_parse(const char *text, double *longitude, double *latitude);
extern void o2o_geo_format(O2oGeoPoint point, char *text);
extern char *o2o_geo_format_units(int64_t units, char *text);
extern const char *o2o_geo_parse_number(const char *text, double *number);
extern const char *o2o_geo_skip_space(const char *text);
extern const char *o2o_geo_skip_word(const char *text, const char *upper);

/* area.c */
extern O2oGeoStatus o2o_geo_frame_from_units(int64_t west, int64_t south, int64_t east,
											 int64_t north, O2oGeoFrame *frame);
extern O2oGeoStatus o2o_geo_frame_from_degrees(const double corners[4], O2oGeoFrame *frame);
extern bool
o2o_geo_circle_parse(const char *text, double *longitude, double *latitude, double *radius);
extern bool o2o_geo_frame_parse(const char *text, double corners[4]);
extern void o2o_geo_frame_format(const O2oGeoFrame *frame, char *text);
extern bool o2o_geo_frame_reaches(const O2oGeoFrame *frame, const O2oGeoBox *box);
extern bool o2o_geo_frames_meet(const O2oGeoFrame *a, const O2oGeoFrame *b);

/* geopoint.c */
struct Node;
extern bool o2o_geo_check_status(O2oGeoStatus status, double longitude, double latitude,
								 struct Node *escontext);

/* area_type.c */
extern bool o2o_geo_check_radius(double metres, struct Node *escontext);

/* distance.c */
extern double o2o_geo_distance(O2oGeoPoint a, O2oGeoPoint b);
extern void o2o_geo_ecef(O2oGeoPoint point, double metres[3]);
extern double o2o_geo_azimuth(O2oGeoPoint a, O2oGeoPoint b);
extern void o2o_geo_query_init(O2oGeoQuery *query, O2oGeoPoint point);
extern double o2o_geo_bound(const O2oGeoQuery *query, const O2oGeoBox *box);
extern double o2o_geo_point_bound(const O2oGeoQuery *query, O2oGeoPoint point);
extern double o2o_geo_query_distance(const O2oGeoQuery *query, O2oGeoPoint point);
extern void o2o_geo_search_init(O2oGeoSearch *search, O2oGeoPoint point);
extern double o2o_geo_search_distance(O2oGeoSearch *search, O2oGeoPoint point, bool *exact);
extern bool o2o_geo_point_within(const O2oGeoQuery *query, O2oGeoPoint point, double metres);

/*
 * A cell: longitude and latitude cut into 4 x 4, and each of these again, down
 * to single positions at depth 16.  The digits (4 bits) of its place are
 * followed by one set bit, which tells the depth; the whole world is 0.
 */
typedef uint64_t O2oGeoCell;

#define O2O_GEO_CELL_DEPTH 16

/* cell.c */
extern int64_t o2o_geo_hilbert(O2oGeoPoint point);
extern O2oGeoCell o2o_geo_cell(O2oGeoPoint point);
extern int o2o_geo_cell_depth(O2oGeoCell cell);
extern O2oGeoCell o2o_geo_cell_ancestor(O2oGeoCell cell, int depth);
extern int o2o_geo_cell_common_depth(O2oGeoCell a, O2oGeoCell b);
extern O2oGeoBox o2o_geo_cell_box(O2oGeoCell cell);

/* Whether a cell lies in another, or is it: above the end bit of the outer they agree, and the inner ends no higher. */
static inline bool
o2o_geo_cell_contains(O2oGeoCell cell, O2oGeoCell inner)
{
	/* the end bit and all below it; of the world, which has none, all bits */
	uint64_t below = ((cell & -cell) << 1) - 1;

	return ((cell ^ inner) & ~below) == 0 && ((inner & below) != 0 || cell == 0);
}

/* The area of a single position. */
static inline O2oGeoBox
o2o_geo_point_box(O2oGeoPoint point)
{
	O2oGeoBox box;

	box.west = box.east = o2o_geo_lon(point);
	box.south = box.north = o2o_geo_lat(point);
	return box;
}

#endif /* O2O_GEO_H */
