/*
 * geo_area_check.c
 *		Runs the pure parts behind fences, trade areas and the Huff model under
 *		the sanitizers, on seeded random input: broken binary of polygons; the
 *		index of fences against asking each; the nearest place of each position
 *		against the cells of all; exponents against the visits they make.  Prints
 *		the errors found and exits 1 on a violation.  Usage: geo_area_check [seed]
 */
#include "geo/fence.h"
#include "geo/huff.h"
#include "geo/voronoi.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long violations = 0;

static O2oGeoPoint
point_at(double longitude, double latitude)
{
	O2oGeoPoint point = 0;

	if (o2o_geo_from_degrees(remainder(longitude, 360.0), fmax(-90.0, fmin(90.0, latitude)),
							 &point) != O2O_GEO_OK)
		abort();
	return point;
}

/* Everywhere, or in a town, at a pole, at the antimeridian; now and then on a coarse grid. */
static O2oGeoPoint
random_point(int kind)
{
	double		lon = uniform(-180, 180);
	double		lat = asin(uniform(-1, 1)) * 180 / M_PI;

	if (kind == 1)
		lon = uniform(8, 9), lat = uniform(47, 48);
	else if (kind == 2)
		lat = 90 - uniform(0, 1);
	else if (kind == 3)
		lon = 180 + uniform(-1, 1), lat = uniform(-1, 1);
	else if (kind == 4)
		lon = round(uniform(0, 9)) / 10, lat = 50 + round(uniform(0, 9)) / 10;
	return point_at(lon, lat);
}

static void
violated(const char *what)
{
	if (violations++ < 10)
		printf("%s\n", what);
}

/* A multipolygon of two parts, the first with a hole, bytes changed or cut off. */
static void
check_binary(long times)
{
	double		rings[3][5][2] = {{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}},
		{{0.4, 0.4}, {0.6, 0.4}, {0.6, 0.6}, {0.4, 0.6}, {0.4, 0.4}}, {{5, 5}, {6, 5}, {6, 6}, {5, 6}, {5, 5}}};
	uint8_t		good[512];
	size_t		size = 0;
	uint32_t	numbers[] = {6, 2, 3, 2, 5, 5, 3, 1, 5};
	int			n = 0;

#define PUT(source, length) (memcpy(good + size, source, length), size += (length))
	PUT("\1", 1); PUT(&numbers[n++], 4); PUT(&numbers[n++], 4);
	PUT("\1", 1); PUT(&numbers[n++], 4); PUT(&numbers[n++], 4);
	PUT(&numbers[n++], 4); PUT(rings[0], sizeof(rings[0]));
	PUT(&numbers[n++], 4); PUT(rings[1], sizeof(rings[1]));
	PUT("\1", 1); PUT(&numbers[n++], 4); PUT(&numbers[n++], 4);
	PUT(&numbers[n++], 4); PUT(rings[2], sizeof(rings[2]));
#undef PUT
	for (long t = 0; t < times; t++)
	{
		size_t		length = t == 0 ? size : next() % 2 ? next() % (size + 1) : size;
		uint8_t    *bytes = malloc(length + 1);
		O2oGeoRings rings_read = {0};

		memcpy(bytes, good, length);
		for (int i = t == 0 ? 3 : 0; i < 3 && length > 0; i++)
			bytes[next() % 3 ? next() % length : next() % (length < 30 ? length : 30)] = (uint8_t) next();
		if (o2o_geo_rings_add(&rings_read, bytes, length))
		{
			O2oGeoFence fence = {0};

			rings_read.rings = malloc(rings_read.ring_count * sizeof(O2oGeoRing));
			rings_read.vertices = malloc(rings_read.vertex_count * sizeof(O2oGeoVertex));
			fence.ring_count = rings_read.ring_count;
			rings_read.ring_count = rings_read.vertex_count = 0;
			if (!o2o_geo_rings_add(&rings_read, bytes, length))
				violated("read once, and not again");
			o2o_geo_rings_area(&rings_read);
			if (!o2o_geo_rings_cover(&rings_read, &fence, point_at(0.2, 0.2)) && t == 0)
				violated("not inside");
			if (o2o_geo_rings_cover(&rings_read, &fence, point_at(0.5, 0.5)) && t == 0)
				violated("inside a hole");
			o2o_geo_rings_distance(&rings_read, &fence, random_point((int) (next() % 5)));
			free(rings_read.rings);
			free(rings_read.vertices);
		}
		else if (t == 0)
			violated("a polygon is not read");
		free(bytes);
	}
}

static int	seen[500];

static void
found_fence(int fence, void *arg)
{
	(*(int *) arg)++;
	seen[fence]++;
}

