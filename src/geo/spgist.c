/*
 * spgist.c
 *		SP-GiST operator class of o2o.geopoint: a radix tree over cells.  Cells are
 *		computed in cell.c, lower bounds of distances in bound.c.
 *
 * An inner tuple has a cell that holds all its positions as prefix, and its nodes
 * are labelled with cells of them.  A split halves the smallest cell of what is too
 * much for one node, again and again: every position of a node that a search comes
 * to costs it time, and so does every node.  A position outside the prefix splits
 * the tuple (spgSplitTuple); one that no label covers adds a node, as small as the
 * others, so that it does not fill up at once.  Its label may hold those of others;
 * the smallest label that covers a position is its node.
 *
 * Why all this care: the core turns a split in which all the old positions fall
 * into one node into an "allTheSame" tuple, whose nodes divide its positions at
 * random for good, and every search below has to visit all of them.  Here that
 * happens to positions less than 16 cm apart only.  (Such a tuple repeats one label,
 * which is then the cell that counts, not the prefix.)
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
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_config);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_covering_config);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_choose);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_picksplit);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_inner_consistent);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_leaf_consistent);

/* A split divides more positions than that further; a tuple of so many nodes gets only large ones more. */
#define CROWDED 24
#define MANY_NODES 32

#define DatumGetCell(x) ((O2oGeoCell) DatumGetInt64(x))
#define CellGetDatum(x) Int64GetDatum((int64) (x))

/*
 * The label of a node is a cell in a form that a search reads at once: longitude
 * of its corner in the upper 32 bits, latitude in the lower, and in the lowest 3
 * of each, which are free in cells of at most LABEL_BITS, how many bits it leaves
 * open.
 */
#define LABEL_BITS 56

static Datum
label_of(O2oGeoCell cell)
{
	O2oGeoBox box;
	uint64 open;

	if (o2o_geo_cell_bits(cell) > LABEL_BITS)
		cell = o2o_geo_cell_prefix(cell, LABEL_BITS);
	box = o2o_geo_cell_box(cell);
	open = O2O_GEO_CELL_BITS - o2o_geo_cell_bits(cell);
	return CellGetDatum((uint64) box.west << 32 | box.south | (open >> 3) << 32 | (open & 7));
}

static inline int
open_bits(Datum label)
{
	return (int) (((uint64) label >> 29 & 0x38) | ((uint64) label & 7));
}

/* The area of a cell, with what of it lies beyond the edges of the map. */
static inline O2oGeoBox
whole_box_of(Datum label)
{
	int open = open_bits(label);
	O2oGeoBox box;

	box.west = (uint64) label >> 32 & 0xFFFFFFF8;
	box.south = (uint64) label & 0xFFFFFFF8;
	box.east = box.west + (INT64CONST(1) << ((open + 1) >> 1)) - 1;
	box.north = box.south + (INT64CONST(1) << (open >> 1)) - 1;
	return box;
}

static inline O2oGeoBox
on_map(O2oGeoBox box)
{
	box.east = Min(box.east, O2O_GEO_LON_TURN - 1);
	box.north = Min(box.north, O2O_GEO_LAT_TOP);
	return box;
}

static inline O2oGeoBox
box_of(Datum label)
{
	return on_map(whole_box_of(label));
}

static O2oGeoCell
cell_of_label(Datum label)
{
	O2oGeoBox box = box_of(label);

	return o2o_geo_cell_prefix(o2o_geo_cell(o2o_geo_pack(box.west, box.south)),
							   O2O_GEO_CELL_BITS - open_bits(label));
}

static void
configure(spgConfigOut *out, bool returns_positions)
{
	out->prefixType = INT8OID;
	out->labelType = INT8OID;
	out->canReturnData = returns_positions;
	out->longValuesOK = false;
}

Datum
o2o_geopoint_spgist_config(PG_FUNCTION_ARGS)
{
	configure((spgConfigOut *) PG_GETARG_POINTER(1), false);
	PG_RETURN_VOID();
}

Datum
o2o_geopoint_spgist_covering_config(PG_FUNCTION_ARGS)
{
	configure((spgConfigOut *) PG_GETARG_POINTER(1), true);
	PG_RETURN_VOID();
}

/*
 * Prefixes and large labels are cells of every fourth bit.  A search reads all nodes
 * of each tuple that it comes to, and about twenty of them cost as much as one more
 * tuple does, which mostly lies on another page: fewer nodes make too many levels,
 * more are read in vain.
 */
