/*
 * voronoi.h
 *		The part of the earth that is nearest to one of many places: what
 *		voronoi.c offers.  No PostgreSQL header is needed here.
 */
#ifndef O2O_GEO_VORONOI_H
#define O2O_GEO_VORONOI_H

#include "geo/geo.h"

/* Corners of a cell, and places that share an edge with it, at most. */
#define O2O_GEO_CELL_CORNERS 4096
/* A cell may reach so many metres: its gnomonic map covers less than half the earth. */
#define O2O_GEO_REACH_MAX 5000000.0

/* A position on the unit sphere. */
typedef struct O2oGeoVector
{
	double x;
	double y;
	double z;
} O2oGeoVector;

/* A corner on the map of the cell, and whose edge leads from it to the next; -1: the reach. */
typedef struct O2oGeoCorner
{
	double x;
	double y;
	int beyond;
} O2oGeoCorner;

typedef struct O2oGeoVoronoiCell
{
	const O2oGeoVector *places;
	int place;
	O2oGeoVector east;
	O2oGeoVector north;
	O2oGeoCorner corners[O2O_GEO_CELL_CORNERS];
	int count;
} O2oGeoVoronoiCell;

extern O2oGeoVector o2o_geo_sphere(O2oGeoPoint point);
extern void o2o_geo_cell_begin(O2oGeoVoronoiCell *cell, const O2oGeoVector *places, int place,
							   O2oGeoPoint at, double max_m);
extern bool o2o_geo_cell_cut(O2oGeoVoronoiCell *cell, int other);
extern double o2o_geo_cell_reach(const O2oGeoVoronoiCell *cell);
extern void
o2o_geo_cell_ring(const O2oGeoVoronoiCell *cell,
				  void (*tell)(double longitude, double latitude, void *arg), void *arg);

#endif /* O2O_GEO_VORONOI_H */
