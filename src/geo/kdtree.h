/*
 * kdtree.h
 *		A tree of positions in memory that finds the nearest of them: what
 *		kdtree.c offers.  No PostgreSQL header is needed here.
 */
#ifndef O2O_GEO_KDTREE_H
#define O2O_GEO_KDTREE_H

#include "geo/geo.h"

/* At most so many places have numbers. */
#define O2O_GEO_TREE_MAX ((1 << 30) - 1)

typedef struct O2oGeoPlace
{
	int32_t at[3]; /* earth-centred, centimetres */
	uint32_t item; /* number of the position, and above it the axis */
} O2oGeoPlace;

typedef struct O2oGeoTree
{
	O2oGeoPlace *places;
	int count;
	const O2oGeoPoint *points; /* by number */
	const int64_t *ids;
} O2oGeoTree;

typedef struct O2oGeoNeighbour
{
	double metres;
	int64_t id;
} O2oGeoNeighbour;

extern void o2o_geo_tree_add(O2oGeoTree *tree, O2oGeoPoint point, int item);
extern void o2o_geo_tree_build(O2oGeoTree *tree, void (*breathe)(void));
extern int
o2o_geo_tree_nearest(const O2oGeoTree *tree, O2oGeoPoint from, int wanted, O2oGeoNeighbour *found);

#endif /* O2O_GEO_KDTREE_H */
