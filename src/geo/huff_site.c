/*
 * huff_site.c
 *		site_score() and site_cannibalisation(): what a store at a new place would
 *		take, and from whom, by the Huff model.  The model itself lives in huff.c.
 *
 * A new store with utility e takes from store k, of all utilities U around a
 * customer, the share u_k / U - u_k / (U + e) = (u_k / U) (e / (U + e)): of each
 * store the same part of what it has.
 */
#include "geo/huff_model.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_site_score);
PG_FUNCTION_INFO_V1(o2o_site_cannibalisation);

/* What a candidate would get, by whose it was. */
typedef struct Score
{
	double from_own;
	double from_others;
	double unserved;
} Score;

/* The part that a new store gets: e / (U + e), of logarithms. */
static double
new_share(double log_utility, double log_sum)
{
	return 1.0 / (1.0 + exp(log_sum - log_utility));
}

/* Which stores are one's own, by their place in the arguments. */
static bool *
own_argument(FunctionCallInfo fcinfo, int argument, int stores)
{
	int count;
	Datum *elements = o2o_geo_elements(fcinfo, argument, 1, TYPALIGN_CHAR, NULL, &count);
	bool *own = o2o_geo_room(count, sizeof(bool));

	o2o_geo_check_lengths("marks of own stores", stores, count);
	for (int i = 0; i < count; i++)
		own[i] = DatumGetBool(elements[i]);
	return own;
}

static void
score_demand(const O2oHuffModel *model, O2oHuffSearch *stores, O2oHuffSearch *candidates,
			 const bool *own, double amount, Score *scores)
{
	double log_sum;
	/* both added up: where there are no others, their share is zero and not what rounding leaves */
	double own_share = 0.0;
	double other_share = 0.0;

	o2o_huff_search_shares(stores, model, &log_sum);
	for (int s = 0; s < stores->count; s++)
	{
		if (own[stores->stores->place[stores->reached[s].store]])
			own_share += stores->shares[s];
		else
			other_share += stores->shares[s];
	}
	for (int c = 0; c < candidates->count; c++)
	{
		int candidate = candidates->reached[c].store;
		double taken =
			amount *
			new_share(o2o_huff_log_utility(model, candidates->stores->log_attractiveness[candidate],
										   candidates->reached[c].metres),
					  log_sum);

		if (stores->count == 0)
			scores[candidate].unserved += taken;
		else
		{
			scores[candidate].from_own += taken * own_share;
			scores[candidate].from_others += taken * other_share;
		}
	}
}

Datum
o2o_site_score(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	double max_m;
	O2oHuffModel model = o2o_huff_model_argument(fcinfo, 8, &max_m);
	O2oHuffStores candidates;
	O2oHuffStores stores;
	O2oHuffDemand demand;
	O2oHuffSearch to_candidates;
	O2oHuffSearch to_stores;
	bool *own;
	Score *scores;

	o2o_huff_stores_argument(fcinfo, 0, 1, 2, max_m, &candidates);
	o2o_huff_demand_argument(fcinfo, 3, 4, &demand);
	o2o_huff_stores_argument(fcinfo, -1, 5, 6, max_m, &stores);
	own = own_argument(fcinfo, 7, stores.given);
	o2o_huff_search_init(&to_candidates, &candidates);
	o2o_huff_search_init(&to_stores, &stores);
	InitMaterializedSRF(fcinfo, 0);
	scores = o2o_geo_room(candidates.count, sizeof(Score));
	memset(scores, 0, (Size) candidates.count * sizeof(Score));

	for (int i = 0; i < demand.count; i++)
	{
		if (demand.unplaced[i] || demand.amounts[i] == 0.0)
			continue;
		o2o_huff_search_at(&to_candidates, DatumGetGeoPoint(demand.positions[i]));
		if (to_candidates.count == 0)
			continue;
		o2o_huff_search_at(&to_stores, DatumGetGeoPoint(demand.positions[i]));
		score_demand(&model, &to_stores, &to_candidates, own, demand.amounts[i], scores);
	}
	for (int c = 0; c < candidates.count; c++)
	{
		const Score *score = &scores[c];
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = Int64GetDatum(candidates.fences[c].id);
		values[1] = Float8GetDatum(score->from_own + score->from_others + score->unserved);
		values[2] = Float8GetDatum(score->from_own);
		values[3] = Float8GetDatum(score->from_others);
		values[4] = Float8GetDatum(score->unserved);
		values[5] = Float8GetDatum(score->from_others + score->unserved);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
o2o_site_cannibalisation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	O2oGeoPoint site = PG_GETARG_GEOPOINT(0);
	double attractiveness = PG_GETARG_FLOAT8(1);
	double max_m;
	O2oHuffModel model = o2o_huff_model_argument(fcinfo, 7, &max_m);
	O2oHuffDemand demand;
	O2oHuffStores stores;
	O2oHuffSearch search;
	double *before;
	double *taken;

	o2o_huff_check_attractiveness(attractiveness);
	o2o_huff_demand_argument(fcinfo, 2, 3, &demand);
	o2o_huff_stores_argument(fcinfo, 4, 5, 6, max_m, &stores);
	o2o_huff_search_init(&search, &stores);
	InitMaterializedSRF(fcinfo, 0);
	before = o2o_geo_room(2 * stores.count, sizeof(double));
	taken = before + stores.count;
	memset(before, 0, 2 * (Size) stores.count * sizeof(double));

	for (int i = 0; i < demand.count; i++)
	{
		double log_sum;
		double metres;
		double part = 0.0;

		if (demand.unplaced[i] || demand.amounts[i] == 0.0)
			continue;
		o2o_huff_search_at(&search, DatumGetGeoPoint(demand.positions[i]));
		o2o_huff_search_shares(&search, &model, &log_sum);
		metres = o2o_geo_distance(site, search.from);
		if (metres <= max_m)
			part = new_share(o2o_huff_log_utility(&model, log(attractiveness), metres), log_sum);
		for (int s = 0; s < search.count; s++)
		{
			double amount = demand.amounts[i] * search.shares[s];

			before[search.reached[s].store] += amount;
			taken[search.reached[s].store] += amount * part;
		}
	}
	for (int s = 0; s < stores.count; s++)
	{
		Datum values[5];
		bool nulls[5] = {false};

		values[0] = Int64GetDatum(stores.fences[s].id);
		values[1] = Float8GetDatum(before[s]);
		values[2] = Float8GetDatum(before[s] - taken[s]);
		values[3] = Float8GetDatum(taken[s]);
		values[4] = Float8GetDatum(before[s] > 0.0 ? taken[s] / before[s] : 0.0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
