/*
 * bound.c
 *		Lower bounds of metres for the indexes, and circles and searches for the
 *		nearest made of them: pure, no PostgreSQL header.  The metres themselves
 *		live in distance.c.
 *
 * No path over the surface is shorter than the chord; both parts of the chord's
 * square are bounded from below without trigonometry.
 */
#include "geo/wgs84.h"

#include <math.h>

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
	west = o2o_geo_gap(query->lon, box->west);
	east = o2o_geo_gap(query->lon, box->east);
	l = UNIT * (west < east ? west : east);
	l2 = l * l;
	rho = o2o_geo_rho_below(box->south, box->north);
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
		double rho = o2o_geo_rho_below(query->lat - rise, query->lat + rise);

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
	double l = UNIT * o2o_geo_gap(query->lon, o2o_geo_lon(point));
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
	metres = o2o_geo_query_near(query, point);
	*exact = metres >= 0.0;
	return *exact ? metres : bound;
}
