/*
 * fence_polygon.c
 *		Polygons as rings of vertices: reading them from well-known binary, which
 *		positions they cover, how far a position is from them.  Pure, no
 *		PostgreSQL header.  Circles and the index live in fence.c.
 *
 * Edges are straight in longitude and latitude, as PostGIS geometry and GeoJSON
 * have them, and belong to the polygon.  A position is covered when a line from
 * it to the east crosses the rings of all parts an odd number of times, which
 * for valid polygons is inside a shell and outside its holes.  On which side of
 * an edge it lies is decided in doubles where their rounding cannot matter, else
 * with twice their digits, as JTS and GEOS do (J. R. Shewchuk, Adaptive Precision
 * Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997).
 */
#include "geo/fence.h"
#include "geo/wkb.h"

#include <float.h>
#include <geodesic.h>
#include <math.h>

#define WKB_POLYGON 3
#define WKB_MULTIPOLYGON 6

/* First eccentricity of WGS84, squared. */
#define WGS84_E2 (1.0 / 298.257223563 * (2.0 - 1.0 / 298.257223563))

/* False when it is no coordinate in degrees up to a limit. */
static bool
read_degrees(O2oWkbReader *reader, double limit, double *degrees)
{
	return o2o_wkb_double(reader, degrees) && fabs(*degrees) <= limit;
}

static bool
read_ring(O2oWkbReader *reader, O2oGeoRings *rings, bool is_hole)
{
	uint32_t count;

	if (!o2o_wkb_uint32(reader, &count) || count < 4 || count > (reader->end - reader->at) / 16)
		return false;
	if (rings->rings)
	{
		rings->rings[rings->ring_count].first = rings->vertex_count;
		rings->rings[rings->ring_count].count = (int) count;
		rings->rings[rings->ring_count].is_hole = is_hole;
	}
	rings->ring_count++;
	for (; count > 0; count--)
	{
		O2oGeoVertex vertex;

		if (!read_degrees(reader, 180.0, &vertex.lon) || !read_degrees(reader, 90.0, &vertex.lat))
			return false;
		if (rings->vertices)
			rings->vertices[rings->vertex_count] = vertex;
		rings->vertex_count++;
	}
	return true;
}

static bool
read_polygon(O2oWkbReader *reader, O2oGeoRings *rings)
{
	uint32_t count;

	if (!o2o_wkb_uint32(reader, &count) || count == 0)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!read_ring(reader, rings, i > 0))
			return false;
	return true;
}

/*
 * Adds the rings of a polygon or multipolygon of two dimensions in degrees.
 * False when the binary is none.
 */
bool
o2o_geo_rings_add(O2oGeoRings *rings, const uint8_t *wkb, size_t size)
{
	O2oWkbReader reader = {wkb, wkb + size, false};
	uint32_t type;
	uint32_t parts;

	if (!o2o_wkb_head(&reader, &type))
		return false;
	if (type == WKB_POLYGON)
		return read_polygon(&reader, rings) && reader.at == reader.end;
	if (type != WKB_MULTIPOLYGON || !o2o_wkb_uint32(&reader, &parts) || parts == 0)
		return false;
	for (; parts > 0; parts--)
		if (!o2o_wkb_head(&reader, &type) || type != WKB_POLYGON || !read_polygon(&reader, rings))
			return false;
	return reader.at == reader.end;
}

/* Square metres on the ellipsoid, edges taken as geodesics (PROJ; Karney 2013). */
double
o2o_geo_rings_area(const O2oGeoRings *rings)
{
	struct geod_geodesic ellipsoid;
	double total = 0.0;

	geod_init(&ellipsoid, 6378137.0, 1.0 / 298.257223563);
	for (int r = 0; r < rings->ring_count; r++)
	{
		const O2oGeoRing *ring = &rings->rings[r];
		struct geod_polygon polygon;
		double area;

		geod_polygon_init(&polygon, 0);
		for (int i = 0; i + 1 < ring->count; i++)
			geod_polygon_addpoint(&ellipsoid, &polygon, rings->vertices[ring->first + i].lat,
								  rings->vertices[ring->first + i].lon);
		geod_polygon_compute(&ellipsoid, &polygon, 0, 1, &area, NULL);
		total += ring->is_hole ? -fabs(area) : fabs(area);
	}
	return total;
}

/* A number of twice the digits: the value and what rounding took from it. */
typedef struct Wide
{
	double value;
	double rest;
} Wide;

static Wide
wide_difference(double a, double b)
{
	Wide d;
	double b_part;

	d.value = a - b;
	b_part = a - d.value;
	d.rest = (a - (d.value + b_part)) + (b_part - b);
	return d;
}

