/*
 * huff_model.c
 *		huff_probabilities() and huff_fit(), and what the functions of the Huff
 *		model share: reading their arguments, the stores in reach of a place.  The
 *		model itself lives in huff.c, sites in huff_site.c.
 */
#include "geo/huff_model.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_huff_probabilities);
PG_FUNCTION_INFO_V1(o2o_huff_fit_sql);

/* Exponents beyond it turn every share into 0 or 1. */
#define EXPONENT_MAX 100.0

/* Four arguments from this one on: alpha, beta, max_m, least_m. */
O2oHuffModel
o2o_huff_model_argument(FunctionCallInfo fcinfo, int argument, double *max_m)
{
	O2oHuffModel model;

	model.alpha = PG_GETARG_FLOAT8(argument);
	model.beta = PG_GETARG_FLOAT8(argument + 1);
	*max_m = PG_GETARG_FLOAT8(argument + 2);
	model.least_m = PG_GETARG_FLOAT8(argument + 3);
	if (!(fabs(model.alpha) <= EXPONENT_MAX && fabs(model.beta) <= EXPONENT_MAX))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("exponents must be between -%g and %g", EXPONENT_MAX, EXPONENT_MAX),
						errdetail("alpha is %g, beta is %g.", model.alpha, model.beta)));
	if (!(*max_m >= 0.0 && model.least_m > 0.0 && model.least_m < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("distances must be zero or more metres, the least distance above zero"),
				 errdetail("max_m is %g, least_m is %g.", *max_m, model.least_m)));
	return model;
}

void
o2o_huff_check_attractiveness(double attractiveness)
{
	if (!(attractiveness > 0.0 && attractiveness < INFINITY))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("attractiveness must be above zero and finite"),
						errdetail("It is %g.", attractiveness)));
}

static void
check_amount(const char *what, double amount)
{
	if (!(amount >= 0.0 && amount < INFINITY))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be zero or more and finite", what),
						errdetail("It is %g.", amount)));
}

/* Without an argument of ids (below 0) a store's id is its place. */
void
o2o_huff_stores_argument(FunctionCallInfo fcinfo, int ids_argument, int positions_argument,
						 int attractiveness_argument, double max_m, O2oHuffStores *stores)
{
	int count;
	int others;
	bool *unplaced;
	int64 *ids = NULL;
	Datum *positions =
		o2o_geo_elements(fcinfo, positions_argument, 8, TYPALIGN_DOUBLE, &unplaced, &count);
	double *attractiveness = o2o_geo_numbers(fcinfo, attractiveness_argument, &others);

	o2o_geo_check_lengths("values of attractiveness", count, others);
	if (ids_argument >= 0)
	{
		ids = o2o_geo_ids(fcinfo, ids_argument, &others);
		o2o_geo_check_lengths("positions", others, count);
	}
	o2o_geo_check_memory("stores",
						 o2o_geo_fences_size(count) +
							 (Size) count * (sizeof(O2oHuffReached) + 4 * sizeof(double)));
	stores->fences = o2o_geo_room(count, sizeof(O2oGeoFence));
	stores->log_attractiveness = o2o_geo_room(count, sizeof(double));
	stores->place = o2o_geo_room(count, sizeof(int));
	stores->count = 0;
	stores->given = count;
	for (int i = 0; i < count; i++)
	{
		O2oGeoFence *fence = &stores->fences[stores->count];

		o2o_huff_check_attractiveness(attractiveness[i]);
		if (unplaced[i])
			continue;
		fence->id = ids ? ids[i] : i;
		fence->circle.center = DatumGetGeoPoint(positions[i]);
		fence->circle.radius = max_m;
		fence->first_ring = fence->ring_count = 0;
		stores->log_attractiveness[stores->count] = log(attractiveness[i]);
		stores->place[stores->count++] = i;
	}
	o2o_geo_fences_index(&stores->reach, stores->fences, stores->count, NULL);
}

void
o2o_huff_demand_argument(FunctionCallInfo fcinfo, int positions, int amounts, O2oHuffDemand *demand)
{
	int others;

	demand->positions =
		o2o_geo_elements(fcinfo, positions, 8, TYPALIGN_DOUBLE, &demand->unplaced, &demand->count);
	demand->amounts = o2o_geo_numbers(fcinfo, amounts, &others);
	o2o_geo_check_lengths("amounts of demand", demand->count, others);
	for (int i = 0; i < demand->count; i++)
		check_amount("demand", demand->amounts[i]);
}

void
o2o_huff_search_init(O2oHuffSearch *search, const O2oHuffStores *stores)
{
	search->stores = stores;
	search->reached = o2o_geo_room(stores->count, sizeof(O2oHuffReached));
	search->shares = o2o_geo_room(stores->count, sizeof(double));
	search->count = 0;
}

static void
reach_store(int store, void *arg)
{
	O2oHuffSearch *search = arg;
	O2oHuffReached *reached = &search->reached[search->count++];

	if (search->count % O2O_GEO_INTERRUPT_EVERY == 0)
		CHECK_FOR_INTERRUPTS();
	reached->store = store;
	reached->metres = o2o_geo_distance(search->stores->fences[store].circle.center, search->from);
}

static int
by_distance(const void *a, const void *b, void *arg)
{
	const O2oGeoFence *fences = arg;
	const O2oHuffReached *one = a;
	const O2oHuffReached *two = b;
	int64 left = fences[one->store].id;
	int64 right = fences[two->store].id;

	if (one->metres != two->metres)
		return one->metres < two->metres ? -1 : 1;
	if (left != right)
		return left < right ? -1 : 1;
	return one->store < two->store ? -1 : one->store > two->store;
}

