/*
 * allocate.c
 *		Splitting an amount by weights so that the parts add up to it exactly:
 *		the method of the largest remainder. Pure like amount.c; the SQL
 *		function, which reads the array, is in arithmetic.c.
 *
 * Each part first gets the whole steps of its exact share; the few steps that
 * are left go, one each, to the largest remainders, the earlier weight first
 * among equals. Weights come as decimals of any scale and are brought to one
 * scale as 128-bit integers, so that no share is ever computed with a rounded
 * number.
 */
#include "points/amount.h"

#include <stdlib.h>

/*
 * Weights add up to less than this: divide_share() holds up to three times
 * the total in 128 bits. It leaves 37 decimal digits.
 */
#define WEIGHT_LIMIT ((o2o_uint128) 1 << 126)

/* weight * 10 + digit; false when it reaches the limit. */
static bool
push_weight_digit(o2o_uint128 *weight, int digit)
{
	if (*weight >= WEIGHT_LIMIT / 10)
		return false;
	*weight = *weight * 10 + (unsigned int) digit;
	return true;
}

/*
 * Read a weight from the decimal text of a number that is not negative.
 * Trailing zeros after the point do not count. False: more digits than 37.
 */
bool
o2o_points_weight_parse(const char *text, o2o_points_share *share)
{
	int zeros = 0;

	share->weight = 0;
	share->scale = 0;
	for (; *text != '\0' && *text != '.'; text++)
	{
		if (!push_weight_digit(&share->weight, *text - '0'))
			return false;
	}
	if (*text == '\0')
		return true;
	for (text++; *text != '\0'; text++)
	{
		if (*text == '0')
		{
			zeros++;
			continue;
		}
		for (; zeros > 0; zeros--, share->scale++)
		{
			if (!push_weight_digit(&share->weight, 0))
				return false;
		}
		if (!push_weight_digit(&share->weight, *text - '0'))
			return false;
		share->scale++;
	}
	return true;
}

/* Bring all weights to one scale and add them up; false when it is too much. */
static bool
align_weights(o2o_points_share *shares, size_t count, o2o_uint128 *total)
{
	int scale = 0;

	for (size_t i = 0; i < count; i++)
	{
		if (shares[i].scale > scale)
			scale = shares[i].scale;
	}
	*total = 0;
	for (size_t i = 0; i < count; i++)
	{
		/* zero has a scale too, but no digits to shift */
		for (; shares[i].weight != 0 && shares[i].scale < scale; shares[i].scale++)
		{
			if (!push_weight_digit(&shares[i].weight, 0))
				return false;
		}
		*total += shares[i].weight;
		if (*total >= WEIGHT_LIMIT)
			return false;
	}
	return true;
}

/*
 * steps * weight / total, exactly, with its remainder, although the product
 * may have 190 bits: one bit of steps after the other, remainder carried along.
 */
static void
divide_share(uint64_t steps, o2o_uint128 total, o2o_points_share *share)
{
	o2o_uint128 remainder = 0;
	uint64_t quotient = 0;

	for (int bit = 63; bit >= 0; bit--)
	{
		remainder *= 2;
		quotient *= 2;
		if ((steps >> bit) & 1)
			remainder += share->weight;
		while (remainder >= total)
		{
			remainder -= total;
			quotient++;
		}
	}
	share->steps = quotient;
	share->remainder = remainder;
}

/* Order of the last steps: largest remainder first, then as the caller had it. */
static int
compare_remainders(const void *left, const void *right)
{
	const o2o_points_share *a = left;
	const o2o_points_share *b = right;

	if (a->remainder != b->remainder)
		return a->remainder > b->remainder ? -1 : 1;
	return a->position < b->position ? -1 : 1;
}

/*
 * Split units, a multiple of step, into count parts that are multiples of step
 * too and add up to units. A negative amount is split like the positive one.
 * The shares come with weight and scale set; their order is lost.
 */
o2o_points_allocation
o2o_points_allocate_units(int64_t units, int64_t step, o2o_points_share *shares, size_t count,
						  int64_t *parts)
{
	uint64_t magnitude = units < 0 ? 0 - (uint64_t) units : (uint64_t) units;
	uint64_t steps = magnitude / (uint64_t) step;
	uint64_t left = steps;
	o2o_uint128 total;

	if (!align_weights(shares, count, &total))
		return O2O_ALLOCATION_TOO_PRECISE;
	if (total == 0)
		return O2O_ALLOCATION_WITHOUT_WEIGHT;
	for (size_t i = 0; i < count; i++)
	{
		shares[i].position = i;
		divide_share(steps, total, &shares[i]);
		left -= shares[i].steps;
	}
	if (left > 0)
		qsort(shares, count, sizeof(o2o_points_share), compare_remainders);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t part = (shares[i].steps + (i < left ? 1 : 0)) * (uint64_t) step;

		parts[shares[i].position] = (int64_t) (units < 0 ? 0 - part : part);
	}
	return O2O_ALLOCATED;
}
