/*
 * spgist.h
 *		Labels of the nodes of the SP-GiST index of positions.
 */
#ifndef O2O_GEO_SPGIST_H
#define O2O_GEO_SPGIST_H

#include "geo/geo.h"

/*
 * The label of a node is a cell in a form that a search reads at once: longitude
 * of its corner in the upper 32 bits, latitude in the lower, and in the lowest 3
 * of each, which are free in cells of at most O2O_GEO_LABEL_BITS, how many bits it leaves
 * open.
 */
#define O2O_GEO_LABEL_BITS 56

static inline int
o2o_geo_label_open_bits(Datum label)
{
	return (int) (((uint64) label >> 29 & 0x38) | ((uint64) label & 7));
}

/* The area of a cell, with what of it lies beyond the edges of the map. */
static inline O2oGeoBox
o2o_geo_label_whole_box(Datum label)
{
	int open = o2o_geo_label_open_bits(label);
	O2oGeoBox box;

	box.west = (uint64) label >> 32 & 0xFFFFFFF8;
	box.south = (uint64) label & 0xFFFFFFF8;
	box.east = box.west + (INT64CONST(1) << ((open + 1) >> 1)) - 1;
	box.north = box.south + (INT64CONST(1) << (open >> 1)) - 1;
	return box;
}

static inline O2oGeoBox
o2o_geo_box_on_map(O2oGeoBox box)
{
	box.east = Min(box.east, O2O_GEO_LON_TURN - 1);
	box.north = Min(box.north, O2O_GEO_LAT_TOP);
	return box;
}

static inline O2oGeoBox
o2o_geo_label_box(Datum label)
{
	return o2o_geo_box_on_map(o2o_geo_label_whole_box(label));
}

#endif /* O2O_GEO_SPGIST_H */
