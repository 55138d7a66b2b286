/*
 * amount.h
 *		Points as plain integers: text, rounding, allocation, 128-bit sums.
 *		No PostgreSQL header here or in amount.c, so that both are tested and
 *		fuzzed alone. Failure is a return value; messages live with the callers.
 */
#ifndef O2O_POINTS_AMOUNT_H
#define O2O_POINTS_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One point is 10^4 units; every amount is a whole number of units. */
#define O2O_POINTS_SCALE 4
#define O2O_POINTS_UNIT 10000

/* Longest text of an amount, "-922337203685477.5808", with its end. */
#define O2O_POINTS_TEXT_SIZE 24

/* Longest text of a sum state: a 19-digit count and a 38-digit signed total. */
#define O2O_POINTS_SUM_TEXT_SIZE 64

/* palloc aligns to 8 bytes, a bare 128-bit integer would promise 16. */
typedef unsigned __int128 o2o_uint128 __attribute__((aligned(8)));

typedef enum o2o_points_parse_result
{
	O2O_POINTS_PARSED,
	O2O_POINTS_NOT_A_NUMBER,
	O2O_POINTS_TOO_MANY_DIGITS,
	O2O_POINTS_OUT_OF_RANGE
} o2o_points_parse_result;

typedef enum o2o_points_rounding
{
	O2O_ROUND_HALF_EVEN,
	O2O_ROUND_HALF_UP, /* ties away from zero */
	O2O_ROUND_FLOOR,
	O2O_ROUND_CEIL
} o2o_points_rounding;

/* What an exact result has beyond its whole units, as part of one unit. */
typedef enum o2o_points_fraction
{
	O2O_FRACTION_NONE,
	O2O_FRACTION_BELOW_HALF,
	O2O_FRACTION_HALF,
	O2O_FRACTION_ABOVE_HALF
} o2o_points_fraction;

/* One weight of an allocation; the last three are the allocation's own. */
typedef struct o2o_points_share
{
	o2o_uint128 weight;
	int scale; /* decimal digits of weight after the point */
	size_t position;
	uint64_t steps;
	o2o_uint128 remainder;
} o2o_points_share;

typedef enum o2o_points_allocation
{
	O2O_ALLOCATED,
	O2O_ALLOCATION_WITHOUT_WEIGHT,
	O2O_ALLOCATION_TOO_PRECISE
} o2o_points_allocation;

/*
 * State of sum() and points_avg(): how many amounts, and their total in units
 * as a 128-bit number in two halves (8 byte alignment). Always
 * |total| <= count * 2^63, so that the total never overflows.
 */
typedef struct o2o_points_sum
{
	int64_t count;
	int64_t high;
	uint64_t low;
} o2o_points_sum;

extern o2o_points_parse_result o2o_points_parse(const char *text, int64_t *units);
extern void o2o_points_format(int64_t units, char *text);
extern int64_t o2o_points_step(int scale);
extern bool o2o_points_rounding_parse(const char *name, o2o_points_rounding *mode);
extern bool o2o_points_round_units(int64_t units, o2o_points_fraction rest, int scale,
								   o2o_points_rounding mode, int64_t *rounded);
extern bool o2o_points_weight_parse(const char *text, o2o_points_share *share);
extern o2o_points_allocation
o2o_points_allocate_units(int64_t units, int64_t step, o2o_points_share *shares, size_t count,
						  int64_t *parts);
extern bool o2o_points_sum_valid(const o2o_points_sum *sum);
extern bool o2o_points_sum_merge(o2o_points_sum *into, const o2o_points_sum *from);
extern bool o2o_points_sum_fits(const o2o_points_sum *sum, int64_t *units);
extern void o2o_points_sum_total(const o2o_points_sum *sum, char *text);
extern void o2o_points_sum_format(const o2o_points_sum *sum, char *text);
extern bool o2o_points_sum_parse(const char *text, o2o_points_sum *sum);

/* Take one amount into the sum: the inner loop of every sum(). */
static inline bool
o2o_points_sum_add(o2o_points_sum *sum, int64_t units)
{
	if (sum->count == INT64_MAX)
		return false;
	sum->count++;
	sum->low += (uint64_t) units;
	sum->high += (units >> 63) + (sum->low < (uint64_t) units);
	return true;
}

/* Take one amount out of the sum again: a row that left the window frame. */
static inline bool
o2o_points_sum_remove(o2o_points_sum *sum, int64_t units)
{
	if (sum->count == 0)
		return false;
	sum->count--;
	sum->high -= (units >> 63) + (sum->low < (uint64_t) units);
	sum->low -= (uint64_t) units;
	return true;
}

#endif /* O2O_POINTS_AMOUNT_H */
