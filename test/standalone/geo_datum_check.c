/*
 * geo_datum_check.c
 *		The conversions of src/geo/datum.c on seeded random positions: there and
 *		back within 1e-6 m, outside China unchanged.  Prints what it found and
 *		what a conversion takes, and exits 1 on a violation.
 *		Usage: geo_datum_check [positions [seed]]
 */
#include "geo/datum.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Metres of a degree, a little more than there are. */
#define DEGREE 111700.0

int
main(int argc, char **argv)
{
	static const O2oGeoDatum datums[] = {O2O_GEO_WGS84, O2O_GEO_GCJ02, O2O_GEO_BD09};
	static const char *const names[] = {"WGS84", "GCJ-02", "BD-09"};
	long		positions = argc > 1 ? atol(argv[1]) : 200000;
	long		inside = 0,
				moved = 0,
				violations = 0;
	double		worst[3][3] = {{0}};
	double		sum = 0;
	clock_t		begun;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	printf("seed %llu\n", (unsigned long long) state);
	for (long n = 0; n < positions; n++)
	{
		/* half of them around China, half anywhere */
		double		at[2] = {n % 2 ? uniform(70, 140) : uniform(-180, 180), n % 2 ? uniform(14, 57) : uniform(-90, 90)};

		if (!o2o_geo_in_china(at[0], at[1]))
		{
			double		there[2] = {at[0], at[1]};

			o2o_geo_convert(O2O_GEO_WGS84, n % 4 < 2 ? O2O_GEO_GCJ02 : O2O_GEO_BD09, &there[0], &there[1]);
			if (there[0] != at[0] || there[1] != at[1])
				moved++;
			continue;
		}
		inside++;
		/* from each datum to each other and back, beginning with what WGS84 is in it */
		for (int from = 0; from < 3; from++)
		{
			double		begin[2] = {at[0], at[1]};

			o2o_geo_convert(O2O_GEO_WGS84, datums[from], &begin[0], &begin[1]);
			for (int to = 0; to < 3; to++)
			{
				double		there[2] = {begin[0], begin[1]};
				double		error;

				o2o_geo_convert(datums[from], datums[to], &there[0], &there[1]);
				o2o_geo_convert(datums[to], datums[from], &there[0], &there[1]);
				error = DEGREE * hypot(there[0] - begin[0], there[1] - begin[1]);
				if (!(error <= worst[from][to]))
					worst[from][to] = error;
			}
		}
	}
	for (int from = 0; from < 3; from++)
		for (int to = 0; to < 3; to++)
			if (from != to)
			{
				printf("%s to %s and back: largest error %.1e m\n", names[from], names[to], worst[from][to]);
				if (!(worst[from][to] <= 1e-6))
					violations++;
			}
	if (inside < positions / 20)
		violations++;
	printf("%ld positions in China, %ld outside, %ld of these moved\n", inside, positions - inside, moved);
	violations += moved;
	for (int back = 0; back < 2; back++)
	{
		begun = clock();
		for (long n = 0; n < 200000; n++)
		{
			double		at[2] = {105 + n * 5e-5, 35 - n * 5e-5};

			o2o_geo_convert(back ? O2O_GEO_GCJ02 : O2O_GEO_WGS84, back ? O2O_GEO_WGS84 : O2O_GEO_GCJ02, &at[0], &at[1]);
			sum += at[0];
		}
		printf("%s: %.0f ns (%.0f)\n", back ? "GCJ-02 to WGS84" : "WGS84 to GCJ-02", 1e9 * (clock() - begun) / CLOCKS_PER_SEC / 200000, sum);
	}
	printf("violations: %ld\n", violations);
	return violations != 0;
}
