/*
 * arrays.c
 *		Arrays as arguments of the functions over many positions, and memory for
 *		what is searched in them.  What is done with them lives in the files of
 *		these functions.
 */
#include "geo/arrays.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

/*
 * The elements of an argument of one dimension; those of 8 bytes and of 1 are values.
 * Without a place for nulls there must be none.
 */
Datum *
o2o_geo_elements(FunctionCallInfo fcinfo, int argument, int length, char align, bool **nulls,
				 int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	Datum *elements;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of ids, positions and numbers must have one dimension")));
	if (!nulls && ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("arrays of ids, times and numbers must not contain nulls")));
	deconstruct_array(array, ARR_ELEMTYPE(array), length, length == 8 || length == 1, align,
					  &elements, nulls, count);
	return elements;
}

/* Datums of 8 bytes are the numbers themselves. */
StaticAssertDecl(sizeof(Datum) == sizeof(int64), "64-bit Datum");

int64 *
o2o_geo_ids(FunctionCallInfo fcinfo, int argument, int *count)
{
	return (int64 *) o2o_geo_elements(fcinfo, argument, 8, TYPALIGN_DOUBLE, NULL, count);
}

double *
o2o_geo_numbers(FunctionCallInfo fcinfo, int argument, int *count)
{
	return (double *) o2o_geo_elements(fcinfo, argument, 8, TYPALIGN_DOUBLE, NULL, count);
}

void
o2o_geo_check_lengths(const char *what, int wanted, int found)
{
	if (wanted != found)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays that belong together must have the same length"),
				 errdetail("There are %d %s where there should be %d.", found, what, wanted)));
}

void
o2o_geo_check_memory(const char *what, Size bytes)
{
	if (bytes > (Size) work_mem * 1024)
		ereport(
			ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("so many %s need more memory than work_mem", what),
			 errdetail("They need %zu kB; the setting is %d kB.", (bytes + 1023) / 1024, work_mem),
			 errhint("Raise work_mem for this session, or ask for fewer %s at a time.", what)));
}

/* Room for so many, zero included. */
void *
o2o_geo_room(int count, Size size)
{
	return palloc_extended((Size) count * size + 1, MCXT_ALLOC_HUGE);
}

/* Bytes that so many fences and their index take at most, without rings. */
Size
o2o_geo_fences_size(int count)
{
	return (Size) count *
		   (sizeof(O2oGeoFence) + 2 * sizeof(O2oGeoFenceEntry) + sizeof(O2oGeoBox) / 4);
}

void
o2o_geo_fences_index(O2oGeoFences *index, const O2oGeoFence *fences, int count,
					 const O2oGeoRings *rings)
{
	index->fences = fences;
	index->rings = rings;
	index->entries = o2o_geo_room(2 * count, sizeof(O2oGeoFenceEntry));
	index->entry_count = 0;
	for (int i = 0; i < count; i++)
	{
		O2oGeoBox boxes[2];
		int found = o2o_geo_fence_boxes(rings, &fences[i], boxes);

		if (i % O2O_GEO_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		for (int b = 0; b < found; b++)
		{
			index->entries[index->entry_count].item = i;
			index->entries[index->entry_count++].box = boxes[b];
		}
	}
	index->boxes = o2o_geo_room(o2o_geo_fence_box_count(index->entry_count), sizeof(O2oGeoBox));
	o2o_geo_fences_build(index);
}
