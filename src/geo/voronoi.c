/*
 * voronoi.c
 *		The part of the earth that is nearest to one of many places: pure, no
 *		PostgreSQL header.  The SQL function lives in trade_area.c.
 *
 * The ellipsoid is mapped to a sphere by its conformal latitude (J. P. Snyder,
 * Map Projections: A Working Manual, 1987, eq. 3-1), which keeps the ratio of
 * near distances: half way between two places 100 km apart it is a metre or two
 * off.  There the border between two places is a great circle, which a gnomonic
 * map around one of them shows as a straight line.  So a cell begins as the
 * circle within reach, drawn with corners, and each other place cuts a half
 * plane off; a place farther than twice the farthest corner cuts nothing.
 *
 * Where three cells meet, each of them computes the same corner from the same
 * three places in the same order, and borders are drawn from the same end, so
 * that neighbours have the same vertices.
 */
#include "geo/voronoi.h"

#include <geodesic.h>
#include <math.h>
#include <stddef.h>

#define WGS84_A 6378137.0
#define WGS84_F (1.0 / 298.257223563)
#define WGS84_E2 (WGS84_F * (2.0 - WGS84_F))

#define RADIAN (M_PI / 180.0)
/* Corners of the circle within reach. */
#define REACH_CORNERS 64
/* So many metres a straight line in degrees may lie beside a great circle. */
#define DRAWING_METRES 1.0
#define DRAWING_DEPTH 16
/* A longer one is divided anyway: it may cross the straight line in its middle. */
#define DRAWING_LONGEST (100000.0 / WGS84_A)

typedef struct Degrees
{
	double lon;
	double lat;
} Degrees;

/* What draws the ring: where it is, and how far round it has come. */
typedef struct Pen
{
	void (*tell)(double longitude, double latitude, void *arg);
	void *arg;
	bool started;
	Degrees first;
	Degrees last;
} Pen;

static double
dot(O2oGeoVector a, O2oGeoVector b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static O2oGeoVector
difference(O2oGeoVector a, O2oGeoVector b)
{
	O2oGeoVector d = {a.x - b.x, a.y - b.y, a.z - b.z};

	return d;
}

static O2oGeoVector
cross(O2oGeoVector a, O2oGeoVector b)
{
	O2oGeoVector c = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};

	return c;
}

static O2oGeoVector
unit(O2oGeoVector a)
{
	double length = sqrt(dot(a, a));
	O2oGeoVector u = {a.x / length, a.y / length, a.z / length};

	return u;
}

static O2oGeoVector
sphere_at(Degrees at)
{
	double e = sqrt(WGS84_E2);
	double lon = at.lon * RADIAN;
	double isometric = asinh(tan(at.lat * RADIAN)) - e * atanh(e * sin(at.lat * RADIAN));
	O2oGeoVector v;

	/* cos and sin of the conformal latitude, atan(sinh(isometric)) */
	v.z = fabs(at.lat) == 90.0 ? copysign(1.0, at.lat) : tanh(isometric);
	v.x = fabs(at.lat) == 90.0 ? 0.0 : cos(lon) / cosh(isometric);
	v.y = fabs(at.lat) == 90.0 ? 0.0 : sin(lon) / cosh(isometric);
	return v;
}

static Degrees
degrees_of(O2oGeoVector v)
{
	double e = sqrt(WGS84_E2);
	double across = hypot(v.x, v.y);
	double isometric = asinh(v.z / across);
	double lat = atan2(v.z, across);
	Degrees at;

	/* each round leaves less than a hundredth of the error */
	for (int i = 0; i < 8 && isfinite(isometric); i++)
	{
		double before = lat;

		lat = atan(sinh(isometric + e * atanh(e * sin(lat))));
		if (fabs(lat - before) < 1e-15)
			break;
	}
	at.lon = atan2(v.y, v.x) / RADIAN;
	at.lat = lat / RADIAN;
	return at;
}

/* A position on the conformal sphere. */
O2oGeoVector
o2o_geo_sphere(O2oGeoPoint point)
{
	Degrees at = {o2o_geo_longitude_degrees(point), o2o_geo_latitude_degrees(point)};

	return sphere_at(at);
}

