/*
 * cell.c
 *		Space-filling orders of positions, and the cells of the radix tree: pure,
 *		no PostgreSQL header.  The indexes that use them live in spgist.c and
 *		gist.c.
 */
#include "geo/geo.h"

/*
 * Place on the Hilbert curve of order 31 over longitude (in 2e-7 degree) and
 * latitude (in 1e-7 degree): near values are near places.  From the top bit
 * down, the quadrant gives two bits and turns what is below it.
 */
int64_t
o2o_geo_hilbert(O2oGeoPoint point)
{
	uint32_t x = (uint32_t) (o2o_geo_lon(point) >> 1);
	uint32_t y = (uint32_t) o2o_geo_lat(point);
	int64_t place = 0;
	int bit;

	for (bit = 30; bit >= 0; bit--)
	{
		uint32_t right = x >> bit & 1;
		uint32_t upper = y >> bit & 1;

		place = place << 2 | (right * 3 ^ upper);
		if (!upper)
		{
			uint32_t swap = x;

			if (right)
			{
				/* only the bits below matter from here on */
				swap = ~x;
				y = ~y;
			}
			x = y;
			y = swap;
		}
	}
	return place;
}

/* Move each of the 32 bits to an even place. */
static uint64_t
spread(uint64_t bits)
{
	bits = (bits | bits << 16) & UINT64_C(0x0000FFFF0000FFFF);
	bits = (bits | bits << 8) & UINT64_C(0x00FF00FF00FF00FF);
	bits = (bits | bits << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
	return (bits | bits << 1) & UINT64_C(0x5555555555555555);
}

/*
 * The cell of 63 bits that is this position.  Latitude has 31 bits, so the
 * first of the 64 interleaved ones is always 0 and makes room for the end bit.
 */
O2oGeoCell
o2o_geo_cell(O2oGeoPoint point)
{
	return (spread(o2o_geo_lat(point)) << 1 | spread(o2o_geo_lon(point))) << 1 | 1;
}
