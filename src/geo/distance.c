/*
 * distance.c
 *		Metres and bearings on the WGS84 ellipsoid, and lower bounds of metres
 *		for the indexes: pure, no PostgreSQL header.
 *
 * Near distances come from the straight line through the earth.  Its square is
 * the meridional part (rho1 - rho2)^2 + (z1 - z2)^2 plus the parallel part
 * 4 rho1 rho2 sin^2(dlon / 2), rho being the distance from the axis; written so,
 * nothing cancels.  The arc over a chord c with normal curvature k (Euler:
 * cos^2 / M + sin^2 / N of the azimuth, at the mean latitude) is
 * c (1 + (ck)^2 / 24 (1 + 9 (ck)^2 / 80)) up to sixth order.  Measured against
 * PROJ's geodesics (Karney 2013) this is below 1 micrometre up to 100 km, where
 * geod_inverse itself takes over.
 *
 * The lower bounds use that no path over the surface is shorter than the chord,
 * and bound both parts of the chord's square from below without trigonometry.
 */
#include "geo/geo.h"

#include <geodesic.h>
#include <math.h>

#define PI_LONG 3.14159265358979323846264338327950288L
#define WGS84_A 6378137.0
#define WGS84_F (1.0 / 298.257223563)
#define WGS84_E2 (WGS84_F * (2.0 - WGS84_F))

/* One unit of longitude or latitude in radians. */
#define UNIT (M_PI / 180.0 * 1e-7)

/* Above this chord in metres the series gives way to geod_inverse. */
#define NEAR_LIMIT 100000.0

/* Smallest radius of curvature of a meridian, at the equator; and how fast that radius changes at most, per radian. */
#define MERIDIONAL_MIN (WGS84_A * (1.0 - WGS84_E2))
#define MERIDIONAL_SLOPE 64700.0

/* What every lower bound gives away for rounding, here and in the distance. */
#define BOUND_RELATIVE 1e-9
#define BOUND_METRES 1e-6

/*
 * So many units of latitude and of longitude, 122 km, are near.  The distance from
 * the axis, a concave function of latitude, runs below its tangent by less than
 * FALL_GROWTH a square radian (half of M cos + M' sin, which is 6335440 m at the
 * equator and less elsewhere).  And 1 / (23 Mmin^2).
 */
#define NEAR_UNITS 11000000
#define FALL_GROWTH 3.235e6
#define NEAR_ARC (1.0 / (23.0 * MERIDIONAL_MIN * MERIDIONAL_MIN))

/* What is known at multiples of 2^20 units of latitude, north or south of the equator. */
#define STEP_SHIFT 20
#define STEP (INT64_C(1) << STEP_SHIFT)
#define STEPS (O2O_GEO_LAT_HALF >> STEP_SHIFT)
static struct
{
	double sine;
	double cosine;
	double rho; /* distance from the axis */
} latitudes[STEPS + 2];
static bool latitudes_ready = false;

/* The shorter way round between two longitudes, in units. */
static int64_t
longitude_gap(int64_t a, int64_t b)
{
	int64_t gap = a > b ? a - b : b - a;

	return gap > O2O_GEO_LON_HALF ? O2O_GEO_LON_TURN - gap : gap;
}

static const struct geod_geodesic *
wgs84(void)
{
	static struct geod_geodesic ellipsoid;
	static bool ready = false;

	if (!ready)
	{
		geod_init(&ellipsoid, WGS84_A, WGS84_F);
		ready = true;
	}
	return &ellipsoid;
}

/*
 * The table, with values next to the exact ones.  Between its latitudes rho is
 * interpolated linearly: it is a concave function of latitude (its slope is
 * -M sin, which only falls), so that a line between two of its values runs below
 * it.  The last step ends beyond the pole and is drawn through zero at the pole.
 */
static void __attribute__((noinline, cold)) latitudes_prepare(void)
{
	int64_t rest = O2O_GEO_LAT_HALF - (STEPS << STEP_SHIFT);
	int i;

	for (i = 0; i <= STEPS; i++)
	{
		long double lat = (long double) ((int64_t) i << STEP_SHIFT) * (PI_LONG / 180.0L * 1e-7L);
		double s = (double) sinl(lat);

		latitudes[i].sine = s;
		latitudes[i].cosine = (double) cosl(lat);
		latitudes[i].rho = WGS84_A / sqrt(1.0 - WGS84_E2 * s * s) * latitudes[i].cosine;
	}
	latitudes[STEPS + 1].rho = latitudes[STEPS].rho * (1.0 - (double) STEP / rest);
	latitudes_ready = true;
}

