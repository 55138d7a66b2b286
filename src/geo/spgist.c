/*
 * spgist.c
 *		SP-GiST operator class of o2o.geopoint: a radix tree over cells of 4 x 4.
 *		Cells are computed in cell.c, lower bounds of distances in distance.c.
 *
 * An inner tuple has the smallest cell of all its positions as prefix, and its
 * nodes are labelled with the cells of their positions.  A position outside the
 * prefix splits the tuple (spgSplitTuple); one that no label covers adds a node.
 * Labels need not be of one depth: when a page splits because of one position
 * far from all others, the others are told apart in their own, deeper cell, and
 * a crowded cell is divided at once.  They may then lie inside the label of a node
 * added later; the deepest label that covers a position is its node.
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

/* A split divides so many positions further; a tuple of so many nodes gets more only of one depth. */
#define CROWDED 16
#define MANY_NODES 64

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

		if (!o2o_geo_cell_contains(label, cell))
			continue;
		depth = o2o_geo_cell_depth(label);
		if (depth > best_depth)
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
		/* the largest cell beside those there are, but not much smaller than it has to be */
		int common = 0;

		for (i = 0; i < in->nNodes; i++)
			common = Max(common, o2o_geo_cell_common_depth(DatumGetCell(in->nodeLabels[i]), cell));
		depth = o2o_geo_cell_depth(cover) + 1;
		if (in->nNodes < MANY_NODES && common >= depth)
			depth++;
		out->resultType = spgAddNode;
		out->result.addNode.nodeLabel = CellGetDatum(o2o_geo_cell_ancestor(cell, depth));
		out->result.addNode.nodeN = in->nNodes;
	}
	PG_RETURN_VOID();
}

static inline O2oGeoCell
cell_of(Datum leaf)
{
	return o2o_geo_cell(DatumGetGeoPoint(leaf));
}

/* The number of the node with this label, a new one if need be. */
static int
node_of(spgPickSplitOut *out, O2oGeoCell label)
{
	int node = 0;

	while (node < out->nNodes && DatumGetCell(out->nodeLabels[node]) != label)
		node++;
	if (node == out->nNodes)
		out->nodeLabels[out->nNodes++] = CellGetDatum(label);
	return node;
}

/*
 * Divide the nodes that got more than CROWDED positions once more, at the cell of
 * these: a search looks at each position of a node that it comes to.
 */
static void
divide_crowded(const spgPickSplitIn *in, spgPickSplitOut *out)
{
	Datum *labels = out->nodeLabels;
	int *count = palloc0(sizeof(int) * out->nNodes);
	int *first = palloc(sizeof(int) * out->nNodes);
	int *depth = palloc(sizeof(int) * out->nNodes);
	int i;

	for (i = 0; i < in->nTuples; i++)
	{
		int node = out->mapTuplesToNodes[i];

		if (count[node]++ == 0)
		{
			first[node] = i;
			depth[node] = O2O_GEO_CELL_DEPTH;
		}
		else
			depth[node] =
				Min(depth[node], o2o_geo_cell_common_depth(cell_of(in->datums[i]),
														   cell_of(in->datums[first[node]])));
	}
	out->nNodes = 0;
	out->nodeLabels = palloc(sizeof(Datum) * in->nTuples);
	for (i = 0; i < in->nTuples; i++)
	{
		int node = out->mapTuplesToNodes[i];
		O2oGeoCell label = DatumGetCell(labels[node]);

		if (count[node] > CROWDED && depth[node] < O2O_GEO_CELL_DEPTH)
			label = o2o_geo_cell_ancestor(cell_of(in->datums[i]), depth[node] + 1);
		out->mapTuplesToNodes[i] = node_of(out, label);
	}
}

Datum
o2o_geopoint_spgist_picksplit(PG_FUNCTION_ARGS)
{
	spgPickSplitIn *in = (spgPickSplitIn *) PG_GETARG_POINTER(0);
	spgPickSplitOut *out = (spgPickSplitOut *) PG_GETARG_POINTER(1);
	O2oGeoCell first = cell_of(in->datums[0]);
	int last = in->nTuples - 1;
	int depth = O2O_GEO_CELL_DEPTH;     /* of the cell of all */
	int old_depth = O2O_GEO_CELL_DEPTH; /* without the new one, which comes last */
	int i;

	for (i = 0; i <= last; i++)
	{
		int common = o2o_geo_cell_common_depth(first, cell_of(in->datums[i]));

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

		out->leafTupleDatums[i] = in->datums[i];
		out->mapTuplesToNodes[i] =
			node_of(out, o2o_geo_cell_ancestor(cell_of(in->datums[i]), label_depth));
	}
	if (out->nNodes > 1)
		divide_crowded(in, out);
	PG_RETURN_VOID();
}

