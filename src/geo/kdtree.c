/*
 * kdtree.c
 *		The nearest of many positions in memory, exactly: pure, no PostgreSQL
 *		header.  The SQL function around it lives in knn_join.c, distances in
 *		distance.c.
 *
 * A balanced tree without links in one array of 16 bytes a place: the middle
 * place of a range divides it along the axis in which the range is widest, small
 * ranges are read through.  Places are earth-centred coordinates in whole
 * centimetres, so that squares are exact in 64 bits.
 *
 * A search goes by straight lines, which cost nearly nothing: the k-th shortest
 * one so far says how long the k-th distance can be at most, and no path over the
 * surface is shorter than the straight line.  So only places whose straight line is
 * no longer than that can be among the nearest: these alone, seldom more than k, get
 * an exact distance in the end.  If they are too many to be kept in mind, the search
 * goes once more, with exact distances.  SLACK is for the rounding to centimetres.
 * Equal distances go by id.
 */
#include "geo/kdtree.h"

#include <math.h>

/* Ranges of so many places are read through. */
#define BUCKET 8
#define ITEM_BITS 30
#define ITEM_MASK ((UINT32_C(1) << ITEM_BITS) - 1)

/* Each end of a line is off by half a centimetre in each coordinate, together below 2. */
#define SLACK_CM 3.0
/* What the exact distance itself may lack, and more. */
#define SLACK_RELATIVE 2e-9

/*
 * A geodesic is curved nowhere more than a circle of the smallest radius of curvature,
 * so that its chord is no shorter than that of such an arc (Schur).  That holds up to
 * half the circle; for chords above the radius another bound does: no path is longer
 * than the one from pole to pole, 1.5735 chords.
 */
#define RADIUS_MIN 6335439.0
#define FAR_ARC 1.58

/* So many places that may be among the nearest are kept in mind. */
#define CANDIDATES 48

/* One search. */
typedef struct Search
{
	const O2oGeoTree *tree;
	O2oGeoQuery from;
	int32_t at[3];
	O2oGeoNeighbour *found; /* a heap: the last of the order on top */
	int count;
	int wanted;
	bool exact;     /* the second time */
	int64_t limit2; /* no place beyond it is wanted: square centimetres */
	int candidates; /* the first time: more than CANDIDATES if not all are here */
	struct
	{
		int64_t line2;
		uint32_t item;
	} candidate[CANDIDATES];
} Search;

/* Places of a tree in centimetres. */
static void
coordinates_of(O2oGeoPoint point, int32_t at[3])
{
	double metres[3];
	int i;

	o2o_geo_ecef(point, metres);
	for (i = 0; i < 3; i++)
		at[i] = (int32_t) lround(metres[i] * 100.0);
}

/* Before a in the order of distance, then id. */
static bool
comes_before(const O2oGeoNeighbour *a, const O2oGeoNeighbour *b)
{
	return a->metres < b->metres || (a->metres == b->metres && a->id < b->id);
}

