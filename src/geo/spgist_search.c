/*
 * spgist_search.c
 *		Searches of the SP-GiST index of positions, whose tree spgist.c makes.  Lower
 *		bounds of distances are computed in bound.c.
 *
 * The server refuses lower bounds of distances in an index-only scan, where it has
 * no row to compute the exact one from.  In such a scan, and in no other, the core
 * asks for the position back: then all distances are exact.  Only the second of the
 * two operator classes offers it, for the core's index-only scans of SP-GiST may show
 * a row that is gone: they keep no pin that would hold VACUUM off.  (An index of an
 * expression whose columns are all INCLUDEd is scanned so with either.)
 */
#include "o2o.h"

#include "access/spgist.h"
#include "fmgr.h"
#include "geo/spgist.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_inner_consistent);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_leaf_consistent);

/*
 * What is kept for the scan: of the positions searched from what the bounds need,
 * and room for the answer, which the core copies before it asks again.
 */
typedef struct Search
{
	O2oGeoSearch nearest;
	O2oGeoReach circle;
	int room;           /* nodes that there is room for */
	int orderbys;       /* with so many distances each */
	double **distances; /* of a node, one for each ORDER BY */
	int *nodes;
	Datum *marks; /* of nodes: whether all of its positions satisfy the conditions */
} Search;

static Search *
search_begin(FmgrInfo *flinfo)
{
	Search *search = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(Search));

	o2o_geo_search_init(&search->nearest, 0);
	o2o_geo_reach_init(&search->circle, 0, 0.0);
	flinfo->fn_extra = search;
	return search;
}

static inline Search *
search_of(FmgrInfo *flinfo)
{
	return flinfo->fn_extra ? (Search *) flinfo->fn_extra : search_begin(flinfo);
}

/*
 * Room for the answer about so many nodes.  Where a position searched from is NULL the
 * core leaves its ORDER BY out, so that the next scan may have more of them than this
 * one.  What was given before stays until the scan ends.
 */
static void
make_room(Search *search, MemoryContext context, int nodes, int orderbys)
{
	double *values;

	nodes = Max(nodes, search->room);
	orderbys = Max(orderbys, search->orderbys);
	values = MemoryContextAlloc(context, sizeof(double) * nodes * orderbys + 1);
	search->distances = MemoryContextAlloc(context, sizeof(double *) * nodes);
	search->nodes = MemoryContextAlloc(context, sizeof(int) * nodes);
	search->marks = MemoryContextAlloc(context, sizeof(Datum) * nodes);
	for (int i = 0; i < nodes; i++)
		search->distances[i] = values + i * orderbys;
	search->room = nodes;
	search->orderbys = orderbys;
}

static inline void
ensure_room(Search *search, MemoryContext context, int nodes, int orderbys)
{
	if (nodes > search->room || orderbys > search->orderbys)
		make_room(search, context, nodes, orderbys);
}

static inline bool
is_prepared(const Search *search, const O2oGeoCircle *circle)
{
	return search->circle.query.point == circle->center && search->circle.metres == circle->radius;
}

/* The circle of a condition; another one is prepared anew. */
static inline const O2oGeoReach *
circle_of(Search *search, const ScanKeyData *key)
{
	const O2oGeoCircle *circle = DatumGetGeoCircle(key->sk_argument);

	if (!is_prepared(search, circle))
		o2o_geo_reach_init(&search->circle, circle->center, circle->radius);
	return &search->circle;
}

/* The search of one ORDER BY; another position begins a new one. */
static inline O2oGeoSearch *
searched_from(Search *search, Datum point)
{
	if (search->nearest.query.point != DatumGetGeoPoint(point))
		o2o_geo_search_init(&search->nearest, DatumGetGeoPoint(point));
	return &search->nearest;
}

/* The only condition, if that is a circle: what most searches have. */
static inline const O2oGeoReach *
only_circle(Search *search, const ScanKeyData *keys, int nkeys)
{
	return nkeys == 1 && keys->sk_strategy == O2O_GEO_IN_CIRCLE ? circle_of(search, keys) : NULL;
}

/*
 * Whether positions of the area satisfy the conditions.  What is marked as no inline
 * stays a call: the stack that it needs is not to be paid for by every position.
 */
static pg_noinline O2oGeoFit
area_fits(Search *search, const ScanKeyData *keys, int nkeys, const O2oGeoBox *box)
{
	O2oGeoFit fit = O2O_GEO_INSIDE;

	for (int k = 0; k < nkeys && fit != O2O_GEO_APART; k++)
	{
		const ScanKeyData *key = &keys[k];
		bool may = false;

		if (key->sk_strategy == O2O_GEO_IN_CIRCLE)
		{
			fit = Min(fit, o2o_geo_reach_box(circle_of(search, key), box));
			continue;
		}
		if (key->sk_strategy == O2O_GEO_OVERLAPS_FRAME || key->sk_strategy == O2O_GEO_IN_FRAME)
			may = o2o_geo_frame_reaches(DatumGetGeoFrame(key->sk_argument), box);
		else if (key->sk_strategy == O2O_GEO_EQUALS)
			may = o2o_geo_box_holds(box, DatumGetGeoPoint(key->sk_argument));
		else
			elog(ERROR, "unrecognized strategy number: %d", key->sk_strategy);
		fit = may ? O2O_GEO_PERHAPS : O2O_GEO_APART;
	}
	return fit;
}

