/*
 * trade_area.c
 *		The polygons of trade_areas(): for each store the places on earth that are
 *		nearer to it than to any other; and the size of areas.  The geometry lives
 *		in voronoi.c and fence_polygon.c, the search for neighbours in kdtree.c.
 */
#include "geo/arrays.h"

#include <math.h>

#include "funcapi.h"
#include "geo/kdtree.h"
#include "geo/voronoi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_trade_area_polygons);
PG_FUNCTION_INFO_V1(o2o_geo_wkb_area);

/* Neighbours that are asked for first; twice as many each time. */
#define FIRST_NEIGHBOURS 24
/* A radian of the conformal sphere is at most so many metres, with a margin. */
#define METRES_OF_RADIAN 6440000.0

typedef struct Areas
{
	O2oGeoTree tree;
	int64 *ids; /* by number in the tree; the tree itself tells numbers */
	int64 *numbers;
	O2oGeoPoint *points;
	O2oGeoVector *places;
	O2oGeoNeighbour *found;
	O2oGeoVoronoiCell *cell;
	StringInfoData polygon;
	int positions;
	double last_lon;
	double last_lat;
} Areas;

static void
breathe(void)
{
	CHECK_FOR_INTERRUPTS();
}

static void
read_stores(FunctionCallInfo fcinfo, Areas *areas)
{
	int count;
	int others;
	bool *unplaced;
	int64 *ids = o2o_geo_ids(fcinfo, 0, &count);
	Datum *positions = o2o_geo_elements(fcinfo, 1, 8, TYPALIGN_DOUBLE, &unplaced, &others);

	o2o_geo_check_lengths("positions", count, others);
	o2o_geo_check_memory("stores", (Size) count * (sizeof(O2oGeoPlace) + 3 * sizeof(int64) +
												   sizeof(O2oGeoVector) + sizeof(O2oGeoNeighbour)));
	areas->ids = o2o_geo_room(count, sizeof(int64));
	areas->numbers = o2o_geo_room(count, sizeof(int64));
	areas->points = o2o_geo_room(count, sizeof(O2oGeoPoint));
	areas->places = o2o_geo_room(count, sizeof(O2oGeoVector));
	areas->found = o2o_geo_room(count, sizeof(O2oGeoNeighbour));
	areas->cell = palloc(sizeof(O2oGeoVoronoiCell));
	areas->tree.places = o2o_geo_room(count, sizeof(O2oGeoPlace));
	areas->tree.points = areas->points;
	areas->tree.ids = areas->numbers;
	areas->tree.count = 0;
	for (int i = 0, at = 0; i < count; i++)
	{
		if (unplaced[i])
			continue;
		areas->ids[at] = ids[i];
		areas->numbers[at] = at;
		areas->points[at] = DatumGetGeoPoint(positions[i]);
		areas->places[at] = o2o_geo_sphere(areas->points[at]);
		o2o_geo_tree_add(&areas->tree, areas->points[at], at);
		at++;
	}
	o2o_geo_tree_build(&areas->tree, breathe);
	initStringInfo(&areas->polygon);
}

/* Of stores at one place the one with the lowest id has its area. */
static bool
gives_way(const Areas *areas, int store, int other)
{
	return areas->points[store] == areas->points[other] &&
		   (areas->ids[other] < areas->ids[store] ||
			(areas->ids[other] == areas->ids[store] && other < store));
}

/* Cuts the store's cell; false when another has it. */
static bool
find_cell(Areas *areas, int store, double max_m)
{
	int cut = 0;

	o2o_geo_cell_begin(areas->cell, areas->places, store, areas->points[store], max_m);
	for (int wanted = FIRST_NEIGHBOURS;; wanted *= 2)
	{
		int count;

		CHECK_FOR_INTERRUPTS();
		wanted = Min(wanted, areas->tree.count);
		count = o2o_geo_tree_nearest(&areas->tree, areas->points[store], wanted, areas->found);
		for (; cut < count; cut++)
		{
			int other = (int) areas->found[cut].id;

			if (other == store)
				continue;
			if (areas->points[other] == areas->points[store])
			{
				if (gives_way(areas, store, other))
					return false;
				continue;
			}
			if (areas->found[cut].metres > 2.0 * o2o_geo_cell_reach(areas->cell) * METRES_OF_RADIAN)
				return true;
			if (!o2o_geo_cell_cut(areas->cell, other))
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("trade area of store " INT64_FORMAT " has more than %d corners",
								areas->ids[store], O2O_GEO_CELL_CORNERS)));
		}
		if (count == areas->tree.count)
			return true;
	}
}