/*
 * What is kept for the scan: of the positions searched from what the bounds need,
 * and room for the answer, which the core copies before it asks again.
 */
typedef struct Search
{
	O2oGeoSearch nearest;
	O2oGeoQuery circle;
	int room;           /* nodes that there is room for */
	double **distances; /* of a node, one for each ORDER BY */
	int *nodes;
} Search;

static Search *
search_begin(FmgrInfo *flinfo)
{
	Search *search = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(Search));

	o2o_geo_search_init(&search->nearest, 0);
	o2o_geo_query_init(&search->circle, 0);
	flinfo->fn_extra = search;
	return search;
}

static inline Search *
search_of(FmgrInfo *flinfo)
{
	return flinfo->fn_extra ? (Search *) flinfo->fn_extra : search_begin(flinfo);
}

/* Room for the answer about so many nodes; what was given before stays until the scan ends. */
static void
make_room(Search *search, MemoryContext context, int nodes, int orderbys)
{
	double *values = MemoryContextAlloc(context, sizeof(double) * nodes * orderbys + 1);

	search->distances = MemoryContextAlloc(context, sizeof(double *) * nodes);
	search->nodes = MemoryContextAlloc(context, sizeof(int) * nodes);
	for (int i = 0; i < nodes; i++)
		search->distances[i] = values + i * orderbys;
	search->room = nodes;
}

static inline const O2oGeoQuery *
prepared(O2oGeoQuery *query, O2oGeoPoint point)
{
	if (query->point != point)
		o2o_geo_query_init(query, point);
	return query;
}

/* The search of one ORDER BY; another position begins a new one. */
static inline O2oGeoSearch *
searched_from(Search *search, Datum point)
{
	if (search->nearest.query.point != DatumGetGeoPoint(point))
		o2o_geo_search_init(&search->nearest, DatumGetGeoPoint(point));
	return &search->nearest;
}

/* Whether a position of the area may satisfy the condition. */
static bool
area_may_match(Search *search, const ScanKeyData *key, const O2oGeoBox *box)
{
	if (key->sk_strategy == O2O_GEO_IN_CIRCLE)
	{
		const O2oGeoCircle *circle = DatumGetGeoCircle(key->sk_argument);

		return o2o_geo_bound(prepared(&search->circle, circle->center), box) <= circle->radius;
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
point_matches(Search *search, const ScanKeyData *key, O2oGeoPoint point)
{
	O2oGeoBox box;

	if (key->sk_strategy == O2O_GEO_IN_CIRCLE)
	{
		const O2oGeoCircle *circle = DatumGetGeoCircle(key->sk_argument);

		return o2o_geo_point_within(prepared(&search->circle, circle->center), point,
									circle->radius);
	}
	box = o2o_geo_point_box(point);
	return area_may_match(search, key, &box);
}

Datum
o2o_geopoint_spgist_inner_consistent(PG_FUNCTION_ARGS)
{
	spgInnerConsistentIn *in = (spgInnerConsistentIn *) PG_GETARG_POINTER(0);
	spgInnerConsistentOut *out = (spgInnerConsistentOut *) PG_GETARG_POINTER(1);
	Search *search = search_of(fcinfo->flinfo);
	int i;
	int k;

	if (in->nNodes > search->room)
		make_room(search, fcinfo->flinfo->fn_mcxt, in->nNodes, in->norderbys);
	out->nNodes = 0;
	out->nodeNumbers = search->nodes;
	if (in->norderbys > 0)
		out->distances = search->distances;
	for (i = 0; i < in->nNodes; i++)
	{
		O2oGeoBox box = o2o_geo_cell_box(DatumGetCell(in->nodeLabels[i]));
		bool enter = true;

		for (k = 0; k < in->nkeys && enter; k++)
			enter = area_may_match(search, &in->scankeys[k], &box);
		if (!enter)
			continue;
		for (k = 0; k < in->norderbys; k++)
			out->distances[out->nNodes][k] =
				o2o_geo_bound(&searched_from(search, in->orderbys[k].sk_argument)->query, &box);
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
	Search *search = search_of(fcinfo->flinfo);
	int k;

	out->recheck = false;
	for (k = 0; k < in->nkeys; k++)
		if (!point_matches(search, &in->scankeys[k], point))
			PG_RETURN_BOOL(false);
	if (in->norderbys == 0)
		PG_RETURN_BOOL(true);
	if (search->room == 0)
		make_room(search, fcinfo->flinfo->fn_mcxt, 1, in->norderbys);
	out->distances = search->distances[0];
	out->recheckDistances = false;
	for (k = 0; k < in->norderbys; k++)
	{
		bool exact;

		out->distances[k] = o2o_geo_search_distance(
			searched_from(search, in->orderbys[k].sk_argument), point, &exact);
		if (!exact)
			out->recheckDistances = true;
	}
	PG_RETURN_BOOL(true);
}
