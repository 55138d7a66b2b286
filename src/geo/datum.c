/*
 * datum.c
 *		WGS84, GCJ-02 and BD-09, the datums of Chinese maps: pure, no PostgreSQL
 *		header.  Where they differ at all is decided in china.c.
 *
 * GCJ-02 adds to a position a smooth shift of up to 700 m.  Its formula was never
 * published; the one that everybody uses, with the axes of the Krasovsky
 * ellipsoid, is known since 2010.  BD-09 turns and stretches GCJ-02 once more.
 * Both change slowly from place to place, so that the way back is the fixed point
 * of "take off the shift found here", about two digits a step.  What is inside
 * is always judged by the WGS84 position.
 */
#include "geo/datum.h"

#include <math.h>

#define KRASOVSKY_A 6378245.0
#define KRASOVSKY_E2 0.00669342162296594323
#define BD09_TURN (M_PI * 3000.0 / 180.0)

/* Degrees, 1e-6 m: after the step taken there 3e-8 m at most; and more steps than it ever takes. */
#define CLOSE_ENOUGH 1e-11
#define MOST_STEPS 20

static void
to_gcj02(double longitude, double latitude, double shifted[2])
{
	double x = longitude - 105.0;
	double y = latitude - 35.0;
	double both =
		0.1 * x * y + (20.0 * sin(6.0 * M_PI * x) + 20.0 * sin(2.0 * M_PI * x)) * 2.0 / 3.0;
	double root = sqrt(fabs(x));
	double east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * root + both +
				  (20.0 * sin(M_PI * x) + 40.0 * sin(M_PI * x / 3.0)) * 2.0 / 3.0 +
				  (150.0 * sin(M_PI * x / 12.0) + 300.0 * sin(M_PI * x / 30.0)) * 2.0 / 3.0;
	double north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.2 * root + both +
				   (20.0 * sin(M_PI * y) + 40.0 * sin(M_PI * y / 3.0)) * 2.0 / 3.0 +
				   (160.0 * sin(M_PI * y / 12.0) + 320.0 * sin(M_PI * y / 30.0)) * 2.0 / 3.0;
	double radians = latitude * M_PI / 180.0;
	double s = sin(radians);
	double w = 1.0 - KRASOVSKY_E2 * s * s;
	double meridional = KRASOVSKY_A * (1.0 - KRASOVSKY_E2) / (w * sqrt(w));
	double parallel = KRASOVSKY_A / sqrt(w) * cos(radians);

	shifted[0] = longitude + east * 180.0 / (parallel * M_PI);
	shifted[1] = latitude + north * 180.0 / (meridional * M_PI);
}

static void
to_bd09(double longitude, double latitude, double shifted[2])
{
	double length = sqrt(longitude * longitude + latitude * latitude);
	double stretch = 1.0 + 0.00002 * sin(latitude * BD09_TURN) / length;
	double turn = 0.000003 * cos(longitude * BD09_TURN);

	shifted[0] = stretch * (longitude * cos(turn) - latitude * sin(turn)) + 0.0065;
	shifted[1] = stretch * (longitude * sin(turn) + latitude * cos(turn)) + 0.006;
}

/* The position that a shift takes to this one. */
static void
take_back(void (*shift)(double, double, double *), double longitude, double latitude,
		  double origin[2])
{
	double image[2];
	int step;

	origin[0] = longitude;
	origin[1] = latitude;
	for (step = 0; step < MOST_STEPS; step++)
	{
		double east;
		double north;

		shift(origin[0], origin[1], image);
		east = image[0] - longitude;
		north = image[1] - latitude;
		origin[0] -= east;
		origin[1] -= north;
		if (fabs(east) < CLOSE_ENOUGH && fabs(north) < CLOSE_ENOUGH)
			break;
	}
}

/* Degrees of one datum to degrees of another; what lies outside China stays as it is. */
void
o2o_geo_convert(O2oGeoDatum from, O2oGeoDatum to, double *longitude, double *latitude)
{
	double at[2] = {*longitude, *latitude};
	double gcj02[2];
	double wgs84[2] = {at[0], at[1]};

	/* no shift reaches so far; NaN fails here too */
	if (from == to || !(at[0] > 72.0 && at[0] < 137.0 && at[1] > 16.0 && at[1] < 55.0))
		return;
	if (from == O2O_GEO_WGS84)
	{
		if (!o2o_geo_in_china(at[0], at[1]))
			return;
		to_gcj02(at[0], at[1], gcj02);
	}
	else
	{
		gcj02[0] = at[0];
		gcj02[1] = at[1];
		if (from == O2O_GEO_BD09)
			take_back(to_bd09, at[0], at[1], gcj02);
		take_back(to_gcj02, gcj02[0], gcj02[1], wgs84);
		if (!o2o_geo_in_china(wgs84[0], wgs84[1]))
			return;
	}
	if (to == O2O_GEO_WGS84)
	{
		*longitude = wgs84[0];
		*latitude = wgs84[1];
	}
	else if (to == O2O_GEO_GCJ02)
	{
		*longitude = gcj02[0];
		*latitude = gcj02[1];
	}
	else
	{
		to_bd09(gcj02[0], gcj02[1], at);
		*longitude = at[0];
		*latitude = at[1];
	}
}
