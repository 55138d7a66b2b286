/*
 * type.c
 *		The SQL type points: text and binary form, points(n), casts.
 *		Arithmetic is in arithmetic.c, sum() in aggregate.c; comparison,
 *		hashing and index support are the server's own functions of bigint.
 */
#include "points/points.h"

#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_points_in);
PG_FUNCTION_INFO_V1(o2o_points_out);
PG_FUNCTION_INFO_V1(o2o_points_recv);
PG_FUNCTION_INFO_V1(o2o_points_send);
PG_FUNCTION_INFO_V1(o2o_points_typmod_in);
PG_FUNCTION_INFO_V1(o2o_points_typmod_out);
PG_FUNCTION_INFO_V1(o2o_points_constrain);
PG_FUNCTION_INFO_V1(o2o_points_from_smallint);
PG_FUNCTION_INFO_V1(o2o_points_from_integer);
PG_FUNCTION_INFO_V1(o2o_points_from_bigint);
PG_FUNCTION_INFO_V1(o2o_points_from_numeric);
PG_FUNCTION_INFO_V1(o2o_points_to_bigint);
PG_FUNCTION_INFO_V1(o2o_points_to_numeric);

/* An amount that 64 bits of units do not hold. */
void
o2o_points_error_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("points out of range"),
			 errdetail("Points lie between -922337203685477.5808 and 922337203685477.5807.")));
}

/* Digits after the point that a function or points(n) asks for. */
int
o2o_points_check_scale(int scale)
{
	if (scale < 0 || scale > O2O_POINTS_SCALE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("scale of points must be between 0 and %d", O2O_POINTS_SCALE),
						errdetail("The scale is %d.", scale)));
	return scale;
}

/* The amount, if points(typmod) takes it: it constrains and never rounds. */
Datum
o2o_points_constrained(int64 units, int32 typmod, Node *escontext)
{
	if (typmod >= 0 && units % o2o_points_step(typmod) != 0)
	{
		char text[O2O_POINTS_TEXT_SIZE];

		o2o_points_format(units, text);
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("points value %s has too many digits for points(%d)", text, typmod),
				 errhint("Round it with o2o.points_round().")));
	}
	PG_RETURN_POINTS(units);
}

/* Text to points. */
Datum
o2o_points_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	Node *escontext = (Node *) fcinfo->context;
	int64 units = 0;

	switch (o2o_points_parse(text, &units))
	{
		case O2O_POINTS_PARSED:
			break;
		case O2O_POINTS_NOT_A_NUMBER:
			ereturn(escontext, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type points: \"%s\"", text)));
		case O2O_POINTS_TOO_MANY_DIGITS:
			ereturn(escontext, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type points: \"%s\"", text),
					 errdetail("Points have at most %d digits after the decimal point.",
							   O2O_POINTS_SCALE),
					 errhint("Round the value first: input never rounds.")));
		case O2O_POINTS_OUT_OF_RANGE:
			ereturn(escontext, (Datum) 0,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value \"%s\" is out of range for type points", text)));
	}
	return o2o_points_constrained(units, typmod, escontext);
}

/* Points as text, for messages too. */
char *
o2o_points_text(int64 units)
{
	char *text = palloc(O2O_POINTS_TEXT_SIZE);

	o2o_points_format(units, text);
	return text;
}

/* Points to text. */
Datum
o2o_points_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(o2o_points_text(PG_GETARG_POINTS(0)));
}
/* Binary form to points: the units, 8 bytes, each of which is an amount. */
Datum
o2o_points_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);

	return o2o_points_constrained(pq_getmsgint64(message), PG_GETARG_INT32(2), NULL);
}

/* Points to their binary form. */
Datum
o2o_points_send(PG_FUNCTION_ARGS)
{
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint64(&message, PG_GETARG_POINTS(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* The n of points(n). */
Datum
o2o_points_typmod_in(PG_FUNCTION_ARGS)
{
	int count;
	int32 *values = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);

	if (count != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("type points takes one modifier, its scale")));
	PG_RETURN_INT32(o2o_points_check_scale(values[0]));
}

/* The (n) of points(n). */
Datum
o2o_points_typmod_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("(%d)", PG_GETARG_INT32(0)));
}

