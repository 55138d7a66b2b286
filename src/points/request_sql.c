/*
 * request_sql.c
 *		o2o.points_execute(), o2o.points_execute_one() and o2o.points_post_one():
 *		requests from SQL.
 */
#include "points/request.h"
#include "points/points.h"

#include "common/pg_prng.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(o2o_points_execute_call);
PG_FUNCTION_INFO_V1(o2o_points_execute_one_call);
PG_FUNCTION_INFO_V1(o2o_points_post_one_call);

/* The columns of a request, in the order of the arguments. */
enum
{
	R_OPERATION,
	R_PROFILE_ID,
	R_COUNTER_PROFILE_ID,
	R_PROGRAM,
	R_AMOUNT,
	R_REQUEST_ID,
	R_REFERENCE,
	R_REASON,
	R_OCCURRED_AT,
	R_COLUMNS
};

/* The names of API functions, and the operation with which their postings begin. */
static const char *const names[][2] = {
	{"earn", "earn"}, {"burn", "burn"}, {"pay", "pay"}, {"transfer", "transfer_out"}};

/* One request out of its columns; what lacks something or is unknown is left to SQL. */
static void
request_of(o2o_points_request *request, const Datum *value, const bool *is_null)
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
		request_of(&requests[i], value, is_null);
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

/* The answer, as a row of the result type: a named one, whose shape is cached; that of a record is made for each call. */
static Datum
answer(FunctionCallInfo fcinfo, const o2o_points_request *request)
{
	TupleDesc shape = lookup_rowtype_tupdesc(get_fn_expr_rettype(fcinfo->flinfo), -1);
	Datum values[2] = {Int64GetDatum(request->transfer_id), PointsGetDatum(request->balance)};
	bool is_null[2] = {false, false};
	HeapTuple row = heap_form_tuple(shape, values, is_null);

	ReleaseTupleDesc(shape);
	return HeapTupleGetDatum(row);
}

/* Version 4; it only has to be another one each time. */
static void
random_request_id(pg_uuid_t *id)
{
	uint64 halves[2] = {pg_prng_uint64(&pg_global_prng_state),
						pg_prng_uint64(&pg_global_prng_state)};

	memcpy(id->data, halves, UUID_LEN);
	id->data[6] = (id->data[6] & 0x0f) | 0x40;
	id->data[8] = (id->data[8] & 0x3f) | 0x80;
}

/* One request; NULL where the functions in SQL have to post it, or to say what is wrong. */
Datum
o2o_points_execute_one_call(PG_FUNCTION_ARGS)
{
	Datum value[R_COLUMNS];
	bool is_null[R_COLUMNS];
	o2o_points_request request;

	for (int column = 0; column < R_COLUMNS; column++)
	{
		value[column] = PG_GETARG_DATUM(column);
		is_null[column] = PG_ARGISNULL(column);
	}
	request_of(&request, value, is_null);
	o2o_points_execute(&request, 1);
	if (request.outcome != REQUEST_DONE)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(answer(fcinfo, &request));
}

/* The arguments of o2o.points_post_one(). */
enum
{
	P_OPERATION,
	P_PERSON,
	P_COUNTERPARTY,
	P_AMOUNT,
	P_PROGRAM,
	P_REFERENCE,
	P_REASON,
	P_OCCURRED_AT,
	P_FUNDING,
	P_ACTIVATE_AT,
	P_ARGUMENTS
};

/* The same by the functions in SQL, which say what is wrong as well. */
static Datum
post_in_sql(FunctionCallInfo fcinfo)
{
	static SPIPlanPtr plan = NULL;
	Datum value[P_ARGUMENTS];
	char nulls[P_ARGUMENTS];
	bool is_null;
	Datum result;

	SPI_connect();
	if (plan == NULL)
	{
		Oid types[P_ARGUMENTS];
		SPIPlanPtr made;

		for (int i = 0; i < P_ARGUMENTS; i++)
			types[i] = get_fn_expr_argtype(fcinfo->flinfo, i);
		made = SPI_prepare("SELECT o2o.points_post_single($1, $2, $3, $4, $5, $6, $7, NULL, $8,"
						   " NULL, NULL, NULL, $9, $10)",
						   P_ARGUMENTS, types);
		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "o2o.points_post_single() cannot be prepared");
		plan = made;
	}
	for (int i = 0; i < P_ARGUMENTS; i++)
	{
		value[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (SPI_execute_plan(plan, value, nulls, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "o2o.points_post_single() cannot be called");
	result = SPI_datumTransfer(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null), false, -1);
	SPI_finish();
	return result;
}

/* A request without a key. */
Datum
o2o_points_post_one_call(PG_FUNCTION_ARGS)
{
	static const int place[R_COLUMNS] = {[R_OPERATION] = P_OPERATION,
										 [R_PROFILE_ID] = P_PERSON,
										 [R_COUNTER_PROFILE_ID] = P_COUNTERPARTY,
										 [R_PROGRAM] = P_PROGRAM,
										 [R_AMOUNT] = P_AMOUNT,
										 [R_REQUEST_ID] = -1,
										 [R_REFERENCE] = P_REFERENCE,
										 [R_REASON] = P_REASON,
										 [R_OCCURRED_AT] = P_OCCURRED_AT};
	Datum value[R_COLUMNS];
	bool is_null[R_COLUMNS];
	o2o_points_request request;
	pg_uuid_t random;
	text *funding = PG_ARGISNULL(P_FUNDING) ? NULL : PG_GETARG_TEXT_PP(P_FUNDING);

	if (funding == NULL || VARSIZE_ANY_EXHDR(funding) != 7 ||
		memcmp(VARDATA_ANY(funding), "program", 7) != 0 || !PG_ARGISNULL(P_ACTIVATE_AT))
		PG_RETURN_DATUM(post_in_sql(fcinfo));
	for (int column = 0; column < R_COLUMNS; column++)
	{
		if (column == R_REQUEST_ID)
			continue;
		value[column] = PG_GETARG_DATUM(place[column]);
		is_null[column] = PG_ARGISNULL(place[column]);
	}
	random_request_id(&random);
	value[R_REQUEST_ID] = UUIDPGetDatum(&random);
	is_null[R_REQUEST_ID] = false;
	request_of(&request, value, is_null);
	o2o_points_execute(&request, 1);
	PG_RETURN_DATUM(request.outcome == REQUEST_DONE ? answer(fcinfo, &request)
													: post_in_sql(fcinfo));
}
