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
	double fall;       /* metres that the distance from the axis falls, a radian of latitude */
	O2oGeoEnd end;
} O2oGeoQuery;

/* A circle that an index is searched for. */
typedef struct O2oGeoReach
{
	O2oGeoQuery query; /* from its center */
	double metres;
	O2oGeoBox window; /* nothing outside is in the circle */
	double surely; /* what is so near at most, by a square that is above the distance's, is in it */
} O2oGeoReach;

typedef enum O2oGeoFit
{
	O2O_GEO_APART,   /* no position of it is there */
	O2O_GEO_PERHAPS, /* nothing is known */
	O2O_GEO_INSIDE   /* all are */
} O2oGeoFit;

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

/* Without branches, which a processor would guess wrong half of the time; so is the next. */
static inline bool
o2o_geo_box_holds(const O2oGeoBox *box, O2oGeoPoint point)
{
	int64_t lon = o2o_geo_lon(point);
	int64_t lat = o2o_geo_lat(point);

	return (lon >= box->west) & (lon <= box->east) & (lat >= box->south) & (lat <= box->north);
}

/* Neither of which crosses the antimeridian. */
static inline bool
o2o_geo_boxes_meet(const O2oGeoBox *a, const O2oGeoBox *b)
{
	return (a->south <= b->north) & (a->north >= b->south) & (a->west <= b->east) &
		   (a->east >= b->west);
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
extern double o2o_geo_query_distance(const O2oGeoQuery *query, O2oGeoPoint point);

/* bound.c */
extern double o2o_geo_bound(const O2oGeoQuery *query, const O2oGeoBox *box);
extern double o2o_geo_point_bound(const O2oGeoQuery *query, O2oGeoPoint point);
extern void o2o_geo_reach_init(O2oGeoReach *reach, O2oGeoPoint center, double metres);
extern O2oGeoFit o2o_geo_reach_fit(const O2oGeoReach *reach, const O2oGeoBox *box);
extern bool o2o_geo_reach_within(const O2oGeoReach *reach, O2oGeoPoint point);
extern void o2o_geo_search_init(O2oGeoSearch *search, O2oGeoPoint point);
extern double o2o_geo_search_distance(O2oGeoSearch *search, O2oGeoPoint point, bool *exact);

/* How a box lies to the circle; most are outside of its window, which is seen at once. */
static inline O2oGeoFit
o2o_geo_reach_box(const O2oGeoReach *reach, const O2oGeoBox *box)
{
	return o2o_geo_boxes_meet(&reach->window, box) ? o2o_geo_reach_fit(reach, box) : O2O_GEO_APART;
}

/* Whether a position is in the circle. */
static inline bool
o2o_geo_reach_holds(const O2oGeoReach *reach, O2oGeoPoint point)
{
	return o2o_geo_box_holds(&reach->window, point) && o2o_geo_reach_within(reach, point);
}

/*
 * A cell: the earth cut in halves by longitude and by latitude in turns, down to
 * single positions.  The bits that say which half, up to 63, are followed by one
 * set bit, which ends them.  After 4 * depth - 1 bits sides are equal: each depth
 * cuts such a square into 4 x 4.
 */
typedef uint64_t O2oGeoCell;

#define O2O_GEO_CELL_BITS 63
#define O2O_GEO_CELL_DEPTH 16
#define O2O_GEO_CELL_WHOLE (UINT64_C(1) << O2O_GEO_CELL_BITS)

/* cell.c */
extern int64_t o2o_geo_hilbert(O2oGeoPoint point);
extern O2oGeoCell o2o_geo_cell(O2oGeoPoint point);

static inline int
o2o_geo_cell_bits(O2oGeoCell cell)
{
	return O2O_GEO_CELL_BITS - __builtin_ctzll(cell);
}

/* The cell of so many bits, no more than its own, in which a cell lies. */
static inline O2oGeoCell
o2o_geo_cell_prefix(O2oGeoCell cell, int bits)
{
	uint64_t end = UINT64_C(1) << (O2O_GEO_CELL_BITS - bits);

	return (cell & ~(end | (end - 1))) | end;
}

/* Bits of the smallest cell in which both lie. */
static inline int
o2o_geo_cell_common_bits(O2oGeoCell a, O2oGeoCell b)
{
	int bits = o2o_geo_cell_bits(a);
	int other = o2o_geo_cell_bits(b);
	int same = a == b ? bits : __builtin_clzll(a ^ b);

	if (other < bits)
		bits = other;
	return same < bits ? same : bits;
}

/* Whether a cell lies in another, or is it: above the end bit of the outer they agree, and the inner ends no higher. */
static inline bool
o2o_geo_cell_contains(O2oGeoCell cell, O2oGeoCell inner)
{
	/* the end bit and all below it */
	uint64_t below = ((cell & -cell) << 1) - 1;

	return ((cell ^ inner) & ~below) == 0 && (inner & below) != 0;
}

/* The bits at even places, moved together again. */
static inline uint64_t
o2o_geo_gather(uint64_t bits)
{
	bits &= UINT64_C(0x5555555555555555);
	bits = (bits | bits >> 1) & UINT64_C(0x3333333333333333);
	bits = (bits | bits >> 2) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	bits = (bits | bits >> 4) & UINT64_C(0x00FF00FF00FF00FF);
	bits = (bits | bits >> 8) & UINT64_C(0x0000FFFF0000FFFF);
	return (bits | bits >> 16) & UINT64_C(0x00000000FFFFFFFF);
}

/* The area of a cell, as far as it lies on the earth. */
static inline O2oGeoBox
o2o_geo_cell_box(O2oGeoCell cell)
{
	int open = __builtin_ctzll(cell);
	uint64_t place = (cell & (cell - 1)) >> 1;
	O2oGeoBox box;

	box.west = o2o_geo_gather(place);
	box.south = o2o_geo_gather(place >> 1);
	box.east = box.west + (INT64_C(1) << ((open + 1) >> 1)) - 1;
	box.north = box.south + (INT64_C(1) << (open >> 1)) - 1;
	if (box.east >= O2O_GEO_LON_TURN)
		box.east = O2O_GEO_LON_TURN - 1;
	if (box.north > O2O_GEO_LAT_TOP)
		box.north = O2O_GEO_LAT_TOP;
	return box;
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
