/*
 * fence.h
 *		Circles and polygons that pings are held against, and an index of them in
 *		memory: what fence.c and fence_polygon.c offer.  No PostgreSQL header is
 *		needed here.
 */
#ifndef O2O_GEO_FENCE_H
#define O2O_GEO_FENCE_H

#include <stddef.h>

#include "geo/geo.h"

/* Beyond so many metres the nearest place of a polygon's edge is not found well enough. */
#define O2O_GEO_HYSTERESIS_MAX 10000.0

/* Vertices of a ring, from a place in the list of all; the last leads back to the first. */
typedef struct O2oGeoRing
{
	int first;
	int count;
	bool is_hole;
} O2oGeoRing;

/* Longitude and latitude in degrees. */
typedef struct O2oGeoVertex
{
	double lon;
	double lat;
} O2oGeoVertex;

/* The rings of polygons: counted where the lists are NULL, else filled. */
typedef struct O2oGeoRings
{
	O2oGeoRing *rings;
	O2oGeoVertex *vertices;
	int ring_count;
	int vertex_count;
} O2oGeoRings;

/* A circle, or with rings a polygon. */
typedef struct O2oGeoFence
{
	int64_t id;
	O2oGeoCircle circle;
	int first_ring;
	int ring_count;
} O2oGeoFence;

/* A box of a fence, or of the entries below: one fence has two at the antimeridian. */
typedef struct O2oGeoFenceEntry
{
	O2oGeoBox box;
	int64_t place; /* on the Hilbert curve */
	int item;
} O2oGeoFenceEntry;

/* A box may stand for so many below it. */
#define O2O_GEO_FENCE_FAN 16
/* Levels above the entries: 16^8 is more than there can be. */
#define O2O_GEO_FENCE_LEVELS 8

typedef struct O2oGeoFences
{
	const O2oGeoFence *fences;
	const O2oGeoRings *rings;
	O2oGeoFenceEntry *entries;
	int entry_count;
	O2oGeoBox *boxes; /* of all levels above the entries, the lowest first */
	int level_start[O2O_GEO_FENCE_LEVELS + 1];
	int levels;
} O2oGeoFences;

/* fence_polygon.c */
extern double o2o_geo_rings_area(const O2oGeoRings *rings);
extern bool o2o_geo_rings_add(O2oGeoRings *rings, const uint8_t *wkb, size_t size);
extern bool
o2o_geo_rings_cover(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoPoint point);
extern double
o2o_geo_rings_distance(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoPoint point);

/* fence.c */
extern int
o2o_geo_fence_boxes(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoBox boxes[2]);
extern int o2o_geo_fence_box_count(int entries);
extern void o2o_geo_fences_build(O2oGeoFences *index);
extern bool o2o_geo_fence_holds(const O2oGeoFences *index, int fence, O2oGeoPoint point);
extern bool
o2o_geo_fence_beyond(const O2oGeoFences *index, int fence, O2oGeoPoint point, double metres);
extern void o2o_geo_fences_at(const O2oGeoFences *index, O2oGeoPoint point,
							  void (*found)(int fence, void *arg), void *arg);

#endif /* O2O_GEO_FENCE_H */