/*
 * What a distance needs of each end.  Sine and cosine are those of the next latitude
 * of the table, turned by what is left, at most half a step, whose own are two terms
 * of a series.  This and near_distance are kept out of line, so that every caller
 * gets the same bits, also where the compiler may fuse a multiplication with an
 * addition.
 */
static void __attribute__((noinline)) end_at(O2oGeoPoint point, O2oGeoEnd *end)
{
	int64_t lat = o2o_geo_lat(point) - O2O_GEO_LAT_HALF;
	int64_t units = lat < 0 ? -lat : lat;
	int i = (units + STEP / 2) >> STEP_SHIFT;
	double turn, turn2, turn_sine, turn_fall, s, c, n;

	if (!latitudes_ready)
		latitudes_prepare();
	turn = UNIT * (units - ((int64_t) i << STEP_SHIFT));
	turn2 = turn * turn;
	turn_sine = turn * (1.0 - turn2 * (1.0 / 6.0));
	turn_fall = turn2 * (0.5 - turn2 * (1.0 / 24.0));
	s = latitudes[i].sine + (latitudes[i].cosine * turn_sine - latitudes[i].sine * turn_fall);
	c = latitudes[i].cosine - (latitudes[i].sine * turn_sine + latitudes[i].cosine * turn_fall);
	n = WGS84_A / sqrt(1.0 - WGS84_E2 * (s * s));

	end->lat = UNIT * lat;
	end->sine = lat < 0 ? -s : s;
	end->rho = c > 0.0 ? n * c : 0.0;
	end->z = n * end->sine;
}

/* The sine of a small angle as its series, which is as exact there and faster. */
static inline double
sine(double x)
{
	double x2 = x * x;

	if (x > 0.02)
		return sin(x);
	return x - x * x2 * (1.0 / 6.0 - x2 * (1.0 / 120.0 - x2 * (1.0 / 5040.0)));
}

/* Metres, the same both ways; -1 above NEAR_LIMIT, where another way is needed. */
static double __attribute__((noinline))
near_distance(const O2oGeoEnd *a, const O2oGeoEnd *b, int64_t gap)
{
	double rise = (1.0 - WGS84_E2) * (a->z - b->z);
	double half = sine(0.5 * UNIT * gap);
	double meridional = (a->rho - b->rho) * (a->rho - b->rho) + rise * rise;
	double chord2 = meridional + 4.0 * (a->rho * b->rho) * (half * half);
	double mean, w, share, k, turn2;

	if (chord2 > NEAR_LIMIT * NEAR_LIMIT)
		return -1.0;
	mean = 0.5 * (a->sine + b->sine) * (1.0 + 0.125 * (a->lat - b->lat) * (a->lat - b->lat));
	w = 1.0 - WGS84_E2 * mean * mean;
	share = chord2 > 0.0 ? meridional / chord2 : 0.0;
	k = share * w * (1.0 / (1.0 - WGS84_E2)) + (1.0 - share);
	turn2 = chord2 * w * (k * k) * (1.0 / (WGS84_A * WGS84_A));
	return sqrt(chord2) * (1.0 + turn2 * (1.0 / 24.0 + turn2 * (9.0 / 1920.0)));
}

/*
 * The long way, and always from the same end.  A search for the nearest asks twice for
 * each row, to order them and to show the distance, with others in between: the last
 * answers are remembered.
 */
#define REMEMBERED_BITS 6

static double
far_distance(O2oGeoPoint a, O2oGeoPoint b)
{
	static struct
	{
		O2oGeoPoint low; /* both 0 at first, which is not far */
		O2oGeoPoint high;
		double metres;
	} remembered[1 << REMEMBERED_BITS];
	O2oGeoPoint low = a < b ? a : b;
	O2oGeoPoint high = a < b ? b : a;
	int at = (uint64_t) (low ^ high) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - REMEMBERED_BITS);

	if (remembered[at].low != low || remembered[at].high != high)
	{
		geod_inverse(wgs84(), o2o_geo_latitude_degrees(low), o2o_geo_longitude_degrees(low),
					 o2o_geo_latitude_degrees(high), o2o_geo_longitude_degrees(high),
					 &remembered[at].metres, 0, 0);
		remembered[at].low = low;
		remembered[at].high = high;
	}
	return remembered[at].metres;
}

