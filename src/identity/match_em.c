/*
 * match_em.c
 *		Expectation-maximisation of the Fellegi-Sunter model on counted patterns.
 *		Pure, as its header says. Which pairs are counted lives in match_train.c.
 *
 * u is given and stays: free, it would drift to whatever two classes the blocked
 * pairs have. Sums run over the patterns in the order given, so that equal inputs
 * give equal bits.
 */
#include "identity/match_em.h"

#include <math.h>

#define CONVERGED 1e-7
#define RATIO_FLOOR 1e-12
#define DISAGREE_MOST 0.5

/* Probability of a pattern among matches (use_m) or others. */
static double
pattern_probability(const O2OEmModel *model, uint64_t pattern, bool use_m)
{
	double p = 1;

	for (int c = 0; c < model->comparison_count; c++)
	{
		int level = (int) (pattern >> (4 * c) & 15);

		if (model->used[c] && level != O2O_EM_NULL)
			p *= use_m ? model->m[c][level] : model->u[c][level];
	}
	return p;
}

/*
 * The next m of a comparison; returns the largest change. A match may disagree in a
 * field half of the time, not more: otherwise the class of matches might take in
 * whatever u does not fit, which in a block are many pairs of two people.
 */
static double
step_m(double *m, const double *matched, const double *start, double sum, int levels)
{
	double last = (matched[levels - 1] + start[levels - 1]) / (sum + 1);
	double scale = last > DISAGREE_MOST ? (1 - DISAGREE_MOST) / (1 - last) : 1;
	double change = 0;

	for (int l = 0; l < levels; l++)
	{
		double next = (matched[l] + start[l]) / (sum + 1) * scale;

		if (l == levels - 1)
			next = fmin(last, DISAGREE_MOST);
		change = fmax(change, fabs(next - m[l]));
		m[l] = next;
	}
	return change;
}

/*
 * Fits the prior, and with fit_m the m of the used comparisons, to the patterns;
 * returns the iterations made. A little of the m that it starts from stays in the
 * result: what of a level was never seen is rare, not impossible.
 */
int
o2o_em_fit(O2OEmModel *model, const O2OEmPattern *patterns, int count, bool fit_m, int iterations)
{
	double start[O2O_EM_COMPARISONS][O2O_EM_LEVELS];
	double total = 0;
	int made = 0;

	for (int i = 0; i < count; i++)
		total += patterns[i].count;
	total = fmax(total, model->pairs);
	for (int c = 0; c < model->comparison_count; c++)
		for (int l = 0; l < model->level_counts[c]; l++)
			start[c][l] = model->m[c][l];
	if (total <= 0)
	{
		model->matches = 0;
		return 0;
	}

	while (made++ < iterations)
	{
		double matched[O2O_EM_COMPARISONS][O2O_EM_LEVELS] = {{0}};
		double sums[O2O_EM_COMPARISONS] = {0};
		double matches = 0;
		double change;

		for (int i = 0; i < count; i++)
		{
			double m = model->prior * pattern_probability(model, patterns[i].pattern, true);
			double u = (1 - model->prior) * pattern_probability(model, patterns[i].pattern, false);
			double share = m + u > 0 ? m / (m + u) * patterns[i].count : 0;

			matches += share;
			for (int c = 0; c < model->comparison_count; c++)
			{
				int level = (int) (patterns[i].pattern >> (4 * c) & 15);

				if (level != O2O_EM_NULL)
				{
					matched[c][level] += share;
					sums[c] += share;
				}
			}
		}
		change = fabs(matches / total - model->prior);
		model->matches = matches;
		model->prior = matches / total;
		for (int c = 0; fit_m && c < model->comparison_count; c++)
			if (model->used[c])
				change = fmax(change, step_m(model->m[c], matched[c], start[c], sums[c],
											 model->level_counts[c]));
		if (change < CONVERGED)
			break;
	}
	return made;
}

/*
 * Makes m / u fall from level to level: neighbours that rise are one level as far
 * as evidence goes, and share their ratio (pool adjacent violators).
 */
void
o2o_em_monotone(double *m, double *u, int levels)
{
	double pool_m[O2O_EM_LEVELS];
	double pool_u[O2O_EM_LEVELS];
	int size[O2O_EM_LEVELS];
	int pools = 0;
	double sum = 0;

	for (int l = 0; l < levels; l++)
	{
		pool_m[pools] = m[l];
		pool_u[pools] = u[l];
		size[pools++] = 1;
		while (pools > 1 &&
			   pool_m[pools - 1] * pool_u[pools - 2] > pool_m[pools - 2] * pool_u[pools - 1])
		{
			pool_m[pools - 2] += pool_m[pools - 1];
			pool_u[pools - 2] += pool_u[pools - 1];
			size[pools - 2] += size[pools - 1];
			pools--;
		}
	}
	for (int p = 0, l = 0; p < pools; p++)
		for (int end = l + size[p]; l < end; l++)
			if (size[p] > 1)
				m[l] = u[l] * (pool_m[p] / fmax(pool_u[p], RATIO_FLOOR));
	for (int l = 0; l < levels; l++)
		sum += m[l];
	for (int l = 0; sum > 0 && l < levels; l++)
		m[l] /= sum;
}
