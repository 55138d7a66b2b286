/*
 * request_sql.c
 *		o2o.points_execute(): requests from SQL. A single one, with its key, is in
 *		post_one.c.
 */
#include "points/request.h"
#include "points/points.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_points_execute_call);

/* The names of API functions, and the operation with which their postings begin. */
static const char *const names[][2] = {
	{"earn", "earn"}, {"burn", "burn"}, {"pay", "pay"}, {"transfer", "transfer_out"}};

/* One request out of its columns; what lacks something or is unknown is left to SQL. */
void
o2o_points_request_of(o2o_points_request *request, const Datum *value, const bool *is_null)
{
	memset(request, 0, sizeof(*request));
	if (!is_null[R_OPERATION])
	{
		text *name = DatumGetTextPP(value[R_OPERATION]);

		for (int i = 0; i < lengthof(names); i++)
		{
			if (strlen(names[i][0]) == VARSIZE_ANY_EXHDR(name) &&
				memcmp(names[i][0], VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
				request->operation = o2o_points_operation_find(names[i][1], strlen(names[i][1]));
		}
	}
	if (request->operation == NULL || is_null[R_PROFILE_ID] || is_null[R_PROGRAM] ||
		is_null[R_AMOUNT] || is_null[R_OCCURRED_AT] || is_null[R_REQUEST_ID])
	{
		request->outcome = REQUEST_LEFT;
		return;
	}
	request->profile_id = DatumGetInt64(value[R_PROFILE_ID]);
	request->counter_profile_id =
		is_null[R_COUNTER_PROFILE_ID] ? 0 : DatumGetInt64(value[R_COUNTER_PROFILE_ID]);
	request->program_name = DatumGetTextPP(value[R_PROGRAM]);
	request->amount = DatumGetPoints(value[R_AMOUNT]);
	request->request_id = *DatumGetUUIDP(value[R_REQUEST_ID]);
	request->reference = is_null[R_REFERENCE] ? NULL : DatumGetTextPP(value[R_REFERENCE]);
	request->reason = is_null[R_REASON] ? NULL : DatumGetTextPP(value[R_REASON]);
	request->occurred_at = DatumGetTimestampTz(value[R_OCCURRED_AT]);
}

Datum
o2o_points_execute_call(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum *values[R_COLUMNS];
	bool *nulls[R_COLUMNS];
	int count = 0;
	o2o_points_request *requests;

	for (int column = 0; column < R_COLUMNS; column++)
	{
		ArrayType *array = PG_ARGISNULL(column) ? NULL : PG_GETARG_ARRAYTYPE_P(column);
		int16 length;
		bool by_value;
		char align;
		int found = 0;

		if (array != NULL)
		{
			get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
			deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values[column],
							  &nulls[column], &found);
		}
		if (column == 0)
			count = found;
		else if (found != count)
			ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
							errmsg("requests of points need arrays of one length"),
							errdetail("Argument 1 has %d elements, argument %d has %d.", count,
									  column + 1, found)));
	}
	requests =
		MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(o2o_points_request));
	for (int i = 0; i < count; i++)
	{
		Datum value[R_COLUMNS];
		bool is_null[R_COLUMNS];

		for (int column = 0; column < R_COLUMNS; column++)
		{
			value[column] = values[column][i];
			is_null[column] = nulls[column][i];
		}
		o2o_points_request_of(&requests[i], value, is_null);
	}
	InitMaterializedSRF(fcinfo, 0);
	o2o_points_execute(requests, count);
	for (int i = 0; i < count; i++)
	{
		const o2o_points_request *request = &requests[i];
		Datum row[4] = {Int32GetDatum(i + 1)};
		bool is_null[4] = {false, request->outcome == REQUEST_LEFT,
						   request->outcome != REQUEST_DONE, request->outcome != REQUEST_DONE};

		if (request->outcome != REQUEST_LEFT)
			row[1] = CStringGetTextDatum(
				request->outcome == REQUEST_DONE ? "00000" : unpack_sql_state(request->sqlstate));
		row[2] = Int64GetDatum(request->transfer_id);
		row[3] = PointsGetDatum(request->balance);
		tuplestore_putvalues(result->setResult, result->setDesc, row, is_null);
	}
	return (Datum) 0;
}
