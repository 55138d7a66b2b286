/*
 * geo_distance_check.c
 *		Compares the distances of src/geo/distance.c with PROJ's geod_inverse, and
 *		its lower bounds with distances, on seeded random positions; also cells
 *		and text round trips.  Prints the errors found and exits 1 on a violation.
 *		Usage: geo_distance_check [pairs [seed]]; ten times as many for bounds.
 *		O2O_LONG=1 in the environment means a million.
 */
#include "geo/geo.h"
#include "random.h"

#include <geodesic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long violations = 0;

static O2oGeoPoint
point_at(double longitude, double latitude)
{
	O2oGeoPoint point = 0;

	longitude = remainder(longitude, 360.0);
	if (latitude > 90.0)
		latitude = 90.0;
	if (latitude < -90.0)
		latitude = -90.0;
	if (o2o_geo_from_degrees(longitude, latitude, &point) != O2O_GEO_OK)
		abort();
	return point;
}

/* Anywhere, with an extra share of poles, equator and antimeridian. */
static O2oGeoPoint
random_point(void)
{
	double		lon = uniform(-180, 180);
	double		lat = asin(uniform(-1, 1)) * 180 / M_PI;

	switch (next() % 10)
	{
		case 0:
			lat = (next() & 1 ? 90 : -90) + pow(10, uniform(-7, 0.5)) * uniform(-1, 1);
			break;
		case 1:
			lon = 180 + pow(10, uniform(-7, 1)) * uniform(-1, 1);
			break;
		case 2:
			lat = pow(10, uniform(-7, 1)) * uniform(-1, 1);
			break;
	}
	return point_at(lon, lat);
}

static const struct geod_geodesic *
wgs84(void)
{
	static struct geod_geodesic g;

	if (g.a == 0)
		geod_init(&g, 6378137.0, 1 / 298.257223563);
	return &g;
}

static double
truth(O2oGeoPoint a, O2oGeoPoint b)
{
	double		s;

	geod_inverse(wgs84(), o2o_geo_latitude_degrees(a), o2o_geo_longitude_degrees(a),
				 o2o_geo_latitude_degrees(b), o2o_geo_longitude_degrees(b), &s, 0, 0);
	return s;
}

/* A position about so many metres away, in a random direction, over poles too. */
static O2oGeoPoint
neighbour(O2oGeoPoint from, double metres)
{
	double		lat,
				lon;

	geod_direct(wgs84(), o2o_geo_latitude_degrees(from), o2o_geo_longitude_degrees(from),
				next() % 8 ? uniform(0, 360) : 90.0 * (next() % 4), metres, &lat, &lon, 0);
	return point_at(lon, lat);
}

