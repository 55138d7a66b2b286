/*
 * aggregate.c
 *		What sum() and points_avg() are made of: the functions over
 *		points_sum_state. Its arithmetic is in amount.c; min() and max() are
 *		the server's own functions of bigint.
 *
 * The state is a type with text and binary form instead of internal, because
 * a cluster ships partial results between nodes only then. Its total has 128
 * bits, so that an intermediate sum never overflows and the answer does not
 * depend on the order of the rows; only the final value is judged.
 */
#include "points/points.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_points_sum_state_in);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_out);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_recv);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_send);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_add);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_remove);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_merge);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_total);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_numeric);
PG_FUNCTION_INFO_V1(o2o_points_sum_state_average);

#define GETARG_STATE(n) ((o2o_points_sum *) PG_GETARG_POINTER(n))

/* INTERNALLENGTH of the SQL type. */
StaticAssertDecl(sizeof(o2o_points_sum) == 24, "points_sum_state has 24 bytes");

/* Text count:total (in units of 1/10000 point) to a state. */
Datum
o2o_points_sum_state_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	o2o_points_sum *state = palloc(sizeof(o2o_points_sum));

	if (!o2o_points_sum_parse(text, state))
		ereturn((Node *) fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type points_sum_state: \"%s\"", text)));
	PG_RETURN_POINTER(state);
}

/* A state to its text. */
Datum
o2o_points_sum_state_out(PG_FUNCTION_ARGS)
{
	char *text = palloc(O2O_POINTS_SUM_TEXT_SIZE);

	o2o_points_sum_format(GETARG_STATE(0), text);
	PG_RETURN_CSTRING(text);
}

/* Binary form to a state: count, high and low half of the total, 8 bytes each. */
Datum
o2o_points_sum_state_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	o2o_points_sum *state = palloc(sizeof(o2o_points_sum));

	state->count = pq_getmsgint64(message);
	state->high = pq_getmsgint64(message);
	state->low = (uint64) pq_getmsgint64(message);
	if (!o2o_points_sum_valid(state))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid binary form of points_sum_state")));
	PG_RETURN_POINTER(state);
}

/* A state to its binary form. */
Datum
o2o_points_sum_state_send(PG_FUNCTION_ARGS)
{
	const o2o_points_sum *state = GETARG_STATE(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint64(&message, (uint64) state->count);
	pq_sendint64(&message, (uint64) state->high);
	pq_sendint64(&message, state->low);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* The state to change: in place in an aggregate, which owns it, else a copy. */
static inline o2o_points_sum *
own_state(FunctionCallInfo fcinfo)
{
	o2o_points_sum *copy;

	if (likely(AggCheckCallContext(fcinfo, NULL)))
		return GETARG_STATE(0);
	copy = palloc(sizeof(o2o_points_sum));
	*copy = *GETARG_STATE(0);
	return copy;
}

/* No aggregate gets here: a state made by hand, or more rows than a bigint counts. */
static void
error_count(void)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("count of points_sum_state out of range")));
}

/* One more amount. */
Datum
o2o_points_sum_state_add(PG_FUNCTION_ARGS)
{
	o2o_points_sum *state = own_state(fcinfo);

	if (unlikely(!o2o_points_sum_add(state, PG_GETARG_POINTS(1))))
		error_count();
	PG_RETURN_POINTER(state);
}

/* One amount less: the inverse for moving window frames. */
Datum
o2o_points_sum_state_remove(PG_FUNCTION_ARGS)
{
	o2o_points_sum *state = own_state(fcinfo);

	if (unlikely(!o2o_points_sum_remove(state, PG_GETARG_POINTS(1))))
		error_count();
	PG_RETURN_POINTER(state);
}

/* The states of two parts of the rows into one. */
Datum
o2o_points_sum_state_merge(PG_FUNCTION_ARGS)
{
	o2o_points_sum *state = own_state(fcinfo);

	if (!o2o_points_sum_merge(state, GETARG_STATE(1)))
		error_count();
	PG_RETURN_POINTER(state);
}

/* The sum; NULL over no amounts. The only place where it can be out of range. */
Datum
o2o_points_sum_state_total(PG_FUNCTION_ARGS)
{
	const o2o_points_sum *state = GETARG_STATE(0);
	int64 units;

	if (state->count == 0)
		PG_RETURN_NULL();
	if (!o2o_points_sum_fits(state, &units))
		o2o_points_error_range();
	PG_RETURN_POINTS(units);
}

static Datum
numeric_total(const o2o_points_sum *state)
{
	char text[O2O_POINTS_SUM_TEXT_SIZE];

	o2o_points_sum_total(state, text);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

/* The sum as numeric, which has no range to leave; NULL over no amounts. */
Datum
o2o_points_sum_state_numeric(PG_FUNCTION_ARGS)
{
	const o2o_points_sum *state = GETARG_STATE(0);

	if (state->count == 0)
		PG_RETURN_NULL();
	return numeric_total(state);
}

/* The average; NULL over no amounts. It is exact as far as numeric is. */
Datum
o2o_points_sum_state_average(PG_FUNCTION_ARGS)
{
	const o2o_points_sum *state = GETARG_STATE(0);

	if (state->count == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_div, numeric_total(state),
							   NumericGetDatum(int64_to_numeric(state->count)));
}
