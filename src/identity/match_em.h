/*
 * match_em.h
 *		Estimating a model from counted patterns, without any Postgres header, so
 *		that it can be tested alone. What a pattern is worth lives in match_score.c.
 */
#ifndef O2O_MATCH_EM_H
#define O2O_MATCH_EM_H

#include <stdbool.h>
#include <stdint.h>

#define O2O_EM_COMPARISONS 16
#define O2O_EM_LEVELS 12
#define O2O_EM_NULL 15 /* in a pattern: the comparison says nothing */

/* A pattern has four bits for the level of each comparison, the first one lowest. */
typedef struct O2OEmPattern
{
	uint64_t pattern;
	double count;
} O2OEmPattern;

typedef struct O2OEmModel
{
	int comparison_count;
	int level_counts[O2O_EM_COMPARISONS];
	bool used[O2O_EM_COMPARISONS]; /* whether it takes part, and its m is estimated */
	double m[O2O_EM_COMPARISONS][O2O_EM_LEVELS];
	double u[O2O_EM_COMPARISONS][O2O_EM_LEVELS];
	double pairs;   /* the patterns' and others, which do not match; 0: no others */
	double prior;   /* share of matches among the pairs */
	double matches; /* expected number of matches */
} O2OEmModel;

extern int
o2o_em_fit(O2OEmModel *model, const O2OEmPattern *patterns, int count, bool fit_m, int iterations);
extern void o2o_em_monotone(double *m, double *u, int levels);

#endif /* O2O_MATCH_EM_H */
