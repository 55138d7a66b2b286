/*
 * huff_model.h
 *		Stores and their customers as arguments: what huff_model.c offers to the
 *		functions of the Huff model.
 */
#ifndef O2O_GEO_HUFF_MODEL_H
#define O2O_GEO_HUFF_MODEL_H

#include "geo/arrays.h"
#include "geo/huff.h"

/* The stores that have a position, and which of them are in reach of a place. */
typedef struct O2oHuffStores
{
	O2oGeoFence *fences; /* ids and positions */
	double *log_attractiveness;
	int *place; /* in the arguments */
	int count;
	int given; /* in the arguments, without a position too */
	O2oGeoFences reach;
} O2oHuffStores;

/* A store in reach of the place that was asked for last. */
typedef struct O2oHuffReached
{
	int store;
	double metres;
} O2oHuffReached;

typedef struct O2oHuffSearch
{
	const O2oHuffStores *stores;
	O2oGeoPoint from;
	O2oHuffReached *reached;
	double *shares; /* room for as many */
	int count;
} O2oHuffSearch;

/* Customers, or what they stand for, at a place. */
typedef struct O2oHuffDemand
{
	Datum *positions;
	bool *unplaced;
	double *amounts;
	int count;
} O2oHuffDemand;

extern O2oHuffModel o2o_huff_model_argument(FunctionCallInfo fcinfo, int argument, double *max_m);
extern void o2o_huff_check_attractiveness(double attractiveness);
extern void o2o_huff_stores_argument(FunctionCallInfo fcinfo, int ids, int positions,
									 int attractiveness, double max_m, O2oHuffStores *stores);
extern void o2o_huff_demand_argument(FunctionCallInfo fcinfo, int positions, int amounts,
									 O2oHuffDemand *demand);
extern void o2o_huff_search_init(O2oHuffSearch *search, const O2oHuffStores *stores);
extern void o2o_huff_search_at(O2oHuffSearch *search, O2oGeoPoint from);
extern void
o2o_huff_search_shares(O2oHuffSearch *search, const O2oHuffModel *model, double *log_sum);

#endif /* O2O_GEO_HUFF_MODEL_H */
