/*
 * spgist.c
 *		SP-GiST operator classes of o2o.geopoint: a radix tree over cells, which are
 *		computed in cell.c.  It is searched in spgist_search.c.
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
 */
#include "o2o.h"

#include "access/spgist.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "geo/spgist.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_config);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_covering_config);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_choose);
PG_FUNCTION_INFO_V1(o2o_geopoint_spgist_picksplit);

/* A split divides more positions than that further; a tuple of so many nodes gets only large ones more. */
#define CROWDED 24
#define MANY_NODES 32

#define DatumGetCell(x) ((O2oGeoCell) DatumGetInt64(x))
#define CellGetDatum(x) Int64GetDatum((int64) (x))

static Datum
label_of(O2oGeoCell cell)
{
	O2oGeoBox box;
	uint64 open;

	if (o2o_geo_cell_bits(cell) > O2O_GEO_LABEL_BITS)
		cell = o2o_geo_cell_prefix(cell, O2O_GEO_LABEL_BITS);
	box = o2o_geo_cell_box(cell);
	open = O2O_GEO_CELL_BITS - o2o_geo_cell_bits(cell);
	return CellGetDatum((uint64) box.west << 32 | box.south | (open >> 3) << 32 | (open & 7));
}

static O2oGeoCell
cell_of_label(Datum label)
{
	O2oGeoBox box = o2o_geo_label_box(label);

	return o2o_geo_cell_prefix(o2o_geo_cell(o2o_geo_pack(box.west, box.south)),
							   O2O_GEO_CELL_BITS - o2o_geo_label_open_bits(label));
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
		O2oGeoBox box = o2o_geo_label_box(in->nodeLabels[i]);

		bits = O2O_GEO_CELL_BITS - o2o_geo_label_open_bits(in->nodeLabels[i]);
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
		out->result.addNode.nodeLabel =
			label_of(o2o_geo_cell_prefix(cell, Min(bits, O2O_GEO_LABEL_BITS)));
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

	if (bits < O2O_GEO_LABEL_BITS && (crowded || high - low > CROWDED))
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
	cover = o2o_geo_cell_prefix(places[0].cell, Min(bits_level(i), O2O_GEO_LABEL_BITS));

	out->hasPrefix = true;
	out->prefixDatum = CellGetDatum(cover);
	out->nNodes = 0;
	out->nodeLabels = palloc(sizeof(Datum) * in->nTuples);
	out->mapTuplesToNodes = palloc(sizeof(int) * in->nTuples);
	out->leafTupleDatums = in->datums;
	divide(places, 0, in->nTuples, cover, true, out);
	PG_RETURN_VOID();
}
