/*
 * week.c
 *		Weekly opening hours as numbers: reading and checking them. What they
 *		mean for a place lives in src/store/hours.c, their text form in SQL.
 */
#include "o2o.h"

#include "base/week.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(o2o_week_hours_valid);

/* The numbers of an integer array; false: it is not a list of pairs. */
bool
o2o_week_read(Datum array, O2oWeek *week)
{
	ArrayType *numbers = DatumGetArrayTypeP(array);

	week->seconds = (const int32 *) ARR_DATA_PTR(numbers);
	week->count = ARR_NDIM(numbers) == 0 ? 0 : ARR_DIMS(numbers)[0];
	return ARR_NDIM(numbers) <= 1 && ARR_ELEMTYPE(numbers) == INT4OID && !ARR_HASNULL(numbers) &&
		   week->count % 2 == 0;
}

/* week_hours_valid(week_hours) */
Datum
o2o_week_hours_valid(PG_FUNCTION_ARGS)
{
	O2oWeek week;
	int32 before = -1;

	if (!o2o_week_read(PG_GETARG_DATUM(0), &week))
		PG_RETURN_BOOL(false);
	for (int i = 0; i < week.count; i += 2)
	{
		int32 begin = week.seconds[i];
		int64 length = (int64) week.seconds[i + 1] - begin;

		if (begin <= before || begin >= O2O_WEEK_SECONDS || length < 1 || length > O2O_DAY_SECONDS)
			PG_RETURN_BOOL(false);
		before = begin;
	}
	PG_RETURN_BOOL(true);
}