/* The circle around a place at most max_m metres from it. */
void
o2o_geo_cell_begin(O2oGeoVoronoiCell *cell, const O2oGeoVector *places, int place, O2oGeoPoint at,
				   double max_m)
{
	O2oGeoVector axis = {0.0, 0.0, 1.0};
	O2oGeoVector up = places[place];
	struct geod_geodesic ellipsoid;

	if (fabs(up.z) > 0.9)
	{
		axis.x = 1.0;
		axis.z = 0.0;
	}
	cell->places = places;
	cell->place = place;
	cell->east = unit(cross(axis, up));
	cell->north = cross(up, cell->east);
	cell->count = REACH_CORNERS;
	geod_init(&ellipsoid, WGS84_A, WGS84_F);
	for (int i = 0; i < REACH_CORNERS; i++)
	{
		Degrees corner;
		O2oGeoVector v;

		geod_direct(&ellipsoid, o2o_geo_latitude_degrees(at), o2o_geo_longitude_degrees(at),
					360.0 / REACH_CORNERS * i, max_m, &corner.lat, &corner.lon, NULL);
		v = sphere_at(corner);
		cell->corners[i].x = dot(v, cell->east) / dot(v, up);
		cell->corners[i].y = dot(v, cell->north) / dot(v, up);
		cell->corners[i].beyond = -1;
	}
}

/*
 * Takes away what is nearer to another place.  False when the cell has too many
 * corners.  On the map a position (x, y) stands for place + x east + y north.
 */
bool
o2o_geo_cell_cut(O2oGeoVoronoiCell *cell, int other)
{
	O2oGeoVector way = difference(cell->places[other], cell->places[cell->place]);
	double x = dot(way, cell->east);
	double y = dot(way, cell->north);
	double level = dot(way, way) / 2.0;
	O2oGeoCorner *corners = cell->corners;
	O2oGeoCorner before;
	double before_side;
	int first = -1;
	int last = -1;
	int count = cell->count;
	O2oGeoCorner from;
	O2oGeoCorner to;

	/* the corners that go stand side by side: the first and last of them, going round */
	before = corners[count - 1];
	before_side = level - before.x * x - before.y * y;
	for (int i = 0; i < count; i++)
	{
		double side = level - corners[i].x * x - corners[i].y * y;

		if (side < 0.0 && before_side >= 0.0)
		{
			double along = before_side / (before_side - side);

			first = i;
			from.x = before.x + along * (corners[i].x - before.x);
			from.y = before.y + along * (corners[i].y - before.y);
			from.beyond = other;
		}
		if (side >= 0.0 && before_side < 0.0)
		{
			double along = before_side / (before_side - side);

			last = i;
			to.x = before.x + along * (corners[i].x - before.x);
			to.y = before.y + along * (corners[i].y - before.y);
			to.beyond = before.beyond;
		}
		before = corners[i];
		before_side = side;
	}
	if (first < 0 || last < 0)
		return true;
	/* from the corner "last" round to the one before "first" they stay */
	{
		O2oGeoCorner stay[O2O_GEO_CELL_CORNERS];
		int kept = 0;

		for (int i = last; i != first; i = (i + 1) % count)
			stay[kept++] = corners[i];
		if (kept + 2 > O2O_GEO_CELL_CORNERS)
			return false;
		for (int i = 0; i < kept; i++)
			corners[i] = stay[i];
		corners[kept] = from;
		corners[kept + 1] = to;
		cell->count = kept + 2;
	}
	return true;
}

/* The farthest corner, in radians of the sphere. */
double
o2o_geo_cell_reach(const O2oGeoVoronoiCell *cell)
{
	double farthest = 0.0;

	for (int i = 0; i < cell->count; i++)
		farthest = fmax(farthest, hypot(cell->corners[i].x, cell->corners[i].y));
	return atan(farthest);
}

/* Where the border of two other places meets: of the three in the order of their numbers. */
static O2oGeoVector
meeting_of(const O2oGeoVoronoiCell *cell, int a, int b, int c)
{
	O2oGeoVector v;
	int swap;

#define ORDER(p, q) \
	if (p > q)      \
	{               \
		swap = p;   \
		p = q;      \
		q = swap;   \
	}
	ORDER(a, b)
	ORDER(b, c)
	ORDER(a, b)
#undef ORDER
	v = cross(difference(cell->places[b], cell->places[a]),
			  difference(cell->places[c], cell->places[a]));
	if (dot(v, cell->places[a]) < 0.0)
		v = difference((O2oGeoVector){0.0, 0.0, 0.0}, v);
	return unit(v);
}

