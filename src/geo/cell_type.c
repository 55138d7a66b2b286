/*
 * cell_type.c
 *		Cells of the grid as PostgreSQL sees them, numbers of type bigint.  What a
 *		cell is lives in cell.c.
 */
#include "o2o.h"

#include "fmgr.h"
#include "funcapi.h"
#include "geo/geo.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_geo_cell_sql);
PG_FUNCTION_INFO_V1(o2o_geo_cell_box_sql);
PG_FUNCTION_INFO_V1(o2o_geo_cell_center_sql);
PG_FUNCTION_INFO_V1(o2o_geo_cells);

/* More cells than anybody wants by mistake. */
#define CELLS_MAX 1000000

static int
depth_argument(FunctionCallInfo fcinfo, int argument)
{
	int depth = PG_GETARG_INT32(argument);

	if (depth < 1 || depth > O2O_GEO_CELL_DEPTH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("depth of a cell must be between 1 and %d", O2O_GEO_CELL_DEPTH),
						errdetail("It is %d.", depth)));
	return depth;
}

/* The box of the cell that an argument is. */
static O2oGeoBox
box_argument(FunctionCallInfo fcinfo, int argument)
{
	O2oGeoCell cell = (O2oGeoCell) PG_GETARG_INT64(argument);
	O2oGeoBox box;

	/* the end bit closes the digits of a depth from 1 on; the digits are of the earth */
	if (cell != 0 && o2o_geo_cell_bits(cell) % 4 == 3)
	{
		box = o2o_geo_cell_box(cell);
		if (box.west <= box.east && box.south <= box.north)
			return box;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("not a cell of the grid: " INT64_FORMAT, (int64) cell),
					errhint("geo_cell() and geo_cells() give cells.")));
}

Datum
o2o_geo_cell_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) o2o_geo_cell_prefix(o2o_geo_cell(PG_GETARG_GEOPOINT(0)),
												4 * depth_argument(fcinfo, 1) - 1));
}

Datum
o2o_geo_cell_box_sql(PG_FUNCTION_ARGS)
{
	O2oGeoBox box = box_argument(fcinfo, 0);
	O2oGeoFrame *frame = palloc(sizeof(O2oGeoFrame));

	frame->west = (int32) (box.west - O2O_GEO_LON_HALF);
	frame->east = (int32) (box.east - O2O_GEO_LON_HALF);
	frame->south = (int32) (box.south - O2O_GEO_LAT_HALF);
	frame->north = (int32) (box.north - O2O_GEO_LAT_HALF);
	PG_RETURN_POINTER(frame);
}

Datum
o2o_geo_cell_center_sql(PG_FUNCTION_ARGS)
{
	O2oGeoBox box = box_argument(fcinfo, 0);
	O2oGeoPoint center;

	if (o2o_geo_from_units((box.west + box.east) / 2 - O2O_GEO_LON_HALF,
						   (box.south + box.north) / 2 - O2O_GEO_LAT_HALF, &center) != O2O_GEO_OK)
		elog(ERROR, "center of a cell is not on the earth");
	PG_RETURN_GEOPOINT(center);
}

/* Cells between two longitudes of a frame, that do not cross the antimeridian. */
static void
tell_cells(ReturnSetInfo *result, int64 west, int64 east, int64 south, int64 north, int depth)
{
	int shift = 32 - 2 * depth;

	for (int64 row = south >> shift; row <= north >> shift; row++)
		for (int64 column = west >> shift; column <= east >> shift; column++)
		{
			O2oGeoCell cell = o2o_geo_cell(o2o_geo_pack(column << shift, row << shift));
			Datum value = Int64GetDatum((int64) o2o_geo_cell_prefix(cell, 4 * depth - 1));
			bool is_null = false;

			CHECK_FOR_INTERRUPTS();
			tuplestore_putvalues(result->setResult, result->setDesc, &value, &is_null);
		}
}

Datum
o2o_geo_cells(PG_FUNCTION_ARGS)
{
	const O2oGeoFrame *frame = PG_GETARG_GEOFRAME(0);
	int depth = depth_argument(fcinfo, 1);
	int shift = 32 - 2 * depth;
	int64 west = frame->west + O2O_GEO_LON_HALF;
	int64 east = frame->east + O2O_GEO_LON_HALF;
	int64 south = frame->south + O2O_GEO_LAT_HALF;
	int64 north = frame->north + O2O_GEO_LAT_HALF;
	int64 last = O2O_GEO_LON_TURN - 1;
	int64 columns;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	columns = west <= east ? (east >> shift) - (west >> shift) + 1
						   : (last >> shift) - (west >> shift) + 1 + (east >> shift) + 1;
	if (columns * ((north >> shift) - (south >> shift) + 1) > CELLS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("box has more than %d cells of depth %d", CELLS_MAX, depth),
						errhint("Ask for a smaller box or a smaller depth.")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (west > east)
	{
		tell_cells(result, west, last, south, north, depth);
		west = 0;
	}
	tell_cells(result, west, east, south, north, depth);
	return (Datum) 0;
}