/* points to points(n). */
Datum
o2o_points_constrain(PG_FUNCTION_ARGS)
{
	return o2o_points_constrained(PG_GETARG_POINTS(0), PG_GETARG_INT32(1), NULL);
}

/* Whole points from an integer; only a bigint can be too large. */
static Datum
from_whole(int64 whole)
{
	int64 units;

	if (__builtin_mul_overflow(whole, (int64) O2O_POINTS_UNIT, &units))
		o2o_points_error_range();
	PG_RETURN_POINTS(units);
}

/* smallint to points. */
Datum
o2o_points_from_smallint(PG_FUNCTION_ARGS)
{
	return from_whole(PG_GETARG_INT16(0));
}

/* integer to points. */
Datum
o2o_points_from_integer(PG_FUNCTION_ARGS)
{
	return from_whole(PG_GETARG_INT32(0));
}

/* bigint to points. */
Datum
o2o_points_from_bigint(PG_FUNCTION_ARGS)
{
	return from_whole(PG_GETARG_INT64(0));
}

/* How the rest of a division or of rounding down, 0 <= rest < whole, compares with half of whole. */
o2o_points_fraction
o2o_points_fraction_of(Datum rest, Datum whole)
{
	Datum twice = DirectFunctionCall2(numeric_add, rest, rest);
	int order = DatumGetInt32(DirectFunctionCall2(numeric_cmp, twice, whole));

	if (order > 0)
		return O2O_FRACTION_ABOVE_HALF;
	if (order == 0)
		return O2O_FRACTION_HALF;
	order =
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, rest, NumericGetDatum(int64_to_numeric(0))));
	return order > 0 ? O2O_FRACTION_BELOW_HALF : O2O_FRACTION_NONE;
}

/* Units of a finite numeric that counts units: rounded down, and what is left. */
int64
o2o_points_from_numeric_units(Datum value, o2o_points_fraction *rest)
{
	Datum whole = DirectFunctionCall1(numeric_floor, value);
	Datum lowest = NumericGetDatum(int64_to_numeric(PG_INT64_MIN));
	Datum highest = NumericGetDatum(int64_to_numeric(PG_INT64_MAX));

	if (DatumGetBool(DirectFunctionCall2(numeric_lt, whole, lowest)) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, whole, highest)))
		o2o_points_error_range();
	*rest = o2o_points_fraction_of(DirectFunctionCall2(numeric_sub, value, whole),
								   NumericGetDatum(int64_to_numeric(1)));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

/* numeric to points, when no digit gets lost. */
Datum
o2o_points_from_numeric(PG_FUNCTION_ARGS)
{
	Numeric value = PG_GETARG_NUMERIC(0);
	o2o_points_fraction rest;
	int64 units;
	Datum shifted;

	if (numeric_is_nan(value) || numeric_is_inf(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("points must be a finite number")));
	shifted = DirectFunctionCall2(numeric_mul, NumericGetDatum(value),
								  NumericGetDatum(int64_to_numeric(O2O_POINTS_UNIT)));
	units = o2o_points_from_numeric_units(shifted, &rest);
	if (rest != O2O_FRACTION_NONE)
		ereport(
			ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("numeric value is no exact points value"),
			 errdetail("Points have at most %d digits after the decimal point.", O2O_POINTS_SCALE),
			 errhint("Round it first, for instance with round(value, %d).", O2O_POINTS_SCALE)));
	PG_RETURN_POINTS(units);
}

/* points to bigint, when they are whole. */
Datum
o2o_points_to_bigint(PG_FUNCTION_ARGS)
{
	int64 units = PG_GETARG_POINTS(0);

	if (units % O2O_POINTS_UNIT != 0)
	{
		char text[O2O_POINTS_TEXT_SIZE];

		o2o_points_format(units, text);
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("points value %s is not whole", text),
						errhint("Round it with o2o.points_round().")));
	}
	PG_RETURN_INT64(units / O2O_POINTS_UNIT);
}

/* points to numeric, always with four digits after the point. */
Datum
o2o_points_to_numeric(PG_FUNCTION_ARGS)
{
	PG_RETURN_NUMERIC(int64_div_fast_to_numeric(PG_GETARG_POINTS(0), O2O_POINTS_SCALE));
}