/* The stores in reach, by distance, then id. */
void
o2o_huff_search_at(O2oHuffSearch *search, O2oGeoPoint from)
{
	CHECK_FOR_INTERRUPTS();
	search->from = from;
	search->count = 0;
	o2o_geo_fences_at(&search->stores->reach, from, reach_store, search);
	qsort_interruptible(search->reached, search->count, sizeof(O2oHuffReached), by_distance,
						search->stores->fences);
}

/* Their shares, and the logarithm of the sum of their utilities: -infinity without a store. */
void
o2o_huff_search_shares(O2oHuffSearch *search, const O2oHuffModel *model, double *log_sum)
{
	for (int i = 0; i < search->count; i++)
		search->shares[i] = o2o_huff_log_utility(
			model, search->stores->log_attractiveness[search->reached[i].store],
			search->reached[i].metres);
	*log_sum = -INFINITY;
	if (search->count > 0)
		o2o_huff_shares(search->shares, search->count, log_sum);
}

Datum
o2o_huff_probabilities(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int count;
	int others;
	bool *unplaced;
	int64 *ids = o2o_geo_ids(fcinfo, 0, &count);
	Datum *positions = o2o_geo_elements(fcinfo, 1, 8, TYPALIGN_DOUBLE, &unplaced, &others);
	double max_m;
	O2oHuffModel model = o2o_huff_model_argument(fcinfo, 5, &max_m);
	O2oHuffStores stores;
	O2oHuffSearch search;

	o2o_geo_check_lengths("positions", count, others);
	o2o_huff_stores_argument(fcinfo, 2, 3, 4, max_m, &stores);
	o2o_huff_search_init(&search, &stores);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		double log_sum;

		if (unplaced[i])
			continue;
		o2o_huff_search_at(&search, DatumGetGeoPoint(positions[i]));
		o2o_huff_search_shares(&search, &model, &log_sum);
		for (int s = 0; s < search.count; s++)
		{
			Datum values[4];
			bool nulls[4] = {false, false, false, false};

			values[0] = Int64GetDatum(ids[i]);
			values[1] = Int64GetDatum(stores.fences[search.reached[s].store].id);
			values[2] = Float8GetDatum(search.reached[s].metres);
			values[3] = Float8GetDatum(search.shares[s]);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

static int
by_origin(const void *a, const void *b, void *arg)
{
	const O2oHuffChoice *one = a;
	const O2oHuffChoice *two = b;

	if (one->origin != two->origin)
		return one->origin < two->origin ? -1 : 1;
	/* a full order, so that the sums do not depend on that of the arrays */
	if (one->log_distance != two->log_distance)
		return one->log_distance < two->log_distance ? -1 : 1;
	if (one->log_attractiveness != two->log_attractiveness)
		return one->log_attractiveness < two->log_attractiveness ? -1 : 1;
	return one->visits < two->visits ? -1 : one->visits > two->visits;
}

static void
breathe(void)
{
	CHECK_FOR_INTERRUPTS();
}

Datum
o2o_huff_fit_sql(PG_FUNCTION_ARGS)
{
	int count;
	int others[3];
	int64 *origins = o2o_geo_ids(fcinfo, 0, &count);
	double *attractiveness = o2o_geo_numbers(fcinfo, 1, &others[0]);
	double *metres = o2o_geo_numbers(fcinfo, 2, &others[1]);
	double *visits = o2o_geo_numbers(fcinfo, 3, &others[2]);
	double least_m = PG_GETARG_FLOAT8(4);
	O2oHuffChoice *choices;
	O2oHuffFit fit;
	TupleDesc description;
	Datum values[9];
	bool nulls[9] = {false};

	o2o_geo_check_lengths("values of attractiveness", count, others[0]);
	o2o_geo_check_lengths("distances", count, others[1]);
	o2o_geo_check_lengths("visits", count, others[2]);
	if (!(least_m > 0.0 && least_m < INFINITY))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("least distance must be above zero and finite"),
						errdetail("It is %g.", least_m)));
	choices = o2o_geo_room(count, sizeof(O2oHuffChoice));
	for (int i = 0; i < count; i++)
	{
		o2o_huff_check_attractiveness(attractiveness[i]);
		check_amount("distance", metres[i]);
		check_amount("number of visits", visits[i]);
		choices[i].origin = origins[i];
		choices[i].log_attractiveness = log(attractiveness[i]);
		choices[i].log_distance = o2o_huff_log_distance(metres[i], least_m);
		choices[i].visits = visits[i];
	}
	qsort_interruptible(choices, count, sizeof(O2oHuffChoice), by_origin, NULL);
	if (o2o_huff_fit(choices, count, breathe, &fit) != O2O_HUFF_OK)
		ereport(
			ERROR,
			(errcode(ERRCODE_O2O_FIT_UNDETERMINED),
			 errmsg("the visits do not determine the exponents"),
			 errdetail("%d origins with visits to choose from more than one store, %g visits.",
					   fit.origins, fit.visits),
			 errhint("Give origins whose stores differ in attractiveness and in distance, the one "
					 "not in step with the other, and with visits to more than one of them.")));
	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "huff_fit must return a row");
	values[0] = Float8GetDatum(fit.alpha);
	values[1] = Float8GetDatum(fit.beta);
	values[2] = Float8GetDatum(fit.alpha_error);
	values[3] = Float8GetDatum(fit.beta_error);
	values[4] = Float8GetDatum(fit.log_likelihood);
	values[5] = Float8GetDatum(fit.log_likelihood_equal);
	values[6] = Int64GetDatum(fit.origins);
	values[7] = Float8GetDatum(fit.visits);
	values[8] = Int32GetDatum(fit.iterations);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
