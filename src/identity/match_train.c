/*
 * match_train.c
 *		match_estimate(): what a model needs to know of the records. u from pairs
 *		sampled by a hash of the id, m by EM for each blocking rule on counted
 *		patterns, or from labelled pairs, the prior and the term frequencies. The
 *		EM itself lives in match_em.c; SQL puts the numbers into the model.
 *
 * Random pairs hold some matches, in a small table many. Their share is taken out
 * of u by what m and the prior say, in a few rounds.
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

PG_FUNCTION_INFO_V1(o2o_match_estimate);

#define ROUNDS 4
#define ITERATIONS 500
#define U_LEFT 0.05     /* of what was counted, whatever the matches take out */
#define BLOCK_PRIOR 0.2 /* where EM starts in a block */
#define LABELS_MIN 100  /* labelled non-matches that tell u */
#define TERMS_MAX 2000  /* frequencies kept for a comparison */
#define FIRST_PATTERNS 1024

/* Counted patterns: a hash table, open addressing. */
typedef struct Counter
{
	O2OEmPattern *slots; /* count 0: free */
	uint64 slot_count;
	uint64 used;
} Counter;

static void
counter_grow(Counter *counter)
{
	Counter before = *counter;

	counter->slot_count = before.slot_count == 0 ? FIRST_PATTERNS : before.slot_count * 2;
	counter->slots = palloc_extended(counter->slot_count * sizeof(O2OEmPattern),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	o2o_match_need_memory(CurrentMemoryContext, 0, "Patterns");
	for (uint64 i = 0; i < before.slot_count; i++)
		if (before.slots[i].count > 0)
		{
			uint64 at = o2o_match_mix(before.slots[i].pattern) & (counter->slot_count - 1);

			while (counter->slots[at].count > 0)
				at = (at + 1) & (counter->slot_count - 1);
			counter->slots[at] = before.slots[i];
		}
	if (before.slots != NULL)
		pfree(before.slots);
}

static void
counter_add(Counter *counter, uint64 pattern)
{
	uint64 at;

	if (counter->used * 2 >= counter->slot_count)
		counter_grow(counter);
	at = o2o_match_mix(pattern) & (counter->slot_count - 1);
	while (counter->slots[at].count > 0 && counter->slots[at].pattern != pattern)
		at = (at + 1) & (counter->slot_count - 1);
	if (counter->slots[at].count == 0)
		counter->used++;
	counter->slots[at].pattern = pattern;
	counter->slots[at].count++;
}

static int
compare_patterns(const void *x, const void *y)
{
	uint64 a = ((const O2OEmPattern *) x)->pattern;
	uint64 b = ((const O2OEmPattern *) y)->pattern;

	return a < b ? -1 : a > b;
}

/* The patterns in ascending order, from the start of slots; the table is a list now. */
static void
counter_finish(Counter *counter)
{
	uint64 count = 0;

	for (uint64 i = 0; i < counter->slot_count; i++)
		if (counter->slots[i].count > 0)
			counter->slots[count++] = counter->slots[i];
	if (count > 0)
		qsort(counter->slots, count, sizeof(O2OEmPattern), compare_patterns);
}

typedef struct Training
{
	O2OMatchTable *table;
	Counter random;
	Counter rules[O2O_MATCH_RULES];
	Counter all; /* each pair once */
	Counter matches;
	Counter others;
} Training;

static void
count_pair(void *argument, int rule, bool first, int32 a, int32 b)
{
	Training *training = argument;
	uint64 pattern = o2o_match_pattern(training->table, a, b);

	counter_add(&training->rules[rule], pattern);
	if (first)
		counter_add(&training->all, pattern);
}

typedef struct Ranked
{
	uint64 hash;
	int32 record;
} Ranked;

#define ST_SORT sort_ranked
#define ST_ELEMENT_TYPE Ranked
#define ST_COMPARE(x, y)                                       \
	((x)->hash != (y)->hash ? ((x)->hash < (y)->hash ? -1 : 1) \
							: ((x)->record < (y)->record ? -1 : (x)->record > (y)->record))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Random pairs: the records in the order of a hash of their ids and of the seed,
 * each with the next one, then each with the one after that, and so on; so every
 * record comes as often. All pairs where there are not more.
 */
static void
count_random(Training *training)
{
	O2OMatchTable *table = training->table;
	int64 wanted = table->model->sample_pairs;
	int32 n = table->count;
	Ranked *ranked = palloc_extended(sizeof(Ranked) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int32 i = 0; i < n; i++)
	{
		ranked[i].hash =
			hash_combine64(o2o_match_mix((uint64) table->ids[i]), (uint64) table->model->seed);
		ranked[i].hash = o2o_match_mix(ranked[i].hash);
		ranked[i].record = i;
	}
	sort_ranked(ranked, n);
	table->no_cache = true;
	for (int32 step = 1; step <= n / 2 && wanted > 0; step++)
		for (int32 i = 0; i < (2 * step == n ? step : n) && wanted > 0; i++, wanted--)
		{
			int32 a = ranked[i].record;
			int32 b = ranked[(i + step) % n].record;

			if (i % O2O_MATCH_INTERRUPT_EVERY == 0)
				CHECK_FOR_INTERRUPTS();
			counter_add(&training->random, o2o_match_pattern(table, Min(a, b), Max(a, b)));
		}
	table->no_cache = false;
	pfree(ranked);
}

/* Position of a record, by its id. */
static int32
find_record(const O2OMatchTable *table, int64 id)
{
	int32 low = 0;
	int32 high = table->count;

	while (low < high)
	{
		int32 middle = low + (high - low) / 2;

		if (table->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->count || table->ids[low] != id)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a labelled record is not among the records"),
						errdetail("Id " INT64_FORMAT ".", id)));
	return low;
}