static void
check_distances(long pairs)
{
	static const double limits[] = {1, 1e3, 1e4, 3e4, 5e4, 7.5e4, 9e4, 1.01e5, 2.1e7};
	unsigned	n = sizeof(limits) / sizeof(limits[0]);
	double		low = 0;

	for (unsigned i = 0; i < n; low = limits[i++])
	{
		double		worst = 0;
		O2oGeoPoint worst_a = 0,
					worst_b = 0;

		for (long j = 0; j < pairs; j++)
		{
			O2oGeoPoint a = random_point();
			O2oGeoPoint b = neighbour(a, uniform(low, limits[i]));
			double		error = fabs(o2o_geo_distance(a, b) - truth(a, b));

			if (o2o_geo_distance(a, b) != o2o_geo_distance(b, a))
				violations++;
			if (!(error <= worst))
			{
				worst = error;
				worst_a = a;
				worst_b = b;
			}
		}
		printf("distances to %9.0f m: largest error %.2e m", limits[i], worst);
		printf(" (%.7f %.7f to %.7f %.7f)\n",
			   o2o_geo_longitude_degrees(worst_a), o2o_geo_latitude_degrees(worst_a),
			   o2o_geo_longitude_degrees(worst_b), o2o_geo_latitude_degrees(worst_b));
		if (!(worst < 1e-6))
			violations++;
	}
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* How many boxes lay how to their circle. */
static long fits[3];

/* A box around a position is not apart from a circle that holds that, and inside of one only with its corners. */
static bool
box_fits(const O2oGeoReach *reach, const O2oGeoBox *box, double distance)
{
	O2oGeoFit	fit = o2o_geo_reach_box(reach, box);

	fits[fit]++;
	if (fit != O2O_GEO_INSIDE)
		return fit == O2O_GEO_PERHAPS || distance > reach->metres;
	for (int corner = 0; corner < 4; corner++)
	{
		int64_t		lon = corner & 1 ? box->west : box->east;
		int64_t		lat = corner & 2 ? box->south : box->north;

		if (o2o_geo_distance(reach->query.point, o2o_geo_pack(lon, lat)) > reach->metres)
			return false;
	}
	return distance <= reach->metres;
}

/* Random boxes around a position, seen from another: no bound above the distance. */
static void
check_bounds(long pairs)
{
	double		gap = 0;
	long		broken = 0;
	long		near = 0;

	for (long j = 0; j < pairs; j++)
	{
		O2oGeoPoint q = random_point();
		O2oGeoPoint p = next() & 1 ? random_point() : neighbour(q, pow(10, uniform(-1, 6)));
		double		size = pow(10, uniform(-2, 9.6));
		int64_t		lon = o2o_geo_lon(p);
		int64_t		lat = o2o_geo_lat(p);
		O2oGeoBox	box,
					alone;
		O2oGeoQuery query;
		O2oGeoSearch search;
		double		distance = o2o_geo_distance(q, p);
		double		bound;

		box.west = most(0, lon - (int64_t) (size * uniform(0, 1)));
		box.east = least(O2O_GEO_LON_TURN - 1, lon + (int64_t) (size * uniform(0, 1)));
		box.south = most(0, lat - (int64_t) (size * uniform(0, 1)));
		box.north = least(O2O_GEO_LAT_TOP, lat + (int64_t) (size * uniform(0, 1)));
		o2o_geo_query_init(&query, q);
		bound = o2o_geo_bound(&query, &box);
		if (!(bound <= distance))
		{
			broken++;
			printf("bound %.9f above %.9f\n", bound, distance);
		}
		/* the position alone: its bounds, and whether it is within about as far */
		alone = o2o_geo_point_box(p);
		bound = o2o_geo_bound(&query, &alone);
		if (!(bound <= distance) || !(o2o_geo_point_bound(&query, p) <= distance))
		{
			broken++;
			printf("bounds %.9f and %.9f above %.9f\n", bound, o2o_geo_point_bound(&query, p), distance);
		}
		for (int k = 0; k < 5; k++)
		{
			double		radius = k == 0 ? distance : k == 1 ? nextafter(distance, 0) :
				k == 2 ? distance * uniform(1, 4) : distance * uniform(0.9999, 1.0001);
			O2oGeoReach reach;

			o2o_geo_reach_init(&reach, q, radius);
			if (o2o_geo_reach_holds(&reach, p) != (distance <= radius) ||
				!box_fits(&reach, &box, distance) || !box_fits(&reach, &alone, distance))
			{
				broken++;
				printf("%.9f and a circle of %.9f\n", distance, radius);
			}
		}
		/* what a search says: a bound, or exactly the distance */
		o2o_geo_search_init(&search, q);
		for (int k = 0; k < 2; k++)
		{
			bool		exact;
			double		said = o2o_geo_search_distance(&search, k ? p : neighbour(q, uniform(0, 2e5)), &exact);

			if (k && (exact ? said != distance : !(said <= distance)))
			{
				broken++;
				printf("a search says %.9f of %.9f\n", said, distance);
			}
		}
		if (distance > 5e3 && distance < 1e4)
		{
			near++;
			gap += (distance - bound) / distance;
		}
	}
	printf("bounds: %ld boxes and points, %ld violations, mean slack at 5 to 10 km %.1e\n",
		   pairs, broken, near ? gap / near : 0);
	printf("boxes and circles: %ld apart, %ld unknown, %ld inside\n",
		   fits[O2O_GEO_APART], fits[O2O_GEO_PERHAPS], fits[O2O_GEO_INSIDE]);
	violations += broken;
}

/* Cells: nested, around their position, and disjoint where they part. */
static void
check_cells(long count)
{
	long		broken = 0;

	for (long j = 0; j < count; j++)
	{
		O2oGeoPoint p = random_point();
		O2oGeoPoint other = next() & 1 ? random_point() : neighbour(p, pow(10, uniform(-2, 6)));
		O2oGeoCell	cell = o2o_geo_cell(p);
		O2oGeoCell	other_cell = o2o_geo_cell(other);
		int			common = o2o_geo_cell_common_bits(cell, other_cell);

		if ((cell == other_cell) != (p == other) || (common == O2O_GEO_CELL_BITS) != (p == other))
			broken++;
		for (int bits = 0; bits <= O2O_GEO_CELL_BITS; bits++)
		{
			O2oGeoCell	outer = o2o_geo_cell_prefix(cell, bits);
			O2oGeoBox	box = o2o_geo_cell_box(outer);
			bool		other_inside = o2o_geo_lon(other) >= box.west && o2o_geo_lon(other) <= box.east &&
				o2o_geo_lat(other) >= box.south && o2o_geo_lat(other) <= box.north;

			if (o2o_geo_cell_bits(outer) != bits || !o2o_geo_cell_contains(outer, cell) ||
				(bits > 0 && o2o_geo_cell_contains(outer, o2o_geo_cell_prefix(cell, bits - 1))) ||
				o2o_geo_lon(p) < box.west || o2o_geo_lon(p) > box.east ||
				o2o_geo_lat(p) < box.south || o2o_geo_lat(p) > box.north ||
				o2o_geo_cell_contains(outer, other_cell) != other_inside ||
				other_inside != (bits <= common))
				broken++;
		}
	}
	printf("cells: %ld pairs, %ld violations\n", count, broken);
	violations += broken;
}

static void
check_text(long count)
{
	for (long j = 0; j < count; j++)
	{
		O2oGeoPoint p = random_point();
		O2oGeoPoint back = 0;
		char		text[O2O_GEO_TEXT_SIZE];
		double		lon,
					lat;

		o2o_geo_format(p, text);
		if (!o2o_geo_parse(text, &lon, &lat) ||
			o2o_geo_from_degrees(lon, lat, &back) != O2O_GEO_OK || back != p)
		{
			violations++;
			printf("no round trip: %s\n", text);
		}
	}
}

static void
show_speed(void)
{
	enum
	{
		N = 1 << 16
	};
	static O2oGeoPoint a[N],
				b[N];
	double		sum = 0;
	O2oGeoQuery query;
	clock_t		t0,
				t1,
				t2,
				t3;

	for (int i = 0; i < N; i++)
	{
		a[i] = point_at(uniform(-180, 180), uniform(-60, 60));
		b[i] = neighbour(a[i], uniform(0, 3e4));
	}
	t0 = clock();
	for (int j = 0; j < 10; j++)
		for (int i = 0; i < N; i++)
			sum += o2o_geo_distance(a[i], b[i]);
	t1 = clock();
	for (int i = 0; i < N; i++)
		sum -= truth(a[i], b[i]);
	t2 = clock();
	o2o_geo_query_init(&query, a[0]);
	for (int j = 0; j < 10; j++)
		for (int i = 0; i < N; i++)
		{
			O2oGeoBox	box = o2o_geo_point_box(b[i]);

			sum += o2o_geo_bound(&query, &box);
		}
	t3 = clock();
	printf("ns a distance to 30 km: %.0f, geod_inverse %.0f, bound %.0f (%.0f)\n",
		   1e9 * (t1 - t0) / CLOCKS_PER_SEC / N / 10,
		   1e9 * (t2 - t1) / CLOCKS_PER_SEC / N,
		   1e9 * (t3 - t2) / CLOCKS_PER_SEC / N / 10, sum);
}

int
main(int argc, char **argv)
{
	const char *is_long = getenv("O2O_LONG");
	long		pairs = argc > 1 ? atol(argv[1]) : is_long && *is_long == '1' ? 1000000 : 50000;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	printf("seed %llu\n", (unsigned long long) state);
	check_distances(pairs);
	check_bounds(10 * pairs);
	check_cells(pairs);
	check_text(pairs);
	show_speed();
	printf("violations: %ld\n", violations);
	return violations != 0;
}