/* Of a single position the area says all but whether it is in a circle. */
static pg_noinline bool
point_in_area(Search *search, const ScanKeyData *key, O2oGeoPoint point)
{
	O2oGeoBox box = o2o_geo_point_box(point);

	return area_fits(search, key, 1, &box) != O2O_GEO_APART;
}

static bool
point_fits(Search *search, const ScanKeyData *keys, int nkeys, O2oGeoPoint point)
{
	for (int k = 0; k < nkeys; k++)
		if (keys[k].sk_strategy == O2O_GEO_IN_CIRCLE
				? !o2o_geo_reach_holds(circle_of(search, &keys[k]), point)
				: !point_in_area(search, &keys[k], point))
			return false;
	return true;
}

Datum
o2o_geopoint_spgist_inner_consistent(PG_FUNCTION_ARGS)
{
	spgInnerConsistentIn *in = (spgInnerConsistentIn *) PG_GETARG_POINTER(0);
	spgInnerConsistentOut *out = (spgInnerConsistentOut *) PG_GETARG_POINTER(1);
	Search *search = search_of(fcinfo->flinfo);
	/* below a node that is marked nothing is asked again; the mark is in the place of its value */
	bool asked = in->nkeys > 0 && !DatumGetBool(in->reconstructedValue);
	const O2oGeoReach *circle = asked ? only_circle(search, in->scankeys, in->nkeys) : NULL;
	int count = 0;

	ensure_room(search, fcinfo->flinfo->fn_mcxt, in->nNodes, in->norderbys);
	for (int i = 0; i < in->nNodes; i++)
	{
		O2oGeoBox box = o2o_geo_label_whole_box(in->nodeLabels[i]);
		O2oGeoFit fit = in->nkeys > 0 ? O2O_GEO_INSIDE : O2O_GEO_PERHAPS;

		/* what most are */
		if (circle && !o2o_geo_boxes_meet(&circle->window, &box))
			continue;
		box = o2o_geo_box_on_map(box);
		if (asked)
			fit = circle ? o2o_geo_reach_fit(circle, &box)
						 : area_fits(search, in->scankeys, in->nkeys, &box);
		if (fit == O2O_GEO_APART)
			continue;
		for (int k = 0; k < in->norderbys; k++)
			search->distances[count][k] =
				o2o_geo_bound(&searched_from(search, in->orderbys[k].sk_argument)->query, &box);
		search->marks[count] = BoolGetDatum(fit == O2O_GEO_INSIDE);
		search->nodes[count++] = i;
	}
	out->nNodes = count;
	out->nodeNumbers = search->nodes;
	out->reconstructedValues = search->marks;
	if (in->norderbys > 0)
		out->distances = search->distances;
	PG_RETURN_VOID();
}

/* A position that satisfies the conditions, with its distances for each ORDER BY. */
static pg_noinline Datum
leaf_distances(FmgrInfo *flinfo, const spgLeafConsistentIn *in, spgLeafConsistentOut *out)
{
	Search *search = search_of(flinfo);
	bool all_exact = true;

	ensure_room(search, flinfo->fn_mcxt, 1, in->norderbys);
	for (int k = 0; k < in->norderbys; k++)
	{
		O2oGeoSearch *nearest = searched_from(search, in->orderbys[k].sk_argument);
		O2oGeoPoint point = DatumGetGeoPoint(in->leafDatum);
		bool exact = in->returnData;

		search->distances[0][k] = exact ? o2o_geo_query_distance(&nearest->query, point)
										: o2o_geo_search_distance(nearest, point, &exact);
		all_exact &= exact;
	}
	out->recheckDistances = !all_exact;
	out->distances = search->distances[0];
	PG_RETURN_BOOL(true);
}

static inline Datum
leaf_result(FmgrInfo *flinfo, const spgLeafConsistentIn *in, spgLeafConsistentOut *out)
{
	out->recheck = false;
	out->leafValue = in->leafDatum;
	if (in->norderbys > 0)
		return leaf_distances(flinfo, in, out);
	PG_RETURN_BOOL(true);
}

/*
 * Whether a position is outside of the circle that is the only condition, as far as
 * the circle's window says: what most positions that a search by radius comes to are.
 */
static inline bool
outside_window(const Search *search, const spgLeafConsistentIn *in)
{
	return search && in->nkeys == 1 && in->scankeys->sk_strategy == O2O_GEO_IN_CIRCLE &&
		   is_prepared(search, DatumGetGeoCircle(in->scankeys->sk_argument)) &&
		   !o2o_geo_box_holds(&search->circle.window, DatumGetGeoPoint(in->leafDatum));
}

static pg_noinline Datum
leaf_asked(FmgrInfo *flinfo, const spgLeafConsistentIn *in, spgLeafConsistentOut *out)
{
	if (!point_fits(search_of(flinfo), in->scankeys, in->nkeys, DatumGetGeoPoint(in->leafDatum)))
		PG_RETURN_BOOL(false);
	return leaf_result(flinfo, in, out);
}

Datum
o2o_geopoint_spgist_leaf_consistent(PG_FUNCTION_ARGS)
{
	spgLeafConsistentIn *in = (spgLeafConsistentIn *) PG_GETARG_POINTER(0);
	spgLeafConsistentOut *out = (spgLeafConsistentOut *) PG_GETARG_POINTER(1);

	if (in->nkeys == 0 || DatumGetBool(in->reconstructedValue))
		return leaf_result(fcinfo->flinfo, in, out);
	if (outside_window((Search *) fcinfo->flinfo->fn_extra, in))
		PG_RETURN_BOOL(false);
	return leaf_asked(fcinfo->flinfo, in, out);
}