static void
sift_down(O2oGeoNeighbour *heap, int count, int at)
{
	O2oGeoNeighbour moved = heap[at];

	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
			child++;
		if (!comes_before(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* Square of the longest straight line that a distance allows. */
static int64_t
limit_of(double metres)
{
	double cm = metres * (100.0 * (1.0 + SLACK_RELATIVE)) + SLACK_CM;

	return (int64_t) (cm * cm);
}

/* The longest distance that a straight line in centimetres allows. */
static double
metres_above(double line)
{
	double chord = (line + SLACK_CM) / 100.0;

	if (chord > RADIUS_MIN)
		return chord * FAR_ARC;
	return 2.0 * RADIUS_MIN * asin(chord / (2.0 * RADIUS_MIN));
}

/* Keep a place if it is among the nearest so far; metres are a square of centimetres the first time. */
static bool
keep(Search *search, double metres, int64_t id)
{
	O2oGeoNeighbour here = {.metres = metres, .id = id};

	if (search->count < search->wanted)
	{
		int at = search->count++;

		while (at > 0 && comes_before(&search->found[(at - 1) / 2], &here))
		{
			search->found[at] = search->found[(at - 1) / 2];
			at = (at - 1) / 2;
		}
		search->found[at] = here;
	}
	else if (comes_before(&here, &search->found[0]))
	{
		search->found[0] = here;
		sift_down(search->found, search->count, 0);
	}
	else
		return false;
	return search->count == search->wanted;
}

static void
consider_exactly(Search *search, uint32_t item)
{
	if (keep(search, o2o_geo_query_distance(&search->from, search->tree->points[item]),
			 search->tree->ids[item]))
		search->limit2 = limit_of(search->found[0].metres);
}

static inline void
consider(Search *search, const O2oGeoPlace *place)
{
	int64_t x = (int64_t) place->at[0] - search->at[0];
	int64_t y = (int64_t) place->at[1] - search->at[1];
	int64_t z = (int64_t) place->at[2] - search->at[2];
	int64_t line2 = x * x + y * y + z * z;
	uint32_t item = place->item & ITEM_MASK;

	if (line2 > search->limit2)
		return;
	if (search->exact)
		consider_exactly(search, item);
	else
	{
		if (search->candidates < CANDIDATES)
		{
			search->candidate[search->candidates].line2 = line2;
			search->candidate[search->candidates].item = item;
		}
		search->candidates++;
		if (keep(search, (double) line2, 0))
			search->limit2 = limit_of(metres_above(sqrt(search->found[0].metres)));
	}
}

/*
 * Search a range of places, none of which is nearer than the square apart2: the
 * sum of the squares of gaps, how far the range is away along each axis.
 */
static void
search_range(Search *search, int low, int high, int64_t apart2, int64_t gaps[3])
{
	while (high - low > BUCKET)
	{
		int middle = low + (high - low) / 2;
		const O2oGeoPlace *place = &search->tree->places[middle];
		int axis = place->item >> ITEM_BITS;
		int64_t beyond = (int64_t) search->at[axis] - place->at[axis];
		int64_t gap = gaps[axis];
		int64_t far2 = apart2 - gap * gap + beyond * beyond;
		int far_low = beyond < 0 ? middle + 1 : low;
		int far_high = beyond < 0 ? high : middle;

		search_range(search, beyond < 0 ? low : middle + 1, beyond < 0 ? middle : high, apart2,
					 gaps);
		consider(search, place);
		if (far2 > search->limit2)
			return;
		gaps[axis] = beyond;
		search_range(search, far_low, far_high, far2, gaps);
		gaps[axis] = gap;
		return;
	}
	for (; low < high; low++)
		consider(search, &search->tree->places[low]);
}

/* The nearest wanted places or all, whichever are fewer, in order; returns how many. */
int
o2o_geo_tree_nearest(const O2oGeoTree *tree, O2oGeoPoint from, int wanted, O2oGeoNeighbour *found)
{
	Search search;
	int64_t gaps[3] = {0, 0, 0};
	int count;

	if (wanted <= 0)
		return 0;
	o2o_geo_query_init(&search.from, from);
	coordinates_of(from, search.at);
	search.tree = tree;
	search.found = found;
	search.wanted = wanted;
	search.exact = false;
	search.limit2 = INT64_MAX;
	search.count = 0;
	search.candidates = 0;
	search_range(&search, 0, tree->count, 0, gaps);
	search.exact = true;
	search.count = 0;
	if (search.candidates > CANDIDATES)
		search_range(&search, 0, tree->count, 0, gaps);
	else
		for (int i = 0; i < search.candidates; i++)
			if (search.candidate[i].line2 <= search.limit2)
				consider_exactly(&search, search.candidate[i].item);
	count = search.count;
	while (search.count > 1)
	{
		O2oGeoNeighbour last = found[0];

		found[0] = found[--search.count];
		sift_down(found, search.count, 0);
		found[search.count] = last;
	}
	return count;
}

static void
swap_places(O2oGeoPlace *a, O2oGeoPlace *b)
{
	O2oGeoPlace kept = *a;

	*a = *b;
	*b = kept;
}

/* The axis along which a range is widest. */
static int
widest_axis(const O2oGeoPlace *places, int low, int high)
{
	int32_t least[3];
	int32_t most[3];
	int axis = 0;
	int i;

	for (i = 0; i < 3; i++)
		least[i] = most[i] = places[low].at[i];
	for (; low < high; low++)
		for (i = 0; i < 3; i++)
		{
			int32_t at = places[low].at[i];

			if (at < least[i])
				least[i] = at;
			else if (at > most[i])
				most[i] = at;
		}
	for (i = 1; i < 3; i++)
		if ((int64_t) most[i] - least[i] > (int64_t) most[axis] - least[axis])
			axis = i;
	return axis;
}

/* Put the place that belongs there into the middle, none greater before, none less after it. */
static void
divide(O2oGeoPlace *places, int low, int high, int middle, int axis)
{
	high--;
	while (low < high)
	{
		int32_t a = places[low].at[axis];
		int32_t b = places[low + (high - low) / 2].at[axis];
		int32_t c = places[high].at[axis];
		int32_t pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
		int i = low;
		int j = high;

		while (i <= j)
		{
			while (places[i].at[axis] < pivot)
				i++;
			while (places[j].at[axis] > pivot)
				j--;
			if (i <= j)
				swap_places(&places[i++], &places[j--]);
		}
		if (middle <= j)
			high = j;
		else if (middle >= i)
			low = i;
		else
			return;
	}
}

static void
build_range(O2oGeoPlace *places, int low, int high, void (*breathe)(void))
{
	while (high - low > BUCKET)
	{
		int middle = low + (high - low) / 2;
		int axis = widest_axis(places, low, high);

		breathe();
		divide(places, low, high, middle, axis);
		places[middle].item |= (uint32_t) axis << ITEM_BITS;
		build_range(places, low, middle, breathe);
		low = middle + 1;
	}
}

/* Append a place; its number counts the places so far. */
void
o2o_geo_tree_add(O2oGeoTree *tree, O2oGeoPoint point, int item)
{
	O2oGeoPlace *place = &tree->places[tree->count++];

	coordinates_of(point, place->at);
	place->item = (uint32_t) item;
}

/* Order the places; breathe is called now and then. */
void
o2o_geo_tree_build(O2oGeoTree *tree, void (*breathe)(void))
{
	build_range(tree->places, 0, tree->count, breathe);
}
