/*
 * fence.c
 *		Which of many fences hold a position: their boxes, and an index of these
 *		in memory.  Pure, no PostgreSQL header.  Polygons live in fence_polygon.c,
 *		the events in fence_events.c.
 *
 * The index is a packed R-tree: boxes in the order of their middle on the
 * Hilbert curve, each 16 of a level under one box of the next (I. Kamel, C.
 * Faloutsos, On Packing R-trees, 1993).
 */
#include "geo/fence.h"

#include <math.h>
#include <stdlib.h>

/* The smallest radius of curvature on WGS84, a meridian's at the equator, less a margin. */
#define SMALLEST_RADIUS 6330000.0
/* More than half a meridian: a circle of this radius is the whole earth. */
#define WHOLE_EARTH 20100000.0

/* Longitudes between two that may lie beyond the ends of the map, as one box or two. */
static int
boxes_between(int64_t west, int64_t east, int64_t south, int64_t north, O2oGeoBox boxes[2])
{
	boxes[0].south = boxes[1].south = south < 0 ? 0 : south;
	boxes[0].north = boxes[1].north = north > O2O_GEO_LAT_TOP ? O2O_GEO_LAT_TOP : north;
	boxes[0].west = 0;
	boxes[0].east = O2O_GEO_LON_TURN - 1;
	if (east - west >= O2O_GEO_LON_TURN)
		return 1;
	if (west >= 0 && east < O2O_GEO_LON_TURN)
	{
		boxes[0].west = west;
		boxes[0].east = east;
		return 1;
	}
	boxes[0].east = east < O2O_GEO_LON_TURN ? east : east - O2O_GEO_LON_TURN;
	boxes[1].west = west < 0 ? west + O2O_GEO_LON_TURN : west;
	boxes[1].east = O2O_GEO_LON_TURN - 1;
	return 2;
}

/* A box around a circle, with some margin. */
static int
circle_boxes(const O2oGeoCircle *circle, O2oGeoBox boxes[2])
{
	int64_t lon = o2o_geo_lon(circle->center);
	int64_t lat = o2o_geo_lat(circle->center);
	double angle = fmin(circle->radius, WHOLE_EARTH) / SMALLEST_RADIUS;
	int64_t height = (int64_t) (angle * (180.0 / M_PI) * 1e7) + 2;
	int64_t width = O2O_GEO_LON_TURN;

	/* on a sphere the meridians that touch a circle are asin(sin angle / cos lat) away */
	if (lat - height > 0 && lat + height < O2O_GEO_LAT_TOP)
	{
		double sine = 1.01 * sin(fmin(angle, M_PI / 2.0)) /
					  cos(o2o_geo_latitude_degrees(circle->center) * (M_PI / 180.0));

		if (sine < 1.0)
			width = (int64_t) (asin(sine) * (180.0 / M_PI) * 1e7) + 2;
	}
	return boxes_between(lon - width, lon + width, lat - height, lat + height, boxes);
}

static int
polygon_boxes(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoBox boxes[2])
{
	double west = 180.0;
	double east = -180.0;
	double south = 90.0;
	double north = -90.0;

	for (int r = 0; r < fence->ring_count; r++)
	{
		const O2oGeoRing *ring = &rings->rings[fence->first_ring + r];

		for (int i = 0; i < ring->count; i++)
		{
			O2oGeoVertex vertex = rings->vertices[ring->first + i];

			west = fmin(west, vertex.lon);
			east = fmax(east, vertex.lon);
			south = fmin(south, vertex.lat);
			north = fmax(north, vertex.lat);
		}
	}
	/* positions are at -180 rather than at 180 */
	boxes[0].west = (int64_t) floor(west * 1e7) + O2O_GEO_LON_HALF;
	boxes[0].east = (int64_t) ceil(east * 1e7) + O2O_GEO_LON_HALF;
	boxes[0].south = (int64_t) floor(south * 1e7) + O2O_GEO_LAT_HALF;
	boxes[0].north = (int64_t) ceil(north * 1e7) + O2O_GEO_LAT_HALF;
	return 1;
}

/* The boxes in which a fence lies, at most two. */
int
o2o_geo_fence_boxes(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoBox boxes[2])
{
	return fence->ring_count > 0 ? polygon_boxes(rings, fence, boxes)
								 : circle_boxes(&fence->circle, boxes);
}

/* How many boxes the levels above so many entries have. */
int
o2o_geo_fence_box_count(int entries)
{
	int total = 0;

	while (entries > 1)
	{
		entries = (entries + O2O_GEO_FENCE_FAN - 1) / O2O_GEO_FENCE_FAN;
		total += entries;
	}
	return total;
}

