/*
 * match_cluster.c
 *		match_clusters(): who is one, by links above the threshold and by checks.
 *		Plain closure makes one person of everybody along a chain of links; here
 *		two clusters become one only if their pairs speak for it taken together.
 *
 * Links come by falling weight. Where a link would join two clusters, all pairs
 * across are scored, those that blocking did not find as well, and the clusters
 * join if the mean of their weights is above zero (average linkage). So a bridge,
 * one good link between groups that otherwise disagree, joins nothing. Half of the
 * prior is left out of these weights: the question is one, not one for each pair,
 * and a record that says little must not speak against its own cluster. Weights
 * are cut at both ends, that no single pair decides. Besides: the cap, pairs that
 * are kept apart, and one record of each source.
 * Ties go by ids: the answer depends on the records alone.
 */
#include "identity/match.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include <math.h>

PG_FUNCTION_INFO_V1(o2o_match_clusters);

#define PRIOR_ONCE 0.5 /* share of the prior that does not count against each pair */
#define MEAN_LOW 5.0   /* bits: a weight beyond is not more convincing */
#define MEAN_HIGH 10.0
#define FIRST_LINKS 1024

typedef struct Link
{
	double weight;
	int32 a;
	int32 b;
} Link;

#define ST_SORT sort_links
#define ST_ELEMENT_TYPE Link
#define ST_COMPARE(x, y)                                               \
	((x)->weight != (y)->weight ? ((x)->weight > (y)->weight ? -1 : 1) \
	 : (x)->a != (y)->a         ? ((x)->a < (y)->a ? -1 : 1)           \
	 : (x)->b != (y)->b         ? ((x)->b < (y)->b ? -1 : 1)           \
								: 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Two clusters that did not join, as large as they were then. */
typedef struct Refusal
{
	int32 a;
	int32 b;
	int32 a_size;
	int32 b_size;
} Refusal;

#define REFUSALS 65536

typedef struct Clusters
{
	O2OMatchTable *table;
	O2OMatchWeights weights;
	double least;
	Link *links;
	int64 link_count;
	int64 link_capacity;
	int32 *roots;
	int32 *sizes;
	int32 *next; /* the members of a cluster, from its root; -1: the last */
	int32 *last;
	int32 *refused; /* links of each record that did not join */
	Refusal *refusals;
	int64 *apart; /* pairs of records that are kept apart: lower, higher; ascending */
	int apart_count;
	uint64 scored;
} Clusters;

static void
keep_link(void *argument, int rule, bool first, int32 a, int32 b)
{
	Clusters *clusters = argument;
	double weight;

	if (!first)
		return;
	weight = o2o_match_weight(clusters->table, &clusters->weights,
							  o2o_match_pattern(clusters->table, a, b), a, b);
	if (!(weight >= clusters->least))
		return;
	if (clusters->link_count == clusters->link_capacity)
	{
		MemoryContext context = clusters->table->context;

		clusters->link_capacity =
			clusters->link_capacity == 0 ? FIRST_LINKS : clusters->link_capacity * 2;
		o2o_match_need_memory(context, clusters->link_capacity * sizeof(Link), "Links");
		if (clusters->links == NULL)
			clusters->links = MemoryContextAllocExtended(
				context, clusters->link_capacity * sizeof(Link), MCXT_ALLOC_HUGE);
		else
			clusters->links =
				repalloc_huge(clusters->links, clusters->link_capacity * sizeof(Link));
	}
	clusters->links[clusters->link_count++] = (Link){weight, a, b};
}

static int32
find_root(int32 *roots, int32 at)
{
	while (roots[at] != at)
	{
		roots[at] = roots[roots[at]];
		at = roots[at];
	}
	return at;
}

static int
compare_pairs(const void *x, const void *y)
{
	const int64 *a = x;
	const int64 *b = y;

	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return a[1] < b[1] ? -1 : a[1] > b[1];
}

/* Whether the two records are kept apart, by cannot_link or by being of one source. */
static bool
are_apart(const Clusters *clusters, int32 a, int32 b)
{
	const O2OMatchTable *table = clusters->table;
	int column = table->model->one_per_column;

	if (column >= 0)
	{
		int32 source = table->cells[(Size) a * table->model->column_count + column];

		if (source >= 0 && source == table->cells[(Size) b * table->model->column_count + column])
			return true;
	}
	if (clusters->apart_count > 0)
	{
		int64 pair[2] = {Min(table->ids[a], table->ids[b]), Max(table->ids[a], table->ids[b])};

		return bsearch(pair, clusters->apart, clusters->apart_count, sizeof(pair), compare_pairs) !=
			   NULL;
	}
	return false;
}

/* Whether all pairs across two clusters, taken together, speak for one person. */
static bool
may_join(Clusters *clusters, int32 x, int32 y)
{
	double sum = 0;

	if (clusters->sizes[x] + clusters->sizes[y] > clusters->table->model->cluster_cap)
		return false;
	for (int32 a = x; a >= 0; a = clusters->next[a])
		for (int32 b = y; b >= 0; b = clusters->next[b])
		{
			int32 low = Min(a, b);
			int32 high = Max(a, b);
			double weight;

			if (are_apart(clusters, low, high))
				return false;
			if (clusters->scored++ % O2O_MATCH_INTERRUPT_EVERY == 0)
				CHECK_FOR_INTERRUPTS();
			weight = o2o_match_weight(clusters->table, &clusters->weights,
									  o2o_match_pattern(clusters->table, low, high), low, high);
			sum += fmin(fmax(weight - clusters->weights.prior * PRIOR_ONCE, -MEAN_LOW), MEAN_HIGH);
		}
	return sum > 0;
}

/* One link: join, or note that it did not. x is the lower root. */
static void
follow_link(Clusters *clusters, const Link *link)
{
	int32 x = find_root(clusters->roots, link->a);
	int32 y = find_root(clusters->roots, link->b);
	Refusal *refusal;

	if (x == y)
		return;
	if (x > y)
	{
		int32 swap = x;

		x = y;
		y = swap;
	}
	refusal = &clusters->refusals[hash_combine(murmurhash32(x), murmurhash32(y)) % REFUSALS];
	if ((refusal->a == x && refusal->b == y && refusal->a_size == clusters->sizes[x] &&
		 refusal->b_size == clusters->sizes[y]) ||
		!may_join(clusters, x, y))
	{
		*refusal = (Refusal){x, y, clusters->sizes[x], clusters->sizes[y]};
		clusters->refused[link->a]++;
		clusters->refused[link->b]++;
		return;
	}
	clusters->roots[y] = x;
	clusters->sizes[x] += clusters->sizes[y];
	clusters->next[clusters->last[x]] = y;
	clusters->last[x] = clusters->last[y];
}

/* Ids of pairs that are kept apart: elements i of both arrays. */
static void
read_apart(Clusters *clusters, ArrayType *a, ArrayType *b)
{
	int count = ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));
	const int64 *x = (const int64 *) ARR_DATA_PTR(a);
	const int64 *y = (const int64 *) ARR_DATA_PTR(b);

	if (ARR_NDIM(a) > 1 || ARR_NDIM(b) > 1 || array_contains_nulls(a) || array_contains_nulls(b) ||
		ArrayGetNItems(ARR_NDIM(b), ARR_DIMS(b)) != count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of pairs to keep apart must have one dimension, the same "
							   "length and no NULL")));
	clusters->apart = palloc_extended(sizeof(int64) * 2 * Max(count, 1), MCXT_ALLOC_HUGE);
	clusters->apart_count = count;
	for (int i = 0; i < count; i++)
	{
		clusters->apart[2 * i] = Min(x[i], y[i]);
		clusters->apart[2 * i + 1] = Max(x[i], y[i]);
	}
	if (count > 0)
		qsort(clusters->apart, count, sizeof(int64) * 2, compare_pairs);
}

