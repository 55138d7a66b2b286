/*
 * random.h
 *		The numbers that the checks feed to what they check: the same for the same
 *		seed, on every machine.  Each program sets the state and says which it was.
 */
#ifndef STANDALONE_RANDOM_H
#define STANDALONE_RANDOM_H

#include <stdint.h>

static uint64_t state;

/* splitmix64 */
static inline uint64_t
next(void)
{
	uint64_t	z = (state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static inline double
uniform(double low, double high)
{
	return low + (high - low) * (next() >> 11) * 0x1p-53;
}

#endif							/* STANDALONE_RANDOM_H */
