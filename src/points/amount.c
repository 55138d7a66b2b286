/*
 * amount.c
 *		Points as plain integers: text, rounding, 128-bit sums. Nothing of
 *		PostgreSQL, no memory and no message is used here. Allocation is in
 *		allocate.c; what SQL sees in type.c, arithmetic.c and aggregate.c.
 */
#include "points/amount.h"

#include <string.h>

typedef __int128 signed128 __attribute__((aligned(8)));

/* The white space that the server's own number types skip. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Append a digit to a magnitude; false when it does not fit 64 bits. */
static bool
push_digit(uint64_t *magnitude, char digit)
{
	return !__builtin_mul_overflow(*magnitude, (uint64_t) 10, magnitude) &&
		   !__builtin_add_overflow(*magnitude, (uint64_t) (digit - '0'), magnitude);
}

/* Give a magnitude its sign; false when it is out of range. */
static bool
apply_sign(uint64_t magnitude, bool negative, int64_t *units)
{
	if (magnitude > (uint64_t) INT64_MAX + (negative ? 1 : 0))
		return false;
	*units = (int64_t) (negative ? 0 - magnitude : magnitude);
	return true;
}

/*
 * Read an amount: white space, sign, digits, point with 1 to 4 digits, white
 * space. Text that is no number is told before one that is out of range.
 */
o2o_points_parse_result
o2o_points_parse(const char *text, int64_t *units)
{
	const char *p = text;
	bool negative;
	bool fits = true;
	uint64_t magnitude = 0;
	int fraction = 0;

	while (is_space(*p))
		p++;
	negative = (*p == '-');
	if (*p == '-' || *p == '+')
		p++;
	if (!is_digit(*p))
		return O2O_POINTS_NOT_A_NUMBER;
	for (; is_digit(*p); p++)
		fits = fits && push_digit(&magnitude, *p);
	if (*p == '.')
	{
		if (!is_digit(*++p))
			return O2O_POINTS_NOT_A_NUMBER;
		for (; is_digit(*p); p++)
		{
			if (fraction < O2O_POINTS_SCALE)
				fits = fits && push_digit(&magnitude, *p);
			if (fraction <= O2O_POINTS_SCALE)
				fraction++;
		}
	}
	while (is_space(*p))
		p++;
	if (*p != '\0')
		return O2O_POINTS_NOT_A_NUMBER;
	if (fraction > O2O_POINTS_SCALE)
		return O2O_POINTS_TOO_MANY_DIGITS;
	for (; fraction < O2O_POINTS_SCALE; fraction++)
		fits = fits && push_digit(&magnitude, '0');
	if (!fits || !apply_sign(magnitude, negative, units))
		return O2O_POINTS_OUT_OF_RANGE;
	return O2O_POINTS_PARSED;
}

/* Write a magnitude in decimal and return the end of the text. */
static char *
put_magnitude(o2o_uint128 magnitude, char *text)
{
	char digits[40];
	int count = 0;
	uint64_t rest;

	for (; magnitude > UINT64_MAX; magnitude /= 10)
		digits[count++] = (char) ('0' + (int) (magnitude % 10));
	rest = (uint64_t) magnitude;
	do
	{
		digits[count++] = (char) ('0' + (int) (rest % 10));
		rest /= 10;
	} while (rest != 0);
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
	return text;
}

/* Write a number of units as points, without zeros that say nothing. */
static void
put_points(o2o_uint128 magnitude, bool negative, char *text)
{
	int fraction = (int) (magnitude % O2O_POINTS_UNIT);

	if (negative)
		*text++ = '-';
	text = put_magnitude(magnitude / O2O_POINTS_UNIT, text);
	if (fraction == 0)
		return;
	*text++ = '.';
	for (int unit = O2O_POINTS_UNIT / 10; fraction != 0; unit /= 10)
	{
		*text++ = (char) ('0' + fraction / unit);
		fraction %= unit;
	}
	*text = '\0';
}

/*
 * Write an amount: 120, 0.5, 12.3456. Equal amounts have equal texts, whatever
 * column or program they come from.
 */
void
o2o_points_format(int64_t units, char *text)
{
	put_points(units < 0 ? 0 - (uint64_t) units : (uint64_t) units, units < 0, text);
}

/* Units in the last of so many digits after the point: 10000 for 0, 1 for 4. */
int64_t
o2o_points_step(int scale)
{
	int64_t step = 1;

	for (; scale < O2O_POINTS_SCALE; scale++)
		step *= 10;
	return step;
}

/* Look up a rounding mode by its name. */
bool
o2o_points_rounding_parse(const char *name, o2o_points_rounding *mode)
{
	static const char *const names[] = {
		[O2O_ROUND_HALF_EVEN] = "half_even",
		[O2O_ROUND_HALF_UP] = "half_up",
		[O2O_ROUND_FLOOR] = "floor",
		[O2O_ROUND_CEIL] = "ceil",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			*mode = (o2o_points_rounding) i;
			return true;
		}
	}
	return false;
}

