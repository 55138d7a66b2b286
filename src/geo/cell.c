/*
 * cell.c
 *		Space-filling orders of positions: pure, no PostgreSQL header.
 *		The indexes that use them live in spgist.c and gist.c.
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
	uint32_t	x = (uint32_t) (o2o_geo_lon(point) >> 1);
	uint32_t	y = (uint32_t) o2o_geo_lat(point);
	int64_t		place = 0;
	int			bit;

	for (bit = 30; bit >= 0; bit--)
	{
		uint32_t	right = x >> bit & 1;
		uint32_t	upper = y >> bit & 1;

		place = place << 2 | (right * 3 ^ upper);
		if (!upper)
		{
			uint32_t	swap = x;

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