/* match_clusters(records text, model jsonb, apart_a bigint[], apart_b bigint[]) */
Datum
o2o_match_clusters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(1));
	Clusters clusters = {0};
	Size bytes;
	int32 n;

	o2o_match_model_need_trained(model);
	o2o_match_weights(model, &clusters.weights);
	clusters.least = log2(model->link / (1 - model->link));
	InitMaterializedSRF(fcinfo, 0);
	read_apart(&clusters, PG_GETARG_ARRAYTYPE_P(2), PG_GETARG_ARRAYTYPE_P(3));
	clusters.table = o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), model, NULL, NULL);
	n = clusters.table->count;
	o2o_match_pairs(clusters.table, o2o_match_blocks(clusters.table), keep_link, &clusters);
	if (clusters.link_count > 0)
		sort_links(clusters.links, clusters.link_count);

	bytes = Max(n, 1) * sizeof(int32);
	o2o_match_need_memory(clusters.table->context, 5 * bytes, "Clusters");
	clusters.roots = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	clusters.sizes = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	clusters.next = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	clusters.last = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	clusters.refused = palloc_extended(bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	clusters.refusals = palloc0(sizeof(Refusal) * REFUSALS);
	for (int32 i = 0; i < n; i++)
	{
		clusters.roots[i] = clusters.last[i] = i;
		clusters.sizes[i] = 1;
		clusters.next[i] = -1;
	}
	for (int64 l = 0; l < clusters.link_count; l++)
		follow_link(&clusters, &clusters.links[l]);

	for (int32 i = 0; i < n; i++)
	{
		int32 root = find_root(clusters.roots, i);
		Datum values[4];
		bool nulls[4] = {false};

		values[0] = Int64GetDatum(clusters.table->ids[i]);
		values[1] = Int64GetDatum(clusters.table->ids[root]);
		values[2] = Int32GetDatum(clusters.sizes[root]);
		values[3] = Int32GetDatum(clusters.refused[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