/* Metres along the geodesic, the same both ways. */
double
o2o_geo_distance(O2oGeoPoint a, O2oGeoPoint b)
{
	O2oGeoEnd end_a, end_b;
	double metres;

	if (a == b)
		return 0.0;
	end_at(a, &end_a);
	end_at(b, &end_b);
	metres = near_distance(&end_a, &end_b, longitude_gap(o2o_geo_lon(a), o2o_geo_lon(b)));
	return metres >= 0.0 ? metres : far_distance(a, b);
}

/* From a prepared position to another one that is near; -1 if it is not. */
static double
query_near_distance(const O2oGeoQuery *query, O2oGeoPoint point)
{
	O2oGeoEnd end;

	if (point == query->point)
		return 0.0;
	end_at(point, &end);
	return near_distance(&query->end, &end, longitude_gap(query->lon, o2o_geo_lon(point)));
}

/* What o2o_geo_distance says, from a prepared position. */
double
o2o_geo_query_distance(const O2oGeoQuery *query, O2oGeoPoint point)
{
	double metres = query_near_distance(query, point);

	return metres >= 0.0 ? metres : far_distance(query->point, point);
}

/* Earth-centred coordinates: to longitude 0 on the equator, to 90 east, to the north pole. */
void
o2o_geo_ecef(O2oGeoPoint point, double metres[3])
{
	double lat = (o2o_geo_lat(point) - O2O_GEO_LAT_HALF) * UNIT;
	double lon = (o2o_geo_lon(point) - O2O_GEO_LON_HALF) * UNIT;
	double s = sin(lat);
	double n = WGS84_A / sqrt(1.0 - WGS84_E2 * s * s);

	metres[0] = n * cos(lat) * cos(lon);
	metres[1] = n * cos(lat) * sin(lon);
	metres[2] = n * (1.0 - WGS84_E2) * s;
}

/* Degrees clockwise from north in which the geodesic from a to b sets out. */
double
o2o_geo_azimuth(O2oGeoPoint a, O2oGeoPoint b)
{
	double azimuth;

	geod_inverse(wgs84(), o2o_geo_latitude_degrees(a), o2o_geo_longitude_degrees(a),
				 o2o_geo_latitude_degrees(b), o2o_geo_longitude_degrees(b), 0, &azimuth, 0);
	if (azimuth < 0)
		azimuth += 360.0;
	/* a tiny negative angle rounds up to a full turn */
	return azimuth < 360.0 ? azimuth + 0.0 : 0.0;
}

/* At most the distance from the axis, everywhere between two latitudes. */
static double
rho_below(int64_t south, int64_t north)
{
	int64_t lat = north - O2O_GEO_LAT_HALF;
	int i;
	double part;

	if (O2O_GEO_LAT_HALF - south > lat)
		lat = O2O_GEO_LAT_HALF - south;
	/* the pole; and what only a broken index page says */
	if (lat >= O2O_GEO_LAT_HALF)
		return 0;
	i = lat >> STEP_SHIFT;
	part = (lat & (STEP - 1)) * (1.0 / STEP);
	return latitudes[i].rho + part * (latitudes[i + 1].rho - latitudes[i].rho);
}

/* Prepare lower bounds of distances from a position. */
void
o2o_geo_query_init(O2oGeoQuery *query, O2oGeoPoint point)
{
	double w;

	query->point = point;
	query->lon = o2o_geo_lon(point);
	query->lat = o2o_geo_lat(point);
	end_at(point, &query->end);
	w = 1.0 - WGS84_E2 * query->end.sine * query->end.sine;
	query->meridional = MERIDIONAL_MIN / (w * sqrt(w));
	query->fall = query->meridional * query->end.sine;
}

/* What every bound gives away, taken off its square. */
static double
bound_of_square(double square)
{
	double metres = sqrt(square) * (1.0 - BOUND_RELATIVE) - BOUND_METRES;

	return metres > 0.0 ? metres : 0.0;
}

/*
 * The square of what a gap g of latitude, in radians, costs at least: the arc of
 * meridian over it is at least g (M - g slope / 2) and g Mmin, its curvature at
 * most 1 / Mmin, and by Schur's comparison its chord no shorter than that of a
 * circle so curved: 2 sin(x / 2) >= x (1 - x^2 / 24), with room for Mmax / Mmin.
 */
static inline double
meridional_square(const O2oGeoQuery *query, double g)
{
	double m = query->meridional - 0.5 * MERIDIONAL_SLOPE * g;
	double arc;

	if (m < MERIDIONAL_MIN)
		m = MERIDIONAL_MIN;
	arc = m * g * (1.0 - g * g * (1.0 / 23.0));
	return arc * arc;
}

