/*
 * knn_join.c
 *		knn_join(ids, positions, store_ids, store_positions, k): the k nearest
 *		stores of each position, rows of arrays.  The search itself lives in
 *		kdtree.c.
 *
 * Only the stores are indexed, in work_mem at most; the answer goes to a tuple
 * store, which goes to disk beyond work_mem.
 */
#include "o2o.h"

#include "fmgr.h"
#include "funcapi.h"
#include "geo/kdtree.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_knn_join);

#define INTERRUPT_EVERY 256

/* The 8-byte elements of an array argument that are not null stand side by side. */
typedef struct Elements
{
	const int64 *values;
	const bits8 *present; /* NULL: all are */
	int count;
	int next;       /* element to come */
	int next_value; /* and its place among those present */
} Elements;

static Elements
elements_of(ArrayType *array, bool nulls_allowed)
{
	Elements elements = {0};

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of positions and ids must have one dimension")));
	if (!nulls_allowed && ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("arrays of ids must not contain nulls")));
	elements.count = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	elements.values = (const int64 *) ARR_DATA_PTR(array);
	elements.present = ARR_NULLBITMAP(array);
	return elements;
}

/* The place of the next element in values, or -1 for a null. */
static int
next_place(Elements *elements)
{
	int at = elements->next++;

	if (elements->present && !(elements->present[at / 8] & (1 << (at % 8))))
		return -1;
	return elements->next_value++;
}

static void
check_lengths(const Elements *ids, const Elements *positions)
{
	if (ids->count != positions->count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of ids and of their positions must have the same length"),
				 errdetail("There are %d ids and %d positions.", ids->count, positions->count)));
}

static void
breathe(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* The tree of the stores that have a position, and room for the answer to one search. */
static O2oGeoNeighbour *
index_stores(O2oGeoTree *tree, const Elements *ids, Elements *positions, int *wanted)
{
	int64 *place_ids;
	uint64 bytes;

	*wanted = Min(*wanted, ids->count);
	bytes = (uint64) ids->count * (sizeof(O2oGeoPlace) + sizeof(int64)) +
			(uint64) *wanted * sizeof(O2oGeoNeighbour);
	if (bytes > (uint64) work_mem * 1024 || ids->count > O2O_GEO_TREE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("so many stores need more memory than work_mem"),
				 errdetail("%d stores need " UINT64_FORMAT " kB; the setting is %d kB.", ids->count,
						   (bytes + 1023) / 1024, work_mem),
				 errhint("Raise work_mem for this session, or join the stores region by region.")));

	tree->count = 0;
	tree->places = palloc_extended((Size) ids->count * sizeof(O2oGeoPlace) + 1, MCXT_ALLOC_HUGE);
	place_ids = palloc_extended((Size) ids->count * sizeof(int64) + 1, MCXT_ALLOC_HUGE);
	tree->points = positions->values;
	tree->ids = place_ids;
	for (int i = 0; i < ids->count; i++)
	{
		int place = next_place(positions);

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (place < 0)
			continue;
		place_ids[place] = ids->values[i];
		o2o_geo_tree_add(tree, positions->values[place], place);
	}
	o2o_geo_tree_build(tree, breathe);
	return palloc_extended((Size) *wanted * sizeof(O2oGeoNeighbour) + 1, MCXT_ALLOC_HUGE);
}

Datum
o2o_knn_join(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Elements ids = elements_of(PG_GETARG_ARRAYTYPE_P(0), false);
	Elements positions = elements_of(PG_GETARG_ARRAYTYPE_P(1), true);
	Elements store_ids = elements_of(PG_GETARG_ARRAYTYPE_P(2), false);
	Elements store_positions = elements_of(PG_GETARG_ARRAYTYPE_P(3), true);
	int wanted = PG_GETARG_INT32(4);
	O2oGeoTree stores;
	O2oGeoNeighbour *found;

	check_lengths(&ids, &positions);
	check_lengths(&store_ids, &store_positions);
	if (wanted < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("number of nearest stores must be zero or more"),
						errdetail("The number is %d.", wanted)));

	InitMaterializedSRF(fcinfo, 0);
	found = index_stores(&stores, &store_ids, &store_positions, &wanted);
	for (int i = 0; i < ids.count; i++)
	{
		int place = next_place(&positions);
		int count;

		CHECK_FOR_INTERRUPTS();
		if (place < 0)
			continue;
		count = o2o_geo_tree_nearest(&stores, positions.values[place], wanted, found);
		for (int n = 0; n < count; n++)
		{
			Datum values[4];
			bool nulls[4] = {false, false, false, false};

			values[0] = Int64GetDatum(ids.values[i]);
			values[1] = Int64GetDatum(found[n].id);
			values[2] = Int32GetDatum(n + 1);
			values[3] = Float8GetDatum(found[n].metres);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}
