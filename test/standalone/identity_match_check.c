/*
 * identity_match_check.c
 *		EM on patterns whose counts are exactly those of a known mixture finds that
 *		mixture again; monotone levels; what is not used stays. Run under ASan and
 *		UBSan.
 */
#include "identity/match_em.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void
expect(const char *what, double is, double wanted, double tolerance)
{
	if (fabs(is - wanted) <= tolerance)
		return;
	printf("%s: %.9f, wanted %.9f\n", what, is, wanted);
	failures++;
}

/* Three comparisons of 2, 3 and 2 levels; the expected count of every pattern. */
static const double true_m[3][3] = {{0.9, 0.1}, {0.7, 0.2, 0.1}, {0.8, 0.2}};
static const double true_u[3][3] = {{0.05, 0.95}, {0.02, 0.08, 0.9}, {0.1, 0.9}};
static const int levels[3] = {2, 3, 2};

static int
mixture(O2OEmPattern *patterns, double prior, double pairs)
{
	int count = 0;

	for (int a = 0; a < 2; a++)
		for (int b = 0; b < 3; b++)
			for (int c = 0; c < 2; c++)
			{
				double m = true_m[0][a] * true_m[1][b] * true_m[2][c];
				double u = true_u[0][a] * true_u[1][b] * true_u[2][c];

				patterns[count].pattern = (uint64_t) a | (uint64_t) b << 4 | (uint64_t) c << 8;
				patterns[count++].count = pairs * (prior * m + (1 - prior) * u);
			}
	return count;
}

static void
start(O2OEmModel *model)
{
	memset(model, 0, sizeof(*model));
	model->comparison_count = 3;
	model->prior = 0.3;
	for (int c = 0; c < 3; c++)
	{
		model->level_counts[c] = levels[c];
		model->used[c] = true;
		for (int l = 0; l < levels[c]; l++)
		{
			model->m[c][l] = l == 0 ? 0.6 : 0.4 / (levels[c] - 1);
			model->u[c][l] = true_u[c][l];
		}
	}
}

int
main(void)
{
	O2OEmPattern patterns[16];
	O2OEmModel model;
	double prior = 0.05;
	int count = mixture(patterns, prior, 1e9);
	double m[3] = {0.2, 0.7, 0.1};
	double u[3] = {0.4, 0.1, 0.5};

	start(&model);
	o2o_em_fit(&model, patterns, count, true, 100000);
	expect("prior", model.prior, prior, 1e-4);
	for (int c = 0; c < 3; c++)
		for (int l = 0; l < levels[c]; l++)
		{
			expect("m", model.m[c][l], true_m[c][l], 1e-3);
			expect("u", model.u[c][l], true_u[c][l], 0);
		}

	/* pairs beside the patterns do not match: the prior is of all of them */
	start(&model);
	model.pairs = 4e9;
	model.prior = 0.001;
	for (int c = 0; c < 3; c++)
		for (int l = 0; l < levels[c]; l++)
			model.m[c][l] = true_m[c][l];
	o2o_em_fit(&model, patterns, count, false, 1000);
	expect("m that is given", model.m[1][1], true_m[1][1], 0);
	if (!(model.prior > 0 && model.prior < prior / 4 * 1.01))
		expect("prior of all pairs", model.prior, prior / 4, 0);

	/* a comparison that is not used says nothing, and stays */
	start(&model);
	model.used[1] = false;
	o2o_em_fit(&model, patterns, count, true, 100000);
	expect("unused m", model.m[1][0], 0.6, 0);
	expect("prior without it", model.prior, prior, 0.01);

	/* no evidence in any pattern, no pattern, no pair: nothing is divided by zero */
	start(&model);
	patterns[0].pattern = 0xFFF;
	patterns[0].count = 10;
	o2o_em_fit(&model, patterns, 1, true, 10);
	expect("prior without evidence", model.prior, 0.3, 1e-9);
	o2o_em_fit(&model, patterns, 0, true, 10);
	expect("matches of nothing", model.matches, 0, 0);

	/* the second level says more than the first: they share one ratio, 0.9 / 0.5 */
	o2o_em_monotone(m, u, 3);
	expect("monotone, sum", m[0] + m[1] + m[2], 1, 1e-12);
	expect("monotone, first", m[0] / u[0], 1.8, 1e-12);
	expect("monotone, second", m[1] / u[1], 1.8, 1e-12);
	expect("monotone, last", m[2] / u[2], 0.2, 1e-12);

	printf("identity_match_check: %s\n", failures == 0 ? "ok" : "FAILED");
	return failures != 0;
}