/* At most the distance from the axis at a near latitude, a signed angle away. */
static inline double
rho_below_near(const O2oGeoQuery *query, double angle)
{
	double rho = query->end.rho - angle * (query->fall + angle * FALL_GROWTH);

	return rho > 0.0 ? rho : 0.0;
}

/* The square of what a near gap of longitude, in radians, costs at least between two distances from the axis. */
static inline double
parallel_square_near(const O2oGeoQuery *query, double l, double rho)
{
	double l2 = l * l;

	return query->end.rho * rho * l2 * (1.0 - l2 * (1.0 / 12.0));
}

/*
 * Metres that no position in the box is nearer than, as o2o_geo_distance
 * counts them.
 *
 * Meridional part: see above.
 * Parallel part: x = 4 sin^2(l / 2) = l^2 - l^4/12 + l^6/360 - l^8/20160 + ..., cut
 * after a negative term; l is at most pi and the terms fall from the second on.
 * Beside the sum of both: nothing behind the half plane of the nearest
 * longitude is nearer than that plane, rho sin(l), which is what remains when
 * the box reaches a pole; sin^2(l) = x (1 - x / 4), which rises with x up to 2.
 */
double
o2o_geo_bound(const O2oGeoQuery *query, const O2oGeoBox *box)
{
	int64_t south = box->south - query->lat;
	int64_t north = box->north - query->lat;
	int64_t rise = south > 0 ? south : (north < 0 ? -north : 0);
	int64_t west = box->west - query->lon;
	int64_t east = query->lon - box->east;
	int64_t aside = west > 0 ? west : (east > 0 ? east : 0);
	double square = meridional_square(query, UNIT * rise);
	double l, l2, rho, parallel;

	if (aside == 0)
		return bound_of_square(square);
	/* a box that is not wide is no nearer the other way round */
	if (aside < NEAR_UNITS && south > -NEAR_UNITS && north < NEAR_UNITS &&
		box->east - box->west < O2O_GEO_LON_HALF)
	{
		double other = rho_below_near(query, UNIT * north);

		rho = rho_below_near(query, UNIT * south);
		return bound_of_square(
			square + parallel_square_near(query, UNIT * aside, rho < other ? rho : other));
	}
	west = longitude_gap(query->lon, box->west);
	east = longitude_gap(query->lon, box->east);
	l = UNIT * (west < east ? west : east);
	l2 = l * l;
	rho = rho_below(box->south, box->north);
	parallel =
		l2 * (1.0 - l2 * (1.0 / 12.0) * (1.0 - l2 * (1.0 / 30.0) * (1.0 - l2 * (1.0 / 56.0))));
	square += query->end.rho * rho * parallel;
	/* nearer the equator the parallels alone say as much */
	if (rho < query->end.rho)
	{
		double plane = query->end.rho * query->end.rho *
					   (parallel < 2.0 ? parallel * (1.0 - 0.25 * parallel) : 1.0);

		if (square < plane)
			square = plane;
	}
	return bound_of_square(square);
}

/* The same for a single position. */
static inline double
point_bound(const O2oGeoQuery *query, O2oGeoPoint point)
{
	int64_t rise = o2o_geo_lat(point) - query->lat;
	int64_t aside = o2o_geo_lon(point) - query->lon;
	double angle = UNIT * rise;

	if (aside < NEAR_UNITS && aside > -NEAR_UNITS && rise < NEAR_UNITS && rise > -NEAR_UNITS)
		return bound_of_square(
			meridional_square(query, fabs(angle)) +
			parallel_square_near(query, UNIT * aside, rho_below_near(query, angle)));
	else
	{
		O2oGeoBox box = o2o_geo_point_box(point);

		return o2o_geo_bound(query, &box);
	}
}

double
o2o_geo_point_bound(const O2oGeoQuery *query, O2oGeoPoint point)
{
	return point_bound(query, point);
}

/*
 * The bounds above, turned round: what is farther away by latitude or by longitude
 * alone is outside of the circle.  Large ones, those that come near a pole and those
 * that cross the antimeridian reach everywhere, or all around.
 */
static O2oGeoBox
reach_window(const O2oGeoQuery *query, double metres)
{
	O2oGeoBox window = {0, O2O_GEO_LON_TURN - 1, 0, O2O_GEO_LAT_TOP};

	if (metres <= NEAR_LIMIT)
	{
		/* 1 - g^2 / 23 is above 0.9999 here, and 1 - l^2 / 12 above 0.999 */
		int64_t rise = (int64_t) ((metres + 1.0) * (1.0001 / (MERIDIONAL_MIN * UNIT))) + 1;
		double rho = rho_below(query->lat - rise, query->lat + rise);

		window.south = query->lat - rise;
		window.north = query->lat + rise;
		if (rho > 10.0 * (metres + 1.0))
		{
			int64_t aside =
				(int64_t) ((metres + 1.0) * (1.001 / UNIT) / sqrt(query->end.rho * rho)) + 1;

			if (query->lon >= aside && query->lon + aside < O2O_GEO_LON_TURN)
			{
				window.west = query->lon - aside;
				window.east = query->lon + aside;
			}
		}
	}
	return window;
}