/* The elements of an array without NULLs. */
static int
elements(ArrayType *array, Oid type, int16 len, bool by_value, char align, Datum **out)
{
	int count;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("labels must be arrays of one dimension without NULL")));
	deconstruct_array(array, type, len, by_value, align, out, NULL, &count);
	return count;
}

static void
count_labels(Training *training, ArrayType *a, ArrayType *b, ArrayType *match)
{
	Datum *x;
	Datum *y;
	Datum *is_match;
	int count = elements(a, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &x);

	if (elements(b, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &y) != count ||
		elements(match, BOOLOID, 1, true, TYPALIGN_CHAR, &is_match) != count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of labels must have the same length")));
	for (int i = 0; i < count; i++)
	{
		int32 first = find_record(training->table, DatumGetInt64(x[i]));
		int32 second = find_record(training->table, DatumGetInt64(y[i]));

		if (i % O2O_MATCH_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (first != second)
			counter_add(DatumGetBool(is_match[i]) ? &training->matches : &training->others,
						o2o_match_pattern(training->table, Min(first, second), Max(first, second)));
	}
}

typedef double Levels[O2O_EM_COMPARISONS][O2O_EM_LEVELS];

/* How often each level was counted, and how many pairs said something. */
static void
level_counts(const Counter *counter, int comparisons, Levels counts,
			 double sums[O2O_EM_COMPARISONS])
{
	memset(counts, 0, sizeof(Levels));
	memset(sums, 0, sizeof(double) * O2O_EM_COMPARISONS);
	for (uint64 i = 0; i < counter->used; i++)
		for (int c = 0; c < comparisons; c++)
		{
			int level = o2o_match_level(counter->slots[i].pattern, c);

			if (level == O2O_EM_NULL)
				continue;
			counts[c][level] += counter->slots[i].count;
			sums[c] += counter->slots[i].count;
		}
}

/* Where nothing is known: most matches agree best, few not at all. */
static double
first_m(int level, int levels)
{
	if (level == 0)
		return levels == 2 ? 0.9 : 0.7;
	if (level == levels - 1)
		return 0.1;
	return 0.2 / (levels - 2);
}

/* Half a pair for each level that was not seen. */
static double
smoothed(double count, double sum, int levels)
{
	return (count + 0.5) / (sum + 0.5 * levels);
}

/* u as counted among random pairs, less what the matches among them have. */
static void
correct_u(O2OEmModel *fit, const Levels raw, const double sums[O2O_EM_COMPARISONS], double prior)
{
	for (int c = 0; c < fit->comparison_count; c++)
	{
		double sum = 0;

		for (int l = 0; l < fit->level_counts[c]; l++)
		{
			double share = smoothed(raw[c][l], sums[c], fit->level_counts[c]);

			fit->u[c][l] = fmax((share - prior * fit->m[c][l]) / (1 - prior), share * U_LEFT);
			sum += fit->u[c][l];
		}
		for (int l = 0; l < fit->level_counts[c]; l++)
			fit->u[c][l] /= sum;
	}
}

/* m by EM for each rule, of the comparisons whose columns do not block; then their mean. */
static void
fit_m(Training *training, O2OEmModel *fit)
{
	const O2OMatchModel *model = training->table->model;
	Levels sums = {{0}};
	double weights[O2O_EM_COMPARISONS] = {0};

	for (int r = 0; r < model->rule_count; r++)
	{
		O2OEmModel rule = *fit;

		rule.prior = BLOCK_PRIOR;
		rule.pairs = 0;
		for (int c = 0; c < model->comparison_count; c++)
		{
			rule.used[c] = (model->comparisons[c].columns & model->rules[r].columns) == 0;
			for (int l = 0; l < rule.level_counts[c]; l++)
				rule.m[c][l] = first_m(l, rule.level_counts[c]);
		}
		o2o_em_fit(&rule, training->rules[r].slots, (int) training->rules[r].used, true,
				   ITERATIONS);
		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c < model->comparison_count; c++)
		{
			if (!rule.used[c])
				continue;
			for (int l = 0; l < rule.level_counts[c]; l++)
				sums[c][l] += rule.matches * rule.m[c][l];
			weights[c] += rule.matches;
		}
	}
	for (int c = 0; c < model->comparison_count; c++)
		for (int l = 0; l < fit->level_counts[c]; l++)
			fit->m[c][l] = (sums[c][l] + first_m(l, fit->level_counts[c])) / (weights[c] + 1);
}

static void
fit_model(Training *training, O2OEmModel *fit)
{
	const O2OMatchModel *model = training->table->model;
	double pairs = (double) training->table->count * (training->table->count - 1) / 2;
	bool labelled = training->matches.used > 0;
	Levels random;
	Levels matches;
	double random_sums[O2O_EM_COMPARISONS];
	double match_sums[O2O_EM_COMPARISONS];
	double candidates = 0;
	double others = 0;

	for (uint64 i = 0; i < training->all.used; i++)
		candidates += training->all.slots[i].count;
	for (uint64 i = 0; i < training->others.used; i++)
		others += training->others.slots[i].count;
	level_counts(others >= LABELS_MIN ? &training->others : &training->random,
				 model->comparison_count, random, random_sums);
	level_counts(&training->matches, model->comparison_count, matches, match_sums);

	fit->comparison_count = model->comparison_count;
	fit->prior = 0;
	for (int c = 0; c < model->comparison_count; c++)
	{
		fit->level_counts[c] = model->comparisons[c].level_count;
		fit->used[c] = true;
		for (int l = 0; l < fit->level_counts[c]; l++)
			fit->m[c][l] = (matches[c][l] + first_m(l, fit->level_counts[c])) / (match_sums[c] + 1);
	}
	for (int round = 0; round < ROUNDS; round++)
	{
		correct_u(fit, random, random_sums, others >= LABELS_MIN ? 0 : fit->prior);
		if (!labelled)
			fit_m(training, fit);
		for (int c = 0; c < model->comparison_count; c++)
			o2o_em_monotone(fit->m[c], fit->u[c], fit->level_counts[c]);
		fit->pairs = pairs;
		fit->prior = fmin(0.5, 0.5 * candidates / fmax(pairs, 1));
		o2o_em_fit(fit, training->all.slots, (int) training->all.used, false, ITERATIONS);
		fit->prior = fmin(fmax(fit->prior, 0.5 / fmax(pairs, 1)), 0.5);
	}
}

/* One row of the answer; a negative number is NULL. */
static void
put_row(ReturnSetInfo *result, const char *kind, int comparison, int level, const char *value,
		double estimate)
{
	Datum values[5];
	bool nulls[5] = {false, comparison < 0, level < 0, value == NULL, false};

	values[0] = CStringGetTextDatum(kind);
	values[1] = Int32GetDatum(comparison);
	values[2] = Int32GetDatum(level);
	values[3] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
	values[4] = Float8GetDatum(estimate);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static int
compare_frequent(const void *x, const void *y)
{
	const O2OMatchValue *a = *(const O2OMatchValue *const *) x;
	const O2OMatchValue *b = *(const O2OMatchValue *const *) y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* The most frequent values of a comparison's term column; the rest has the floor. */
static void
put_terms(ReturnSetInfo *result, const O2OMatchTable *table, int comparison)
{
	int column = table->model->comparisons[comparison].term_column;
	int32 count = table->value_counts[column];
	const O2OMatchValue **sorted =
		palloc_extended(sizeof(*sorted) * Max(count, 1), MCXT_ALLOC_HUGE);
	double total = 0;
	double floor;
	int32 kept = 0;

	for (int32 v = 0; v < count; v++)
	{
		sorted[v] = &table->values[column][v];
		total += sorted[v]->count;
	}
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), compare_frequent);
	while (kept < count && kept < TERMS_MAX && sorted[kept]->count > 1)
	{
		put_row(result, "term", comparison, -1, sorted[kept]->text, sorted[kept]->count / total);
		kept++;
	}
	floor = kept == TERMS_MAX ? sorted[kept - 1]->count : 1;
	put_row(result, "term_floor", comparison, -1, NULL, floor / fmax(total, 1));
	pfree(sorted);
}

/* match_estimate(records text, model jsonb, a bigint[], b bigint[], is_match boolean[]) */
Datum
o2o_match_estimate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(1));
	Training training = {0};
	O2OEmModel fit = {0};

	InitMaterializedSRF(fcinfo, 0);
	training.table = o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), model, NULL, NULL);
	count_random(&training);
	o2o_match_pairs(training.table, o2o_match_blocks(training.table), count_pair, &training);
	count_labels(&training, PG_GETARG_ARRAYTYPE_P(2), PG_GETARG_ARRAYTYPE_P(3),
				 PG_GETARG_ARRAYTYPE_P(4));
	for (int r = 0; r < model->rule_count; r++)
		counter_finish(&training.rules[r]);
	counter_finish(&training.random);
	counter_finish(&training.all);
	counter_finish(&training.matches);
	counter_finish(&training.others);
	fit_model(&training, &fit);

	put_row(result, "prior", -1, -1, NULL, fit.prior);
	for (int c = 0; c < model->comparison_count; c++)
	{
		for (int l = 0; l < model->comparisons[c].level_count; l++)
		{
			put_row(result, "m", c, l, NULL, fit.m[c][l]);
			put_row(result, "u", c, l, NULL, fit.u[c][l]);
		}
		if (model->comparisons[c].term_column >= 0)
			put_terms(result, training.table, c);
	}
	return (Datum) 0;
}