static int
by_place(const void *a, const void *b)
{
	const O2oGeoFenceEntry *one = a;
	const O2oGeoFenceEntry *two = b;

	if (one->place != two->place)
		return one->place < two->place ? -1 : 1;
	return one->item < two->item ? -1 : one->item > two->item;
}

static O2oGeoBox
box_of_both(O2oGeoBox a, O2oGeoBox b)
{
	if (b.west < a.west)
		a.west = b.west;
	if (b.east > a.east)
		a.east = b.east;
	if (b.south < a.south)
		a.south = b.south;
	if (b.north > a.north)
		a.north = b.north;
	return a;
}

/* A box of a level, 0 being that of the entries. */
static const O2oGeoBox *
box_at(const O2oGeoFences *index, int level, int at)
{
	return level == 0 ? &index->entries[at].box : &index->boxes[index->level_start[level] + at];
}

static int
level_size(const O2oGeoFences *index, int level)
{
	int size = index->entry_count;

	for (; level > 0; level--)
		size = (size + O2O_GEO_FENCE_FAN - 1) / O2O_GEO_FENCE_FAN;
	return size;
}

/* From the entries with their boxes and items, with room for the boxes above them. */
void
o2o_geo_fences_build(O2oGeoFences *index)
{
	int start = 0;
	int level;

	for (int i = 0; i < index->entry_count; i++)
	{
		const O2oGeoBox *box = &index->entries[i].box;

		index->entries[i].place = o2o_geo_hilbert(
			o2o_geo_pack((box->west + box->east) / 2, (box->south + box->north) / 2));
	}
	qsort(index->entries, index->entry_count, sizeof(O2oGeoFenceEntry), by_place);
	for (level = 0; level_size(index, level) > 1; level++)
	{
		int below = level_size(index, level);

		index->level_start[level + 1] = start;
		for (int i = 0; i < below; i++)
		{
			O2oGeoBox *above = &index->boxes[start + i / O2O_GEO_FENCE_FAN];
			const O2oGeoBox *box = box_at(index, level, i);

			*above = i % O2O_GEO_FENCE_FAN == 0 ? *box : box_of_both(*above, *box);
		}
		start += level_size(index, level + 1);
	}
	index->levels = level;
}

/* Edges included. */
bool
o2o_geo_fence_holds(const O2oGeoFences *index, int fence, O2oGeoPoint point)
{
	const O2oGeoFence *at = &index->fences[fence];

	if (at->ring_count > 0)
		return o2o_geo_rings_cover(index->rings, at, point);
	return o2o_geo_distance(at->circle.center, point) <= at->circle.radius;
}

/* Whether a position is outside by more than so many metres. */
bool
o2o_geo_fence_beyond(const O2oGeoFences *index, int fence, O2oGeoPoint point, double metres)
{
	const O2oGeoFence *at = &index->fences[fence];

	if (at->ring_count > 0)
		return !o2o_geo_rings_cover(index->rings, at, point) &&
			   (metres == 0.0 || o2o_geo_rings_distance(index->rings, at, point) > metres);
	return o2o_geo_distance(at->circle.center, point) > at->circle.radius + metres;
}

static bool
box_holds(const O2oGeoBox *box, int64_t lon, int64_t lat)
{
	return lon >= box->west && lon <= box->east && lat >= box->south && lat <= box->north;
}

/* Calls found for each fence that holds the position, in no order. */
void
o2o_geo_fences_at(const O2oGeoFences *index, O2oGeoPoint point, void (*found)(int fence, void *arg),
				  void *arg)
{
	int64_t lon = o2o_geo_lon(point);
	int64_t lat = o2o_geo_lat(point);
	struct
	{
		int level;
		int at;
	} stack[O2O_GEO_FENCE_LEVELS * O2O_GEO_FENCE_FAN + 1];
	int depth = 0;

	if (index->entry_count > 0)
	{
		stack[0].level = index->levels;
		stack[0].at = 0;
		depth = 1;
	}
	while (depth > 0)
	{
		int level = stack[--depth].level;
		int at = stack[depth].at;

		if (!box_holds(box_at(index, level, at), lon, lat))
			continue;
		if (level == 0)
		{
			if (o2o_geo_fence_holds(index, index->entries[at].item, point))
				found(index->entries[at].item, arg);
			continue;
		}
		level--;
		for (int i = 0, size = level_size(index, level);
			 i < O2O_GEO_FENCE_FAN && at * O2O_GEO_FENCE_FAN + i < size; i++)
		{
			stack[depth].level = level;
			stack[depth++].at = at * O2O_GEO_FENCE_FAN + i;
		}
	}
}