/* Prepare a circle to be compared with many boxes and positions. */
void
o2o_geo_reach_init(O2oGeoReach *reach, O2oGeoPoint center, double metres)
{
	double arc =
		((metres < NEAR_LIMIT ? metres : NEAR_LIMIT) - BOUND_METRES) / (1.0 + BOUND_RELATIVE);

	o2o_geo_query_init(&reach->query, center);
	reach->metres = metres;
	reach->window = reach_window(&reach->query, metres);
	/* see above_square */
	arc /= 1.0 + arc * arc * NEAR_ARC;
	reach->surely = arc > 0.0 ? arc * arc * (1.0 - BOUND_RELATIVE) : -1.0;
}

/*
 * Of a near position at most the square of the chord, from the angles of latitude and
 * longitude and its distance from the axis: of the chord's square the meridional
 * part is at most the arc's, g (M + g slope / 2), and the other rho1 rho2 l^2.  And
 * an arc of the ellipsoid is longer than its chord c by less than c^2 / (24 Mmin^2)
 * with NEAR_ARC for what follows.
 */
static inline double
above_square(const O2oGeoQuery *query, double g, double l, double rho)
{
	double arc = (query->meridional + 0.5 * MERIDIONAL_SLOPE * g) * g;

	return arc * arc + query->end.rho * rho * (l * l);
}

static inline double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* How a box that meets the window lies to the circle. */
O2oGeoFit
o2o_geo_reach_fit(const O2oGeoReach *reach, const O2oGeoBox *box)
{
	const O2oGeoQuery *query = &reach->query;
	double south, north, west, east, rho;

	if (o2o_geo_bound(query, box) > reach->metres)
		return O2O_GEO_APART;

	/* the distance from the axis is below its tangent, which is highest at one of the ends */
	south = UNIT * (box->south - query->lat);
	north = UNIT * (box->north - query->lat);
	west = UNIT * (query->lon - box->west);
	east = UNIT * (box->east - query->lon);
	rho = query->end.rho - (query->fall > 0.0 ? south : north) * query->fall;
	if (above_square(query, larger(-south, north), larger(west, east), rho) <= reach->surely)
		return O2O_GEO_INSIDE;
	return O2O_GEO_PERHAPS;
}

/* Whether a position in the window is in the circle: what o2o_geo_distance says, which is seldom needed to know. */
bool
o2o_geo_reach_within(const O2oGeoReach *reach, O2oGeoPoint point)
{
	const O2oGeoQuery *query = &reach->query;
	double angle = UNIT * (o2o_geo_lat(point) - query->lat);
	double l = UNIT * longitude_gap(query->lon, o2o_geo_lon(point));
	double rho = query->end.rho - angle * query->fall;

	if (above_square(query, fabs(angle), l, rho) <= reach->surely)
		return true;
	return point_bound(query, point) <= reach->metres &&
		   o2o_geo_query_distance(query, point) <= reach->metres;
}

/* Begin a search for the nearest of a position. */
void
o2o_geo_search_init(O2oGeoSearch *search, O2oGeoPoint point)
{
	o2o_geo_query_init(&search->query, point);
	search->found = 0;
}

/* The exact distance if it is likely to be wanted and does not take long, or else a lower bound. */
double
o2o_geo_search_distance(O2oGeoSearch *search, O2oGeoPoint point, bool *exact)
{
	const O2oGeoQuery *query = &search->query;
	double bound = point_bound(query, point);
	double metres;
	int i;

	*exact = false;
	if (search->found < O2O_GEO_LIKELY)
		i = search->found++;
	else if (bound < search->best[O2O_GEO_LIKELY - 1])
		i = O2O_GEO_LIKELY - 1;
	else
		return bound;
	for (; i > 0 && search->best[i - 1] > bound; i--)
		search->best[i] = search->best[i - 1];
	search->best[i] = bound;

	if (bound > NEAR_LIMIT)
		return bound;
	metres = query_near_distance(query, point);
	*exact = metres >= 0.0;
	return *exact ? metres : bound;
}
