/*
 * huff.c
 *		The Huff model of store choice and the fit of its exponents: pure, no
 *		PostgreSQL header.  The SQL functions live in huff_choice.c, huff_site.c
 *		and huff_fit.c.
 *
 * A customer at i visits store j with probability
 *		A_j^alpha d_ij^-beta / sum over k of A_k^alpha d_ik^-beta
 * (D. L. Huff, A Probabilistic Analysis of Shopping Center Trade Areas, Land
 * Economics 39, 1963).  In logarithms this is a conditional logit in
 * x = (ln A, -ln d), so visits are multinomial and the log-likelihood is concave
 * in (alpha, beta): Newton's method finds its one maximum, and the inverse of
 * the information there gives the standard errors (D. McFadden, Conditional
 * logit analysis of qualitative choice behavior, 1974).  It sets out from least
 * squares on the log-centred shares of the stores that were visited (M.
 * Nakanishi, L. G. Cooper, Parameter Estimation for a Multiplicative Competitive
 * Interaction Model, J. Marketing Research 11, 1974).  Nothing is random: the
 * same visits give the same exponents.
 */
#include "geo/huff.h"

#include <math.h>

#define MOST_ITERATIONS 100
#define MOST_HALVINGS 60
/* Steps below it change no exponent that anybody reads. */
#define SMALL_STEP 1e-10
/* A determinant below it, relative to its diagonal, is zero. */
#define SINGULAR 1e-12
/* Between two looks for a cancel. */
#define BREATHE_EVERY 4096

/* A symmetric matrix of 2 x 2 and a vector. */
typedef struct Normal
{
	double aa, ab, bb;
	double a, b;
} Normal;

/* Of the visits at given exponents. */
typedef struct Likelihood
{
	double log_likelihood;
	Normal normal; /* information and gradient */
} Likelihood;

double
o2o_huff_log_distance(double metres, double least_m)
{
	return log(metres > least_m ? metres : least_m);
}

double
o2o_huff_log_utility(const O2oHuffModel *model, double log_attractiveness, double metres)
{
	return model->alpha * log_attractiveness -
		   model->beta * o2o_huff_log_distance(metres, model->least_m);
}

/* Turns logarithms of utilities into shares of 1; log_sum is that of their sum. */
void
o2o_huff_shares(double *log_utilities, int count, double *log_sum)
{
	double top = -INFINITY;
	double sum = 0.0;

	for (int i = 0; i < count; i++)
		top = fmax(top, log_utilities[i]);
	for (int i = 0; i < count; i++)
	{
		log_utilities[i] = exp(log_utilities[i] - top);
		sum += log_utilities[i];
	}
	for (int i = 0; i < count; i++)
		log_utilities[i] /= sum;
	*log_sum = top + log(sum);
}

static bool
solve(const Normal *normal, double *a, double *b)
{
	double determinant = normal->aa * normal->bb - normal->ab * normal->ab;

	if (!(determinant > SINGULAR * normal->aa * normal->bb))
		return false;
	*a = (normal->bb * normal->a - normal->ab * normal->b) / determinant;
	*b = (normal->aa * normal->b - normal->ab * normal->a) / determinant;
	return true;
}

/* How many of the choices from the first on are of its origin. */
static int
origin_size(const O2oHuffChoice *choices, int count)
{
	int size = 1;

	while (size < count && choices[size].origin == choices[0].origin)
		size++;
	return size;
}

/* Adds what one origin says about log-centred shares. */
static void
add_centred(const O2oHuffChoice *choices, int size, Normal *normal)
{
	double a = 0.0;
	double b = 0.0;
	double share = 0.0;
	int visited = 0;

	for (int i = 0; i < size; i++)
	{
		if (choices[i].visits <= 0.0)
			continue;
		a += choices[i].log_attractiveness;
		b -= choices[i].log_distance;
		share += log(choices[i].visits);
		visited++;
	}
	for (int i = 0; i < size && visited > 1; i++)
	{
		double da = choices[i].log_attractiveness - a / visited;
		double db = -choices[i].log_distance - b / visited;
		double ds;

		if (choices[i].visits <= 0.0)
			continue;
		ds = log(choices[i].visits) - share / visited;
		normal->aa += da * da;
		normal->ab += da * db;
		normal->bb += db * db;
		normal->a += da * ds;
		normal->b += db * ds;
	}
}

