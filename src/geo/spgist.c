/*
 * spgist.c
 *		SP-GiST operator class of o2o.geopoint: a radix tree over cells of 4 x 4.
 *		Cells are computed in cell.c, lower bounds of distances in distance.c.
 *
 * An inner tuple has the smallest cell of all its positions as prefix, and its
 * nodes are labelled with the cells of their positions.  A position outside the
 * prefix splits the tuple (spgSplitTuple); one that no label covers adds a node.
 * Labels need not be of one depth: when a page splits because of one position
 * far from all others, the others are told apart in their own, deeper cell.
 * They may then lie inside the label of a node added later; the deepest label
 * that covers a position is its node.
 *
 * Why all this care: the core turns a split in which all the old positions fall
 * into one node into an "allTheSame" tuple, whose nodes divide its positions at
 * random for good, and every search below has to visit all of them.  Here that
 * happens to equal positions only.  (Such a tuple repeats one label, which is
 * then the cell that counts, not the prefix.)
 *
 * The tree does not give back what it indexes, although it could: the distances
 * it sorts by are lower bounds, and the server refuses these in an index-only
 * scan.  It computes the exact distance for the rows that come up.
 */
#include "o2o.h"

#include "access/spgist.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_config);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_choose);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_picksplit);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_inner_consistent);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_leaf_consistent);

#define DatumGetCell(x) ((O2oGeoCell) DatumGetInt64(x))
#define CellGetDatum(x) Int64GetDatum((int64) (x))

Datum
o2o_geopoint_spgist_config(PG_FUNCTION_ARGS)
{
	spgConfigOut *out = (spgConfigOut *) PG_GETARG_POINTER(1);

	out->prefixType = INT8OID;
	out->labelType = INT8OID;
	out->canReturnData = false;
	out->longValuesOK = false;
	PG_RETURN_VOID();
}

Datum
o2o_geopoint_spgist_choose(PG_FUNCTION_ARGS)
{
	spgChooseIn *in = (spgChooseIn *) PG_GETARG_POINTER(0);
	spgChooseOut *out = (spgChooseOut *) PG_GETARG_POINTER(1);
	O2oGeoCell cell = o2o_geo_cell(DatumGetGeoPoint(in->leafDatum));
	O2oGeoCell cover = DatumGetCell(in->allTheSame ? in->nodeLabels[0] : in->prefixDatum);
	int depth;
	int best = -1;
	int best_depth = -1;
	int i;

	if (!o2o_geo_cell_contains(cover, cell))
	{
		depth = o2o_geo_cell_common_depth(cover, cell);
		out->resultType = spgSplitTuple;
		out->result.splitTuple.prefixHasPrefix = true;
		out->result.splitTuple.prefixPrefixDatum = CellGetDatum(o2o_geo_cell_ancestor(cell, depth));
		out->result.splitTuple.prefixNNodes = 1;
		out->result.splitTuple.prefixNodeLabels = palloc(sizeof(Datum));
		out->result.splitTuple.prefixNodeLabels[0] =
			CellGetDatum(o2o_geo_cell_ancestor(cover, depth + 1));
		out->result.splitTuple.childNodeN = 0;
		out->result.splitTuple.postfixHasPrefix = true;
		out->result.splitTuple.postfixPrefixDatum = CellGetDatum(cover);
		PG_RETURN_VOID();
	}

	for (i = 0; i < in->nNodes; i++)
	{
		O2oGeoCell label = DatumGetCell(in->nodeLabels[i]);

		depth = o2o_geo_cell_depth(label);
		if (depth > best_depth && o2o_geo_cell_contains(label, cell))
		{
			best = i;
			best_depth = depth;
		}
	}
	if (best >= 0)
	{
		/* of an allTheSame tuple the core takes any node */
		out->resultType = spgMatchNode;
		out->result.matchNode.nodeN = best;
		out->result.matchNode.levelAdd = 0;
		out->result.matchNode.restDatum = in->leafDatum;
	}
	else
	{
		depth = o2o_geo_cell_depth(cover) + 1;
		out->resultType = spgAddNode;
		out->result.addNode.nodeLabel = CellGetDatum(o2o_geo_cell_ancestor(cell, depth));
		out->result.addNode.nodeN = in->nNodes;
	}
	PG_RETURN_VOID();
}

Datum
o2o_geopoint_spgist_picksplit(PG_FUNCTION_ARGS)
{
	spgPickSplitIn *in = (spgPickSplitIn *) PG_GETARG_POINTER(0);
	spgPickSplitOut *out = (spgPickSplitOut *) PG_GETARG_POINTER(1);
	O2oGeoCell first = o2o_geo_cell(DatumGetGeoPoint(in->datums[0]));
	int last = in->nTuples - 1;
	int depth = O2O_GEO_CELL_DEPTH;     /* of the cell of all */
	int old_depth = O2O_GEO_CELL_DEPTH; /* without the new one, which comes last */
	int i;

	for (i = 0; i <= last; i++)
	{
		int common =
			o2o_geo_cell_common_depth(first, o2o_geo_cell(DatumGetGeoPoint(in->datums[i])));

		depth = Min(depth, common);
		if (i < last)
			old_depth = Min(old_depth, common);
	}

	out->hasPrefix = true;
	out->prefixDatum = CellGetDatum(o2o_geo_cell_ancestor(first, depth));
	out->nNodes = 0;
	out->nodeLabels = palloc(sizeof(Datum) * in->nTuples);
	out->mapTuplesToNodes = palloc(sizeof(int) * in->nTuples);
	out->leafTupleDatums = palloc(sizeof(Datum) * in->nTuples);
	for (i = 0; i <= last; i++)
	{
		int label_depth = Min((i < last ? old_depth : depth) + 1, O2O_GEO_CELL_DEPTH);
		Datum label = CellGetDatum(
			o2o_geo_cell_ancestor(o2o_geo_cell(DatumGetGeoPoint(in->datums[i])), label_depth));
		int node = 0;

		while (node < out->nNodes && out->nodeLabels[node] != label)
			node++;
		if (node == out->nNodes)
			out->nodeLabels[out->nNodes++] = label;
		out->mapTuplesToNodes[i] = node;
		out->leafTupleDatums[i] = in->datums[i];
	}
	PG_RETURN_VOID();
}