/* Where units + rest lies within a step that begins at units - above. */
static o2o_points_fraction
fraction_of_step(int64_t above, o2o_points_fraction rest, int64_t step)
{
	if (step == 1)
		return rest;
	if (above * 2 < step)
		return above == 0 && rest == O2O_FRACTION_NONE ? O2O_FRACTION_NONE
													   : O2O_FRACTION_BELOW_HALF;
	if (above * 2 == step && rest == O2O_FRACTION_NONE)
		return O2O_FRACTION_HALF;
	return O2O_FRACTION_ABOVE_HALF;
}

/*
 * Round units + rest (rest is never negative, also where units are) to scale
 * digits after the point. One rounding for all that rounds: what was cut off
 * before comes in as rest, so nothing is rounded twice. False when the result
 * is out of range.
 */
bool
o2o_points_round_units(int64_t units, o2o_points_fraction rest, int scale, o2o_points_rounding mode,
					   int64_t *rounded)
{
	int64_t step = o2o_points_step(scale);
	int64_t above = units % step;
	int64_t quotient = units / step;
	o2o_points_fraction part;
	bool up = false;

	if (above < 0)
	{
		above += step;
		quotient--;
	}
	part = fraction_of_step(above, rest, step);
	switch (mode)
	{
		case O2O_ROUND_HALF_EVEN:
			up =
				part == O2O_FRACTION_ABOVE_HALF || (part == O2O_FRACTION_HALF && quotient % 2 != 0);
			break;
		case O2O_ROUND_HALF_UP:
			up = part == O2O_FRACTION_ABOVE_HALF || (part == O2O_FRACTION_HALF && quotient >= 0);
			break;
		case O2O_ROUND_FLOOR:
			break;
		case O2O_ROUND_CEIL:
			up = part != O2O_FRACTION_NONE;
			break;
	}
	return !__builtin_add_overflow(quotient, (int64_t) up, &quotient) &&
		   !__builtin_mul_overflow(quotient, step, rounded);
}

/* The total as one number. */
static signed128
total_of(const o2o_points_sum *sum)
{
	return (signed128) (((o2o_uint128) (uint64_t) sum->high << 64) | sum->low);
}

/* A state is one that some amounts could have made. */
bool
o2o_points_sum_valid(const o2o_points_sum *sum)
{
	signed128 bound;
	signed128 total = total_of(sum);

	if (sum->count < 0)
		return false;
	bound = (signed128) sum->count << 63;
	return total >= -bound && total <= bound;
}

/* Add one state to another; false when the counts do not fit. */
bool
o2o_points_sum_merge(o2o_points_sum *into, const o2o_points_sum *from)
{
	if (__builtin_add_overflow(into->count, from->count, &into->count))
		return false;
	into->low += from->low;
	into->high += from->high + (into->low < from->low);
	return true;
}

/* The total as an amount; false when no amount is that large. */
bool
o2o_points_sum_fits(const o2o_points_sum *sum, int64_t *units)
{
	*units = (int64_t) sum->low;
	return sum->high == (*units >> 63);
}

/* Magnitude of a total; it is below 2^126, so the sign can be turned. */
static o2o_uint128
magnitude_of(signed128 total)
{
	return total < 0 ? 0 - (o2o_uint128) total : (o2o_uint128) total;
}

/* Write the total as points. */
void
o2o_points_sum_total(const o2o_points_sum *sum, char *text)
{
	signed128 total = total_of(sum);

	put_points(magnitude_of(total), total < 0, text);
}

/* Write a state as count:total, the total in units. */
void
o2o_points_sum_format(const o2o_points_sum *sum, char *text)
{
	signed128 total = total_of(sum);

	text = put_magnitude((o2o_uint128) sum->count, text);
	*text++ = ':';
	if (total < 0)
		*text++ = '-';
	put_magnitude(magnitude_of(total), text);
}

/* Read a state as o2o_points_sum_format() writes it. */
bool
o2o_points_sum_parse(const char *text, o2o_points_sum *sum)
{
	o2o_uint128 magnitude = 0;
	uint64_t count = 0;
	bool negative;

	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++)
	{
		if (!push_digit(&count, *text))
			return false;
	}
	if (*text++ != ':')
		return false;
	negative = (*text == '-');
	if (negative)
		text++;
	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++)
	{
		/* ten times this still fits, and no state has more */
		if (magnitude >> 123 != 0)
			return false;
		magnitude = magnitude * 10 + (unsigned int) (*text - '0');
	}
	if (*text != '\0' || !apply_sign(count, false, &sum->count))
		return false;
	if (negative)
		magnitude = 0 - magnitude;
	sum->high = (int64_t) (uint64_t) (magnitude >> 64);
	sum->low = (uint64_t) magnitude;
	return o2o_points_sum_valid(sum);
}
