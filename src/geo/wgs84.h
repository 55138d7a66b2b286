/*
 * wgs84.h
 *		The ellipsoid, and what distance.c and bound.c share.  Others include geo.h.
 */
#ifndef O2O_GEO_WGS84_H
#define O2O_GEO_WGS84_H

#include <math.h>

#include "geo/geo.h"

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

/* The shorter way round between two longitudes, in units. */
static inline int64_t
o2o_geo_gap(int64_t a, int64_t b)
{
	int64_t gap = a > b ? a - b : b - a;

	return gap > O2O_GEO_LON_HALF ? O2O_GEO_LON_TURN - gap : gap;
}

/* distance.c */
extern double o2o_geo_query_near(const O2oGeoQuery *query, O2oGeoPoint point);
extern double o2o_geo_rho_below(int64_t south, int64_t north);

#endif /* O2O_GEO_WGS84_H */