static Wide
wide_product(Wide a, Wide b)
{
	Wide p;

	p.value = a.value * b.value;
	p.rest = fma(a.value, b.value, -p.value) + (a.value * b.rest + a.rest * b.value);
	return p;
}

/* Above zero when the position lies left of the way from a to b, zero on its line. */
static double
side_of(O2oGeoVertex a, O2oGeoVertex b, double lon, double lat)
{
	double left = (b.lon - a.lon) * (lat - a.lat);
	double right = (b.lat - a.lat) * (lon - a.lon);
	Wide wide_left;
	Wide wide_right;

	if (fabs(left - right) > 4.0 * DBL_EPSILON * (fabs(left) + fabs(right)))
		return left - right;
	wide_left = wide_product(wide_difference(b.lon, a.lon), wide_difference(lat, a.lat));
	wide_right = wide_product(wide_difference(b.lat, a.lat), wide_difference(lon, a.lon));
	return (wide_left.value - wide_right.value) + (wide_left.rest - wide_right.rest);
}

/* Edges included. */
bool
o2o_geo_rings_cover(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoPoint point)
{
	double lon = o2o_geo_longitude_degrees(point);
	double lat = o2o_geo_latitude_degrees(point);
	bool inside = false;

	for (int r = 0; r < fence->ring_count; r++)
	{
		const O2oGeoRing *ring = &rings->rings[fence->first_ring + r];
		const O2oGeoVertex *vertices = &rings->vertices[ring->first];

		for (int i = 0; i < ring->count; i++)
		{
			O2oGeoVertex a = vertices[i];
			O2oGeoVertex b = vertices[i + 1 < ring->count ? i + 1 : 0];
			double side;

			if ((a.lat > lat && b.lat > lat) || (a.lat < lat && b.lat < lat) ||
				(a.lon < lon && b.lon < lon))
				continue;
			/* a level edge is on the line to the east or not, and crosses it never */
			if (a.lat == b.lat)
			{
				if (fmin(a.lon, b.lon) <= lon)
					return true;
				continue;
			}
			side = side_of(a, b, lon, lat);
			if (side == 0.0)
				return true;
			/* an upper end counts, a lower one does not */
			if ((a.lat < lat) != (b.lat < lat) && (side > 0.0) == (b.lat > a.lat))
				inside = !inside;
		}
	}
	return inside;
}

/*
 * Metres from a position outside to the nearest place of the edges: the nearest
 * one on a flat map whose scale is right at the position, and the exact distance
 * to that.  What a flat map gets wrong grows with the third power of the
 * distance: at 10 km and 60 degrees of latitude it is centimetres.
 */
double
o2o_geo_rings_distance(const O2oGeoRings *rings, const O2oGeoFence *fence, O2oGeoPoint point)
{
	double lon = o2o_geo_longitude_degrees(point);
	double lat = o2o_geo_latitude_degrees(point);
	double sine = sin(lat * (M_PI / 180.0));
	/* metres of a degree of longitude to one of latitude: N cos(lat) / M */
	double scale = cos(lat * (M_PI / 180.0)) * (1.0 - WGS84_E2 * sine * sine) / (1.0 - WGS84_E2);
	double nearest2 = INFINITY;
	double to_lon = lon;
	double to_lat = lat;
	O2oGeoPoint to = point;

	for (int r = 0; r < fence->ring_count; r++)
	{
		const O2oGeoRing *ring = &rings->rings[fence->first_ring + r];
		const O2oGeoVertex *vertices = &rings->vertices[ring->first];

		for (int i = 0; i + 1 < ring->count; i++)
		{
			O2oGeoVertex a = vertices[i];
			O2oGeoVertex b = vertices[i + 1];
			double turn = 360.0 * round((lon - (a.lon + b.lon) / 2.0) / 360.0);
			double x = (a.lon + turn - lon) * scale;
			double y = a.lat - lat;
			double dx = (b.lon - a.lon) * scale;
			double dy = b.lat - a.lat;
			double length2 = dx * dx + dy * dy;
			double along = length2 > 0.0 ? -(x * dx + y * dy) / length2 : 0.0;
			double gap2;

			along = along > 0.0 ? (along < 1.0 ? along : 1.0) : 0.0;
			x += along * dx;
			y += along * dy;
			gap2 = x * x + y * y;
			if (gap2 >= nearest2)
				continue;
			nearest2 = gap2;
			to_lon = a.lon + along * (b.lon - a.lon);
			to_lat = a.lat + along * dy;
		}
	}
	if (o2o_geo_from_degrees(to_lon, to_lat, &to) != O2O_GEO_OK)
		return INFINITY;
	return o2o_geo_distance(point, to);
}