static void
append_position(double longitude, double latitude, void *arg)
{
	Areas *areas = arg;
	double lon = round(longitude * 1e7) / 1e7;
	double lat = round(latitude * 1e7) / 1e7;

	if (areas->positions > 0 && lon == areas->last_lon && lat == areas->last_lat)
		return;
	areas->last_lon = lon;
	areas->last_lat = lat;
	areas->positions++;
	appendBinaryStringInfo(&areas->polygon, (char *) &lon, sizeof(double));
	appendBinaryStringInfo(&areas->polygon, (char *) &lat, sizeof(double));
}

/* As extended well-known binary of this machine's byte order; false when nothing is left of it. */
static bool
write_polygon(Areas *areas)
{
	uint16 probe = 1;
	uint32 head[4] = {3 | UINT32_C(0x20000000), 4326, 1, 0};
	uint32 positions;

	resetStringInfo(&areas->polygon);
	appendStringInfoChar(&areas->polygon, *(char *) &probe);
	appendBinaryStringInfo(&areas->polygon, (char *) head, sizeof(head));
	areas->positions = 0;
	o2o_geo_cell_ring(areas->cell, append_position, areas);
	positions = (uint32) areas->positions;
	memcpy(areas->polygon.data + 1 + 3 * sizeof(uint32), &positions, sizeof(uint32));
	return areas->positions >= 4;
}

Datum
o2o_trade_area_polygons(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	double max_m = PG_GETARG_FLOAT8(2);
	Areas areas;

	if (!(max_m > 0.0 && max_m <= O2O_GEO_REACH_MAX))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("reach of a trade area must be above 0 and at most %.0f metres",
							   O2O_GEO_REACH_MAX),
						errdetail("It is %.9g.", max_m)));
	read_stores(fcinfo, &areas);
	InitMaterializedSRF(fcinfo, 0);
	for (int store = 0; store < areas.tree.count; store++)
	{
		Datum values[2];
		bool nulls[2] = {false, false};

		if (!find_cell(&areas, store, max_m) || !write_polygon(&areas))
			continue;
		values[0] = Int64GetDatum(areas.ids[store]);
		values[1] = PointerGetDatum(palloc(VARHDRSZ + areas.polygon.len));
		SET_VARSIZE(DatumGetPointer(values[1]), VARHDRSZ + areas.polygon.len);
		memcpy(VARDATA(DatumGetPointer(values[1])), areas.polygon.data, areas.polygon.len);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[1]));
	}
	return (Datum) 0;
}

/* Square metres of a polygon in well-known binary. */
Datum
o2o_geo_wkb_area(PG_FUNCTION_ARGS)
{
	bytea *wkb = PG_GETARG_BYTEA_PP(0);
	O2oGeoRings rings = {0};

	/* counted first, then read into room of that size */
	for (int round = 0; round < 2; round++)
	{
		if (round == 1)
		{
			rings.rings = o2o_geo_room(rings.ring_count, sizeof(O2oGeoRing));
			rings.vertices = o2o_geo_room(rings.vertex_count, sizeof(O2oGeoVertex));
			rings.ring_count = rings.vertex_count = 0;
		}
		if (!o2o_geo_rings_add(&rings, (const uint8_t *) VARDATA_ANY(wkb), VARSIZE_ANY_EXHDR(wkb)))
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("not the binary form of a polygon in degrees")));
	}
	PG_RETURN_FLOAT8(o2o_geo_rings_area(&rings));
}
