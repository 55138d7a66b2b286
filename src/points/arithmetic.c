/*
 * arithmetic.c
 *		Operators and functions of points: sum, difference, product, quotient,
 *		rounding, allocation. Every result is exact or rounded once, by
 *		o2o_points_round_units(); overflow is an error, never a wrap.
 *		Casts are in type.c, aggregates in aggregate.c.
 */
#include "points/points.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* A split among more than this is a mistake; it bounds time and memory. */
#define MAX_WEIGHTS 1000000

PG_FUNCTION_INFO_V1(o2o_points_add);
PG_FUNCTION_INFO_V1(o2o_points_subtract);
PG_FUNCTION_INFO_V1(o2o_points_negate);
PG_FUNCTION_INFO_V1(o2o_points_abs);
PG_FUNCTION_INFO_V1(o2o_points_multiply_smallint);
PG_FUNCTION_INFO_V1(o2o_points_multiply_integer);
PG_FUNCTION_INFO_V1(o2o_points_multiply_bigint);
PG_FUNCTION_INFO_V1(o2o_points_multiply_commuted_smallint);
PG_FUNCTION_INFO_V1(o2o_points_multiply_commuted_integer);
PG_FUNCTION_INFO_V1(o2o_points_multiply_commuted_bigint);
PG_FUNCTION_INFO_V1(o2o_points_multiply_numeric);
PG_FUNCTION_INFO_V1(o2o_points_divide);
PG_FUNCTION_INFO_V1(o2o_points_ratio);
PG_FUNCTION_INFO_V1(o2o_points_round);
PG_FUNCTION_INFO_V1(o2o_points_allocate);

/* points + points */
Datum
o2o_points_add(PG_FUNCTION_ARGS)
{
	int64 result;

	if (__builtin_add_overflow(PG_GETARG_POINTS(0), PG_GETARG_POINTS(1), &result))
		o2o_points_error_range();
	PG_RETURN_POINTS(result);
}

/* points - points */
Datum
o2o_points_subtract(PG_FUNCTION_ARGS)
{
	int64 result;

	if (__builtin_sub_overflow(PG_GETARG_POINTS(0), PG_GETARG_POINTS(1), &result))
		o2o_points_error_range();
	PG_RETURN_POINTS(result);
}

/* - points */
Datum
o2o_points_negate(PG_FUNCTION_ARGS)
{
	int64 result;

	if (__builtin_sub_overflow((int64) 0, PG_GETARG_POINTS(0), &result))
		o2o_points_error_range();
	PG_RETURN_POINTS(result);
}

/* abs(points) */
Datum
o2o_points_abs(PG_FUNCTION_ARGS)
{
	int64 units = PG_GETARG_POINTS(0);

	if (units == PG_INT64_MIN)
		o2o_points_error_range();
	PG_RETURN_POINTS(units < 0 ? -units : units);
}

/* Units times a whole number. */
static Datum
multiply_whole(int64 units, int64 factor)
{
	int64 result;

	if (__builtin_mul_overflow(units, factor, &result))
		o2o_points_error_range();
	PG_RETURN_POINTS(result);
}

/* points * smallint */
Datum
o2o_points_multiply_smallint(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(0), PG_GETARG_INT16(1));
}

/* points * integer */
Datum
o2o_points_multiply_integer(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(0), PG_GETARG_INT32(1));
}

/* points * bigint */
Datum
o2o_points_multiply_bigint(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(0), PG_GETARG_INT64(1));
}

/* smallint * points */
Datum
o2o_points_multiply_commuted_smallint(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(1), PG_GETARG_INT16(0));
}

/* integer * points */
Datum
o2o_points_multiply_commuted_integer(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(1), PG_GETARG_INT32(0));
}

/* bigint * points */
Datum
o2o_points_multiply_commuted_bigint(PG_FUNCTION_ARGS)
{
	return multiply_whole(PG_GETARG_POINTS(1), PG_GETARG_INT64(0));
}

/* The rounding mode of a text argument. */
static o2o_points_rounding
mode_argument(text *argument)
{
	char *name = text_to_cstring(argument);
	o2o_points_rounding mode;

	if (!o2o_points_rounding_parse(name, &mode))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unrecognized rounding mode \"%s\"", name),
						errhint("Use half_even, half_up, floor or ceil.")));
	return mode;
}

/* The last step of everything that rounds. */
static Datum
rounded(int64 units, o2o_points_fraction rest, int scale, o2o_points_rounding mode)
{
	int64 result;

	if (!o2o_points_round_units(units, rest, scale, mode, &result))
		o2o_points_error_range();
	PG_RETURN_POINTS(result);
}

/* A factor or divisor has to be a finite number. */
static Datum
finite_number(Numeric number, const char *name)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s of points must be a finite number", name)));
	return NumericGetDatum(number);
}

/*
 * points_multiply(points, numeric, scale, mode). The product of whole units
 * and the factor is exact in numeric: it has just the digits after the point
 * that the factor has.
 */
