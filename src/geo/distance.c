/*
 * distance.c
 *		Metres and bearings on the WGS84 ellipsoid: pure, no PostgreSQL header.
 *		Lower bounds of metres, and what indexes ask of them, live in bound.c.
 *
 * Near distances come from the straight line through the earth.  Its square is
 * the meridional part (rho1 - rho2)^2 + (z1 - z2)^2 plus the parallel part
 * 4 rho1 rho2 sin^2(dlon / 2), rho being the distance from the axis; written so,
 * nothing cancels.  The arc over a chord c with normal curvature k (Euler:
 * cos^2 / M + sin^2 / N of the azimuth, at the mean latitude) is
 * c (1 + (ck)^2 / 24 (1 + 9 (ck)^2 / 80)) up to sixth order.  Measured against
 * PROJ's geodesics (Karney 2013) this is below 1 micrometre up to 100 km, where
 * geod_inverse itself takes over.
 */
#include "geo/wgs84.h"

#include <geodesic.h>
#include <math.h>

#define PI_LONG 3.14159265358979323846264338327950288L

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
	metres = near_distance(&end_a, &end_b, o2o_geo_gap(o2o_geo_lon(a), o2o_geo_lon(b)));
	return metres >= 0.0 ? metres : far_distance(a, b);
}

/* From a prepared position to another one that is near; -1 if it is not. */
double
o2o_geo_query_near(const O2oGeoQuery *query, O2oGeoPoint point)
{
	O2oGeoEnd end;

	if (point == query->point)
		return 0.0;
	end_at(point, &end);
	return near_distance(&query->end, &end, o2o_geo_gap(query->lon, o2o_geo_lon(point)));
}

/* What o2o_geo_distance says, from a prepared position. */
double
o2o_geo_query_distance(const O2oGeoQuery *query, O2oGeoPoint point)
{
	double metres = o2o_geo_query_near(query, point);

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
double
o2o_geo_rho_below(int64_t south, int64_t north)
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