/* What the bounds need of the positions searched from, kept for the scan. */
typedef struct SearchFrom
{
	O2oGeoQuery nearest;
	O2oGeoQuery circle;
} SearchFrom;

static SearchFrom *
search_from(FmgrInfo *flinfo)
{
	if (flinfo->fn_extra == NULL)
	{
		SearchFrom *from = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(SearchFrom));

		o2o_geo_query_init(&from->nearest, 0);
		o2o_geo_query_init(&from->circle, 0);
		flinfo->fn_extra = from;
	}
	return (SearchFrom *) flinfo->fn_extra;
}

static const O2oGeoQuery *
prepared(O2oGeoQuery *query, O2oGeoPoint point)
{
	if (query->point != point)
		o2o_geo_query_init(query, point);
	return query;
}

static double *
bounds_of(FmgrInfo *flinfo, const ScanKeyData *orderbys, int count, const O2oGeoBox *box)
{
	SearchFrom *from = search_from(flinfo);
	double *bounds = palloc(sizeof(double) * count);
	int i;

	for (i = 0; i < count; i++)
		bounds[i] =
			o2o_geo_bound(prepared(&from->nearest, DatumGetGeoPoint(orderbys[i].sk_argument)), box);
	return bounds;
}

/* Whether a position of the area may satisfy the condition. */
static bool
area_may_match(FmgrInfo *flinfo, const ScanKeyData *key, const O2oGeoBox *box)
{
	if (key->sk_strategy == O2O_GEO_IN_CIRCLE)
	{
		const O2oGeoCircle *circle = DatumGetGeoCircle(key->sk_argument);

		return o2o_geo_bound(prepared(&search_from(flinfo)->circle, circle->center), box) <=
			   circle->radius;
	}
	if (key->sk_strategy == O2O_GEO_OVERLAPS_FRAME || key->sk_strategy == O2O_GEO_IN_FRAME)
		return o2o_geo_frame_reaches(DatumGetGeoFrame(key->sk_argument), box);
	if (key->sk_strategy == O2O_GEO_EQUALS)
	{
		O2oGeoPoint point = DatumGetGeoPoint(key->sk_argument);

		return o2o_geo_lon(point) >= box->west && o2o_geo_lon(point) <= box->east &&
			   o2o_geo_lat(point) >= box->south && o2o_geo_lat(point) <= box->north;
	}
	elog(ERROR, "unrecognized strategy number: %d", key->sk_strategy);
	return false;
}

/* Of a single position the area says all but the exact distance. */
static bool
point_matches(FmgrInfo *flinfo, const ScanKeyData *key, O2oGeoPoint point, const O2oGeoBox *box)
{
	if (!area_may_match(flinfo, key, box))
		return false;
	if (key->sk_strategy == O2O_GEO_IN_CIRCLE)
	{
		const O2oGeoCircle *circle = DatumGetGeoCircle(key->sk_argument);

		return o2o_geo_distance(point, circle->center) <= circle->radius;
	}
	return true;
}

Datum
o2o_geopoint_spgist_inner_consistent(PG_FUNCTION_ARGS)
{
	spgInnerConsistentIn *in = (spgInnerConsistentIn *) PG_GETARG_POINTER(0);
	spgInnerConsistentOut *out = (spgInnerConsistentOut *) PG_GETARG_POINTER(1);
	int i;
	int k;

	out->nNodes = 0;
	out->nodeNumbers = palloc(sizeof(int) * in->nNodes);
	if (in->norderbys > 0)
		out->distances = palloc(sizeof(double *) * in->nNodes);
	for (i = 0; i < in->nNodes; i++)
	{
		O2oGeoBox box = o2o_geo_cell_box(DatumGetCell(in->nodeLabels[i]));
		bool enter = true;

		for (k = 0; k < in->nkeys && enter; k++)
			enter = area_may_match(fcinfo->flinfo, &in->scankeys[k], &box);
		if (!enter)
			continue;
		if (in->norderbys > 0)
			out->distances[out->nNodes] =
				bounds_of(fcinfo->flinfo, in->orderbys, in->norderbys, &box);
		out->nodeNumbers[out->nNodes++] = i;
	}
	PG_RETURN_VOID();
}

Datum
o2o_geopoint_spgist_leaf_consistent(PG_FUNCTION_ARGS)
{
	spgLeafConsistentIn *in = (spgLeafConsistentIn *) PG_GETARG_POINTER(0);
	spgLeafConsistentOut *out = (spgLeafConsistentOut *) PG_GETARG_POINTER(1);
	O2oGeoPoint point = DatumGetGeoPoint(in->leafDatum);
	O2oGeoBox box = o2o_geo_point_box(point);
	int k;

	out->recheck = false;
	out->recheckDistances = true;
	for (k = 0; k < in->nkeys; k++)
		if (!point_matches(fcinfo->flinfo, &in->scankeys[k], point, &box))
			PG_RETURN_BOOL(false);
	if (in->norderbys > 0)
		out->distances = bounds_of(fcinfo->flinfo, in->orderbys, in->norderbys, &box);
	PG_RETURN_BOOL(true);
}