/* Adds what the visits of one origin say at given exponents. */
static void
add_origin(const O2oHuffChoice *choices, int size, double alpha, double beta, Likelihood *sum)
{
	double top = -INFINITY;
	double weight = 0.0;
	double visits = 0.0;
	double at_visits = 0.0;
	double mean_a = 0.0;
	double mean_b = 0.0;
	Normal *normal = &sum->normal;

	for (int i = 0; i < size; i++)
		top = fmax(top, alpha * choices[i].log_attractiveness - beta * choices[i].log_distance);
	for (int i = 0; i < size; i++)
	{
		double utility = alpha * choices[i].log_attractiveness - beta * choices[i].log_distance;
		double share = exp(utility - top);

		weight += share;
		mean_a += share * choices[i].log_attractiveness;
		mean_b -= share * choices[i].log_distance;
		visits += choices[i].visits;
		at_visits += choices[i].visits * (utility - top);
	}
	if (visits <= 0.0)
		return;
	mean_a /= weight;
	mean_b /= weight;
	sum->log_likelihood += at_visits - visits * log(weight);
	for (int i = 0; i < size; i++)
	{
		double utility = alpha * choices[i].log_attractiveness - beta * choices[i].log_distance;
		double share = visits * exp(utility - top) / weight;
		double da = choices[i].log_attractiveness - mean_a;
		double db = -choices[i].log_distance - mean_b;

		normal->aa += share * da * da;
		normal->ab += share * da * db;
		normal->bb += share * db * db;
		normal->a += (choices[i].visits - share) * da;
		normal->b += (choices[i].visits - share) * db;
	}
}

static Likelihood
likelihood_at(const O2oHuffChoice *choices, int count, double alpha, double beta,
			  void (*breathe)(void))
{
	Likelihood sum = {0};
	int since = 0;

	for (int at = 0, size; at < count; at += size)
	{
		size = origin_size(&choices[at], count - at);
		add_origin(&choices[at], size, alpha, beta, &sum);
		since += size;
		if (since >= BREATHE_EVERY)
		{
			breathe();
			since = 0;
		}
	}
	return sum;
}

/* The exponents to set out from: 0 where least squares do not determine them. */
static void
start_of(const O2oHuffChoice *choices, int count, O2oHuffFit *fit)
{
	Normal normal = {0};

	fit->origins = 0;
	fit->visits = 0.0;
	for (int at = 0, size; at < count; at += size)
	{
		double visits = 0.0;

		size = origin_size(&choices[at], count - at);
		for (int i = 0; i < size; i++)
			visits += choices[at + i].visits;
		if (size > 1 && visits > 0.0)
		{
			fit->origins++;
			fit->visits += visits;
		}
		add_centred(&choices[at], size, &normal);
	}
	if (!solve(&normal, &fit->alpha, &fit->beta))
		fit->alpha = fit->beta = 0.0;
}

/* Choices of the same origin stand together. */
O2oHuffStatus
o2o_huff_fit(const O2oHuffChoice *choices, int count, void (*breathe)(void), O2oHuffFit *fit)
{
	Likelihood here;

	start_of(choices, count, fit);
	fit->log_likelihood_equal = likelihood_at(choices, count, 0.0, 0.0, breathe).log_likelihood;
	here = likelihood_at(choices, count, fit->alpha, fit->beta, breathe);
	for (fit->iterations = 1; fit->iterations <= MOST_ITERATIONS; fit->iterations++)
	{
		double a;
		double b;
		Likelihood next;
		int halvings = 0;

		if (!solve(&here.normal, &a, &b))
			return O2O_HUFF_UNDETERMINED;
		if (fabs(a) <= SMALL_STEP * (1.0 + fabs(fit->alpha)) &&
			fabs(b) <= SMALL_STEP * (1.0 + fabs(fit->beta)))
		{
			double determinant = here.normal.aa * here.normal.bb - here.normal.ab * here.normal.ab;

			fit->log_likelihood = here.log_likelihood;
			fit->alpha_error = sqrt(here.normal.bb / determinant);
			fit->beta_error = sqrt(here.normal.aa / determinant);
			return O2O_HUFF_OK;
		}
		/* concave: a step that is short enough climbs, as far as rounding shows */
		for (;;)
		{
			next = likelihood_at(choices, count, fit->alpha + a, fit->beta + b, breathe);
			if (next.log_likelihood >=
					here.log_likelihood - 1e-14 * (1.0 + fabs(here.log_likelihood)) ||
				++halvings > MOST_HALVINGS)
				break;
			a /= 2.0;
			b /= 2.0;
		}
		fit->alpha += a;
		fit->beta += b;
		here = next;
	}
	return O2O_HUFF_UNDETERMINED;
}
