/*
 * huff.h
 *		The Huff model of store choice: what huff.c offers.  No PostgreSQL header
 *		is needed here.
 */
#ifndef O2O_GEO_HUFF_H
#define O2O_GEO_HUFF_H

#include <stdbool.h>
#include <stdint.h>

/* Both exponents, and the distance below which every store is equally near. */
typedef struct O2oHuffModel
{
	double alpha; /* of attractiveness */
	double beta;  /* of distance */
	double least_m;
} O2oHuffModel;

/* One store as one origin sees it; the choices of an origin stand together. */
typedef struct O2oHuffChoice
{
	int64_t origin;
	double log_attractiveness;
	double log_distance;
	double visits;
} O2oHuffChoice;

typedef enum O2oHuffStatus
{
	O2O_HUFF_OK,
	O2O_HUFF_UNDETERMINED /* no exponents, or endlessly many, fit best */
} O2oHuffStatus;

typedef struct O2oHuffFit
{
	double alpha;
	double beta;
	double alpha_error; /* standard errors */
	double beta_error;
	double log_likelihood;
	double log_likelihood_equal; /* of equal probabilities */
	int iterations;
	int origins; /* with visits and more than one store */
	double visits;
} O2oHuffFit;

extern double o2o_huff_log_distance(double metres, double least_m);
extern double
o2o_huff_log_utility(const O2oHuffModel *model, double log_attractiveness, double metres);
extern void o2o_huff_shares(double *log_utilities, int count, double *log_sum);
extern O2oHuffStatus
o2o_huff_fit(const O2oHuffChoice *choices, int count, void (*breathe)(void), O2oHuffFit *fit);

#endif /* O2O_GEO_HUFF_H */