static O2oGeoVector
corner_vector(const O2oGeoVoronoiCell *cell, int i)
{
	const O2oGeoCorner *corner = &cell->corners[i];
	int before = cell->corners[(i + cell->count - 1) % cell->count].beyond;
	O2oGeoVector up = cell->places[cell->place];
	O2oGeoVector v;

	v.x = up.x + corner->x * cell->east.x + corner->y * cell->north.x;
	v.y = up.y + corner->x * cell->east.y + corner->y * cell->north.y;
	v.z = up.z + corner->x * cell->east.z + corner->y * cell->north.z;
	v = unit(v);
	if (before >= 0 && corner->beyond >= 0 && before != corner->beyond)
	{
		O2oGeoVector meeting = meeting_of(cell, cell->place, before, corner->beyond);
		O2oGeoVector gap = difference(meeting, v);

		/* three places in a line meet nowhere near */
		if (dot(gap, gap) < 1e-12)
			return meeting;
	}
	return v;
}

/* Longitudes go on from the last one: a ring may leave the map on either side. */
static void
draw_to(Pen *pen, Degrees to)
{
	if (pen->started)
		to.lon += 360.0 * round((pen->last.lon - to.lon) / 360.0);
	else
		pen->first = to;
	pen->started = true;
	pen->last = to;
	pen->tell(to.lon, to.lat, pen->arg);
}

/* The places between two ends of a great circle that a drawing in degrees needs, in order. */
static int
between(O2oGeoVector from, Degrees a, O2oGeoVector to, Degrees b, int depth, Degrees *found,
		int count)
{
	O2oGeoVector sum = {from.x + to.x, from.y + to.y, from.z + to.z};
	O2oGeoVector middle = unit(sum);
	O2oGeoVector way = difference(to, from);
	Degrees m = degrees_of(middle);
	double b_lon = b.lon + 360.0 * round((a.lon - b.lon) / 360.0);
	double m_lon = m.lon + 360.0 * round((a.lon - m.lon) / 360.0);
	double dx = ((a.lon + b_lon) / 2.0 - m_lon) * cos(m.lat * RADIAN);
	double dy = (a.lat + b.lat) / 2.0 - m.lat;

	if (depth >= DRAWING_DEPTH || (hypot(dx, dy) * RADIAN * WGS84_A <= DRAWING_METRES &&
								   sqrt(dot(way, way)) <= DRAWING_LONGEST))
		return count;
	count = between(from, a, middle, m, depth + 1, found, count);
	if (count < O2O_GEO_CELL_CORNERS)
		found[count++] = m;
	return between(middle, m, to, b, depth + 1, found, count);
}

static bool
in_order(O2oGeoVector a, O2oGeoVector b)
{
	return a.x != b.x ? a.x < b.x : a.y != b.y ? a.y < b.y : a.z < b.z;
}

/* Whether the north pole is not nearer to a neighbour. */
static bool
holds_north(const O2oGeoVoronoiCell *cell)
{
	double own = cell->places[cell->place].z;

	for (int i = 0; i < cell->count; i++)
		if (cell->corners[i].beyond >= 0 && cell->places[cell->corners[i].beyond].z > own)
			return false;
	return own > 0.0;
}

/*
 * The cell's ring in degrees, its first position told again at the end.  Its
 * longitudes go on beyond 180 where it does; around a pole it comes back along
 * the edge of the map.
 */
void
o2o_geo_cell_ring(const O2oGeoVoronoiCell *cell,
				  void (*tell)(double longitude, double latitude, void *arg), void *arg)
{
	Pen pen = {tell, arg, false};
	Degrees found[O2O_GEO_CELL_CORNERS];
	O2oGeoVector from = corner_vector(cell, 0);
	Degrees from_degrees = degrees_of(from);

	draw_to(&pen, from_degrees);
	for (int i = 0; i < cell->count; i++)
	{
		O2oGeoVector to = corner_vector(cell, (i + 1) % cell->count);
		Degrees to_degrees = degrees_of(to);
		bool forth = in_order(from, to);
		int count = forth ? between(from, from_degrees, to, to_degrees, 0, found, 0)
						  : between(to, to_degrees, from, from_degrees, 0, found, 0);

		for (int n = 0; n < count; n++)
			draw_to(&pen, found[forth ? n : count - 1 - n]);
		draw_to(&pen, to_degrees);
		from = to;
		from_degrees = to_degrees;
	}
	if (fabs(pen.last.lon - pen.first.lon) > 180.0)
	{
		double pole = holds_north(cell) ? 90.0 : -90.0;

		tell(pen.last.lon, pole, arg);
		tell(pen.first.lon, pole, arg);
		tell(pen.first.lon, pen.first.lat, arg);
	}
}