static void
check_index(int times)
{
	for (int t = 0; t < times; t++)
	{
		int			count = (int) (next() % 500);
		O2oGeoFence fences[500] = {0};
		O2oGeoFences index = {0};
		int			entries = 0;

		index.fences = fences;
		index.entries = malloc((2 * count + 1) * sizeof(O2oGeoFenceEntry));
		for (int f = 0; f < count; f++)
		{
			O2oGeoBox	boxes[2];
			int			found;

			fences[f].circle.center = random_point(t % 5);
			fences[f].circle.radius = next() % 50 == 0 ? INFINITY : exp(uniform(0, t % 5 ? 11 : 17));
			found = o2o_geo_fence_boxes(NULL, &fences[f], boxes);
			for (int b = 0; b < found; b++)
			{
				index.entries[entries].item = f;
				index.entries[entries++].box = boxes[b];
			}
		}
		index.entry_count = entries;
		index.boxes = malloc((o2o_geo_fence_box_count(entries) + 1) * sizeof(O2oGeoBox));
		o2o_geo_fences_build(&index);
		for (int q = 0; q < 200; q++)
		{
			O2oGeoPoint point = random_point(t % 5);
			int			calls = 0;
			int			wanted = 0;

			memset(seen, 0, sizeof(seen));
			o2o_geo_fences_at(&index, point, found_fence, &calls);
			for (int f = 0; f < count; f++)
			{
				bool		holds = o2o_geo_distance(fences[f].circle.center, point) <= fences[f].circle.radius;

				wanted += holds;
				if (seen[f] != holds)
					violated("a fence is missed, or found twice");
			}
			if (calls != wanted)
				violated("not as many fences as there are");
		}
		free(index.entries);
		free(index.boxes);
	}
}

static double ring[20000][2];
static int	ring_size;

static void
draw(double longitude, double latitude, void *arg)
{
	(void) arg;
	if (ring_size < 20000)
	{
		ring[ring_size][0] = longitude;
		ring[ring_size++][1] = latitude;
	}
}

/* Whether the ring goes round the position, at any turn of its longitudes. */
static bool
inside_ring(double lon, double lat)
{
	for (int turn = -1; turn <= 1; turn++)
	{
		bool		inside = false;

		for (int i = 0; i + 1 < ring_size; i++)
		{
			double	   *a = ring[i];
			double	   *b = ring[i + 1];

			if ((a[1] > lat) != (b[1] > lat) &&
				lon + 360.0 * turn < a[0] + (b[0] - a[0]) * (lat - a[1]) / (b[1] - a[1]))
				inside = !inside;
		}
		if (inside)
			return true;
	}
	return false;
}

/* Cells cut by all other places; a position lies in the cell of its nearest, unless two are all but equally near. */
static void
check_cells(int times)
{
	static O2oGeoVoronoiCell cell;

	for (int t = 0; t < times; t++)
	{
		int			count = 2 + (int) (next() % 60);
		O2oGeoPoint points[62];
		O2oGeoVector places[62];
		O2oGeoPoint asked[40];

		for (int i = 0; i < count; i++)
		{
			points[i] = random_point(t % 5);
			places[i] = o2o_geo_sphere(points[i]);
		}
		for (int q = 0; q < 40; q++)
			asked[q] = random_point(t % 5 == 4 ? 1 : t % 5);
		for (int i = 0; i < count; i++)
		{
			bool		twin = false;

			o2o_geo_cell_begin(&cell, places, i, points[i], 4000000.0);
			for (int j = 0; j < count; j++)
			{
				if (points[j] == points[i])
					twin = twin || j != i;
				else if (!o2o_geo_cell_cut(&cell, j))
					violated("too many corners");
			}
			ring_size = 0;
			o2o_geo_cell_ring(&cell, draw, NULL);
			if (ring_size < 4 || ring[0][0] != ring[ring_size - 1][0] || ring[0][1] != ring[ring_size - 1][1])
				violated("a ring is not closed");
			for (int q = 0; q < 40 && !twin; q++)
			{
				double		own = o2o_geo_distance(points[i], asked[q]);
				double		other = INFINITY;

				for (int j = 0; j < count; j++)
					if (j != i)
						other = fmin(other, o2o_geo_distance(points[j], asked[q]));
				if (own > 3900000.0 || fabs(own - other) < 5.0 + 0.004 * fmin(own, other))
					continue;
				if (inside_ring(o2o_geo_longitude_degrees(asked[q]), o2o_geo_latitude_degrees(asked[q])) != (own < other))
					violated("a position is in another cell than that of the nearest place");
			}
		}
	}
}

static void
no_breath(void)
{
}

static void
check_fit(int times)
{
	for (int t = 0; t < times; t++)
	{
		double		alpha = uniform(-1, 2);
		double		beta = uniform(0, 3);
		O2oHuffChoice choices[200];
		O2oHuffFit	fit;

		for (int origin = 0; origin < 20; origin++)
		{
			double		shares[10];
			double		log_sum;
			O2oHuffModel model = {alpha, beta, 1.0};

			for (int s = 0; s < 10; s++)
			{
				O2oHuffChoice *choice = &choices[origin * 10 + s];

				choice->origin = origin;
				choice->log_attractiveness = uniform(0, 5);
				choice->log_distance = uniform(3, 9);
				shares[s] = o2o_huff_log_utility(&model, choice->log_attractiveness, exp(choice->log_distance));
			}
			o2o_huff_shares(shares, 10, &log_sum);
			for (int s = 0; s < 10; s++)
				choices[origin * 10 + s].visits = 100 * shares[s];
		}
		if (o2o_huff_fit(choices, 200, no_breath, &fit) != O2O_HUFF_OK || fabs(fit.alpha - alpha) > 1e-8 || fabs(fit.beta - beta) > 1e-8)
			violated("exponents are not found again");
		/* nonsense ends as well */
		for (int i = 0; i < 200; i++)
			choices[i].visits = next() % 3 ? 0.0 : exp(uniform(-50, 50));
		o2o_huff_fit(choices, (int) (next() % 201), no_breath, &fit);
	}
}

int
main(int argc, char **argv)
{
	state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	printf("seed %s\n", argc > 1 ? argv[1] : "1");
	check_binary(100000);
	check_index(50);
	check_cells(100);
	check_fit(200);
	printf("%ld violations\n", violations);
	return violations > 0;
}