Datum
o2o_points_multiply_numeric(PG_FUNCTION_ARGS)
{
	Datum units = NumericGetDatum(int64_to_numeric(PG_GETARG_POINTS(0)));
	Datum factor = finite_number(PG_GETARG_NUMERIC(1), "factor");
	int scale = o2o_points_check_scale(PG_GETARG_INT32(2));
	o2o_points_rounding mode = mode_argument(PG_GETARG_TEXT_PP(3));
	o2o_points_fraction rest;
	int64 product;

	product = o2o_points_from_numeric_units(DirectFunctionCall2(numeric_mul, units, factor), &rest);
	return rounded(product, rest, scale, mode);
}

/* points_divide(points, numeric, scale, mode): whole quotient and its rest are exact. */
Datum
o2o_points_divide(PG_FUNCTION_ARGS)
{
	Datum dividend = NumericGetDatum(int64_to_numeric(PG_GETARG_POINTS(0)));
	Datum divisor = finite_number(PG_GETARG_NUMERIC(1), "divisor");
	int scale = o2o_points_check_scale(PG_GETARG_INT32(2));
	o2o_points_rounding mode = mode_argument(PG_GETARG_TEXT_PP(3));
	Datum zero = NumericGetDatum(int64_to_numeric(0));
	o2o_points_fraction rest;
	o2o_points_fraction none;
	Datum quotient;
	Datum remainder;

	if (DatumGetBool(DirectFunctionCall2(numeric_lt, divisor, zero)))
	{
		dividend = DirectFunctionCall1(numeric_uminus, dividend);
		divisor = DirectFunctionCall1(numeric_uminus, divisor);
	}
	/* a divisor of zero is an error in here */
	quotient = DirectFunctionCall2(numeric_div_trunc, dividend, divisor);
	remainder = DirectFunctionCall2(numeric_mod, dividend, divisor);
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, remainder, zero)))
	{
		quotient = DirectFunctionCall2(numeric_sub, quotient, NumericGetDatum(int64_to_numeric(1)));
		remainder = DirectFunctionCall2(numeric_add, remainder, divisor);
	}
	rest = o2o_points_fraction_of(remainder, divisor);
	return rounded(o2o_points_from_numeric_units(quotient, &none), rest, scale, mode);
}

/* points / points */
Datum
o2o_points_ratio(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall2(numeric_div, NumericGetDatum(int64_to_numeric(PG_GETARG_POINTS(0))),
							   NumericGetDatum(int64_to_numeric(PG_GETARG_POINTS(1))));
}

/* points_round(points, scale, mode) */
Datum
o2o_points_round(PG_FUNCTION_ARGS)
{
	int scale = o2o_points_check_scale(PG_GETARG_INT32(1));

	return rounded(PG_GETARG_POINTS(0), O2O_FRACTION_NONE, scale,
				   mode_argument(PG_GETARG_TEXT_PP(2)));
}

/* Weights that 128 bits do not hold. */
static void
error_precise_weights(void)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("weights have too many digits"),
		 errdetail("Brought to one scale they must add up to less than 2^126, about 37 digits."),
		 errhint("Round the weights.")));
}

/* One weight of points_allocate(), read from its decimal text. */
static void
read_weight(Numeric weight, o2o_points_share *share)
{
	Datum zero = NumericGetDatum(int64_to_numeric(0));
	char *text;

	if (numeric_is_nan(weight) || numeric_is_inf(weight) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(weight), zero)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("weights must be finite numbers that are not negative")));
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(weight)));
	if (!o2o_points_weight_parse(text, share))
		error_precise_weights();
	pfree(text);
	pfree(DatumGetPointer(zero));
}

/* The weights of points_allocate(): one dimension, no NULL. */
static o2o_points_share *
read_weights(ArrayType *array, int *count)
{
	o2o_points_share *shares;
	Datum *weights;
	bool *nulls;

	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must be a one-dimensional array with at least one element")));
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > MAX_WEIGHTS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many weights"),
						errdetail("At most %d weights are taken in one call.", MAX_WEIGHTS)));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &weights, &nulls, count);
	shares = palloc0(sizeof(o2o_points_share) * *count);
	for (int i = 0; i < *count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("weights must not be null")));
		read_weight(DatumGetNumeric(weights[i]), &shares[i]);
	}
	return shares;
}

/* points_allocate(points, weights, scale) */
Datum
o2o_points_allocate(PG_FUNCTION_ARGS)
{
	int64 units = PG_GETARG_POINTS(0);
	int scale = o2o_points_check_scale(PG_GETARG_INT32(2));
	Oid element_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	o2o_points_share *shares;
	int64 *parts;
	Datum *elements;
	int count;

	o2o_points_constrained(units, scale, NULL);
	shares = read_weights(PG_GETARG_ARRAYTYPE_P(1), &count);
	parts = palloc(sizeof(int64) * count);
	switch (o2o_points_allocate_units(units, o2o_points_step(scale), shares, count, parts))
	{
		case O2O_ALLOCATED:
			break;
		case O2O_ALLOCATION_WITHOUT_WEIGHT:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("weights must not all be zero")));
			break;
		case O2O_ALLOCATION_TOO_PRECISE:
			error_precise_weights();
			break;
	}
	elements = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		elements[i] = PointsGetDatum(parts[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, element_type, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