#define LEVEL 4

/* The next level below so many bits. */
static inline int
bits_below(int bits)
{
	return (bits / LEVEL + 1) * LEVEL;
}

/* The one at so many bits, or above. */
static inline int
bits_level(int bits)
{
	return bits / LEVEL * LEVEL;
}

Datum
o2o_geopoint_spgist_choose(PG_FUNCTION_ARGS)
{
	spgChooseIn *in = (spgChooseIn *) PG_GETARG_POINTER(0);
	spgChooseOut *out = (spgChooseOut *) PG_GETARG_POINTER(1);
	O2oGeoCell cell = o2o_geo_cell(DatumGetGeoPoint(in->leafDatum));
	O2oGeoCell cover =
		in->allTheSame ? cell_of_label(in->nodeLabels[0]) : DatumGetCell(in->prefixDatum);
	int cover_bits = o2o_geo_cell_bits(cover);
	int best = -1;
	int best_bits = -1;
	int sum = 0;
	int bits;
	int i;

	if (!o2o_geo_cell_contains(cover, cell))
	{
		bits = bits_level(o2o_geo_cell_common_bits(cover, cell));
		out->resultType = spgSplitTuple;
		out->result.splitTuple.prefixHasPrefix = true;
		out->result.splitTuple.prefixPrefixDatum = CellGetDatum(o2o_geo_cell_prefix(cell, bits));
		out->result.splitTuple.prefixNNodes = 1;
		out->result.splitTuple.prefixNodeLabels = palloc(sizeof(Datum));
		out->result.splitTuple.prefixNodeLabels[0] =
			label_of(o2o_geo_cell_prefix(cover, Min(bits_below(bits), cover_bits)));
		out->result.splitTuple.childNodeN = 0;
		out->result.splitTuple.postfixHasPrefix = true;
		out->result.splitTuple.postfixPrefixDatum = CellGetDatum(cover);
		PG_RETURN_VOID();
	}

	for (i = 0; i < in->nNodes; i++)
	{
		O2oGeoBox box = box_of(in->nodeLabels[i]);

		bits = O2O_GEO_CELL_BITS - open_bits(in->nodeLabels[i]);
		sum += bits;
		if (bits > best_bits && o2o_geo_box_holds(&box, DatumGetGeoPoint(in->leafDatum)))
		{
			best = i;
			best_bits = bits;
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
		/* as small as the others are */
		bits = bits_below(cover_bits);
		if (in->nNodes < MANY_NODES)
			bits = Max(bits, sum / in->nNodes);
		out->resultType = spgAddNode;
		out->result.addNode.nodeLabel = label_of(o2o_geo_cell_prefix(cell, Min(bits, LABEL_BITS)));
		out->result.addNode.nodeN = in->nNodes;
	}
	PG_RETURN_VOID();
}

/* A position that is divided from others: its cell, and its place among them. */
typedef struct SplitPlace
{
	O2oGeoCell cell;
	int tuple;
} SplitPlace;

static int
compare_places(const void *a, const void *b)
{
	O2oGeoCell left = ((const SplitPlace *) a)->cell;
	O2oGeoCell right = ((const SplitPlace *) b)->cell;

	return (left > right) - (left < right);
}

/*
 * Give the places from low to high, all in the same cell, a node, or divide them
 * in halves of the smallest cell that holds them all, as long as there are too many.
 */
static void
divide(const SplitPlace *places, int low, int high, O2oGeoCell cell, bool crowded,
	   spgPickSplitOut *out)
{
	int bits = o2o_geo_cell_common_bits(places[low].cell, places[high - 1].cell);

	if (bits < LABEL_BITS && (crowded || high - low > CROWDED))
	{
		O2oGeoCell upper;
		int middle = low;

		cell = o2o_geo_cell_prefix(places[low].cell, bits + 1);
		upper = o2o_geo_cell_prefix(places[high - 1].cell, bits + 1);
		while (places[middle].cell < upper && !o2o_geo_cell_contains(upper, places[middle].cell))
			middle++;
		divide(places, low, middle, cell, false, out);
		divide(places, middle, high, upper, false, out);
		return;
	}
	out->nodeLabels[out->nNodes] = label_of(cell);
	for (; low < high; low++)
		out->mapTuplesToNodes[places[low].tuple] = out->nNodes;
	out->nNodes++;
}

Datum
o2o_geopoint_spgist_picksplit(PG_FUNCTION_ARGS)
{
	spgPickSplitIn *in = (spgPickSplitIn *) PG_GETARG_POINTER(0);
	spgPickSplitOut *out = (spgPickSplitOut *) PG_GETARG_POINTER(1);
	SplitPlace *places = palloc(sizeof(SplitPlace) * in->nTuples);
	O2oGeoCell cover;
	int i;

	for (i = 0; i < in->nTuples; i++)
	{
		places[i].cell = o2o_geo_cell(DatumGetGeoPoint(in->datums[i]));
		places[i].tuple = i;
	}
	qsort(places, in->nTuples, sizeof(SplitPlace), compare_places);
	i = o2o_geo_cell_common_bits(places[0].cell, places[in->nTuples - 1].cell);
	cover = o2o_geo_cell_prefix(places[0].cell, Min(bits_level(i), LABEL_BITS));

	out->hasPrefix = true;
	out->prefixDatum = CellGetDatum(cover);
	out->nNodes = 0;
	out->nodeLabels = palloc(sizeof(Datum) * in->nTuples);
	out->mapTuplesToNodes = palloc(sizeof(int) * in->nTuples);
	out->leafTupleDatums = in->datums;
	divide(places, 0, in->nTuples, cover, true, out);
	PG_RETURN_VOID();
}

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
	void **marks; /* of nodes all of whose positions satisfy the conditions */
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
	search->marks = MemoryContextAlloc(context, sizeof(void *) * nodes);
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
	/* below a node that was marked nothing is asked again */
	bool asked = in->nkeys > 0 && in->traversalValue == NULL;
	const O2oGeoReach *circle = asked ? only_circle(search, in->scankeys, in->nkeys) : NULL;
	int count = 0;

	ensure_room(search, fcinfo->flinfo->fn_mcxt, in->nNodes, in->norderbys);
	for (int i = 0; i < in->nNodes; i++)
	{
		O2oGeoBox box = whole_box_of(in->nodeLabels[i]);
		O2oGeoFit fit = in->nkeys > 0 ? O2O_GEO_INSIDE : O2O_GEO_PERHAPS;

		/* what most are */
		if (circle && !o2o_geo_boxes_meet(&circle->window, &box))
			continue;
		box = on_map(box);
		if (asked)
			fit = circle ? o2o_geo_reach_fit(circle, &box)
						 : area_fits(search, in->scankeys, in->nkeys, &box);
		if (fit == O2O_GEO_APART)
			continue;
		for (int k = 0; k < in->norderbys; k++)
			search->distances[count][k] =
				o2o_geo_bound(&searched_from(search, in->orderbys[k].sk_argument)->query, &box);
		/* the core frees each mark by itself */
		search->marks[count] =
			fit == O2O_GEO_INSIDE ? MemoryContextAlloc(in->traversalMemoryContext, 1) : NULL;
		search->nodes[count++] = i;
	}
	out->nNodes = count;
	out->nodeNumbers = search->nodes;
	out->traversalValues = search->marks;
	if (in->norderbys > 0)
		out->distances = search->distances;
	PG_RETURN_VOID();
}

/* The distances of a position, for each ORDER BY. */
static pg_noinline void
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

static pg_noinline bool
leaf_fits(FmgrInfo *flinfo, const spgLeafConsistentIn *in, spgLeafConsistentOut *out)
{
	if (in->traversalValue == NULL && in->nkeys > 0 &&
		!point_fits(search_of(flinfo), in->scankeys, in->nkeys, DatumGetGeoPoint(in->leafDatum)))
		return false;
	out->recheck = false;
	out->leafValue = in->leafDatum;
	if (in->norderbys > 0)
		leaf_distances(flinfo, in, out);
	return true;
}

Datum
o2o_geopoint_spgist_leaf_consistent(PG_FUNCTION_ARGS)
{
	spgLeafConsistentIn *in = (spgLeafConsistentIn *) PG_GETARG_POINTER(0);
	spgLeafConsistentOut *out = (spgLeafConsistentOut *) PG_GETARG_POINTER(1);

	if (in->traversalValue == NULL && outside_window((Search *) fcinfo->flinfo->fn_extra, in))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(leaf_fits(fcinfo->flinfo, in, out));
}
