/*
 * match_score.c
 *		What a pattern is worth: weights, probabilities, the waterfall, and the
 *		functions that score pairs of a table, one pair, or one record against
 *		its candidates. Training lives in match_train.c, clusters in match_cluster.c.
 */
#include "identity/match.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include <math.h>

PG_FUNCTION_INFO_V1(o2o_match_score);
PG_FUNCTION_INFO_V1(o2o_match_candidates);
PG_FUNCTION_INFO_V1(o2o_match_find);
PG_FUNCTION_INFO_V1(o2o_match_waterfall);
PG_FUNCTION_INFO_V1(o2o_match_keys);
PG_FUNCTION_INFO_V1(o2o_match_blocking);

/* log2(m / u) of each level, nothing for no evidence, and the prior's log-odds. */
void
o2o_match_weights(const O2OMatchModel *model, O2OMatchWeights *weights)
{
	memset(weights, 0, sizeof(O2OMatchWeights));
	for (int c = 0; c < model->comparison_count; c++)
		for (int l = 0; l < model->comparisons[c].level_count; l++)
			weights->levels[c][l] =
				log2(model->comparisons[c].levels[l].m / model->comparisons[c].levels[l].u);
	weights->prior = log2(model->prior / (1 - model->prior));
}

/*
 * The best level of a comparison with term frequencies: the same rare value says
 * more than the same common one. 0 where the values are not the same.
 */
double
o2o_match_term_weight(const O2OMatchTable *table, int comparison, int level, int32 a, int32 b)
{
	const O2OMatchComparison *c = &table->model->comparisons[comparison];
	int columns = table->model->column_count;
	double frequency;
	int32 value;

	if (level != 0 || c->term_column < 0)
		return 0;
	value = table->cells[(Size) a * columns + c->term_column];
	if (value < 0 || value != table->cells[(Size) b * columns + c->term_column])
		return 0;
	frequency = fmax(table->values[c->term_column][value].term_frequency, c->term_floor);
	return frequency > 0 ? log2(c->levels[0].u / frequency) : 0;
}

/* The level's own entry, never one beyond: no evidence is worth nothing. */
static inline double
level_weight(const O2OMatchWeights *weights, int comparison, int level)
{
	return level == O2O_EM_NULL ? 0 : weights->levels[comparison][level];
}

/* Log-odds, to base 2, that the pair is one person. */
double
o2o_match_weight(const O2OMatchTable *table, const O2OMatchWeights *weights, uint64 pattern,
				 int32 a, int32 b)
{
	double weight = weights->prior;

	for (int c = 0; c < table->model->comparison_count; c++)
	{
		int level = o2o_match_level(pattern, c);

		weight += level_weight(weights, c, level) + o2o_match_term_weight(table, c, level, a, b);
	}
	return weight;
}

double
o2o_match_probability(double weight)
{
	return 1 / (1 + exp2(-weight));
}

typedef struct Scoring
{
	O2OMatchTable *table;
	O2OMatchWeights weights;
	double least; /* weight */
	ReturnSetInfo *result;
} Scoring;

/* The weight from which on a probability is reached. */
static double
weight_of(double probability)
{
	return log2(probability / (1 - probability));
}

static const char *
decision(const O2OMatchModel *model, double weight)
{
	if (weight >= weight_of(model->link))
		return "link";
	return weight >= weight_of(model->review) ? "review" : "none";
}

/* The columns that every scoring function returns: weight to weights. */
static void
score_columns(const Scoring *scoring, uint64 pattern, int32 a, int32 b, double weight,
			  Datum values[5])
{
	const O2OMatchModel *model = scoring->table->model;
	Datum levels[O2O_EM_COMPARISONS];
	Datum weights[O2O_EM_COMPARISONS];

	for (int c = 0; c < model->comparison_count; c++)
	{
		int level = o2o_match_level(pattern, c);

		levels[c] = Int32GetDatum(level == O2O_EM_NULL ? -1 : level);
		weights[c] = Float8GetDatum(level_weight(&scoring->weights, c, level) +
									o2o_match_term_weight(scoring->table, c, level, a, b));
	}
	values[0] = Float8GetDatum(weight);
	values[1] = Float8GetDatum(o2o_match_probability(weight));
	values[2] = CStringGetTextDatum(decision(model, weight));
	values[3] = PointerGetDatum(
		construct_array(levels, model->comparison_count, INT4OID, 4, true, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(weights, model->comparison_count, FLOAT8OID, 8,
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
score_pair(void *argument, int rule, bool first, int32 a, int32 b)
{
	Scoring *scoring = argument;
	Datum values[8];
	bool nulls[8] = {false};
	uint64 pattern;
	double weight;

	if (!first)
		return;
	pattern = o2o_match_pattern(scoring->table, a, b);
	weight = o2o_match_weight(scoring->table, &scoring->weights, pattern, a, b);
	if (!(weight >= scoring->least))
		return;
	values[0] = Int64GetDatum(scoring->table->ids[a]);
	values[1] = Int64GetDatum(scoring->table->ids[b]);
	values[2] = Int32GetDatum(rule + 1);
	score_columns(scoring, pattern, a, b, weight, values + 3);
	tuplestore_putvalues(scoring->result->setResult, scoring->result->setDesc, values, nulls);
	for (int i = 5; i < 8; i++)
		pfree(DatumGetPointer(values[i]));
}

/* A probability from 0 to 1; NULL: the review threshold. */
static double
least_weight(FunctionCallInfo fcinfo, int n, const O2OMatchModel *model)
{
	double least = PG_ARGISNULL(n) ? model->review : PG_GETARG_FLOAT8(n);

	if (!(least >= 0 && least <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a probability must be between 0 and 1")));
	return weight_of(least);
}

static void
begin_scoring(Scoring *scoring, FunctionCallInfo fcinfo, O2OMatchTable *table)
{
	scoring->table = table;
	scoring->result = (ReturnSetInfo *) fcinfo->resultinfo;
	o2o_match_weights(table->model, &scoring->weights);
}

/* match_score(records text, model jsonb, min_probability double precision) */
Datum
o2o_match_score(PG_FUNCTION_ARGS)
{
	Scoring scoring;
	O2OMatchModel *model;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the records' query and the model must be given")));
	model = o2o_match_model_read(PG_GETARG_JSONB_P(1));
	o2o_match_model_need_trained(model);
	scoring.least = least_weight(fcinfo, 2, model);
	InitMaterializedSRF(fcinfo, 0);
	begin_scoring(&scoring, fcinfo,
				  o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), model, NULL, NULL));
	o2o_match_pairs(scoring.table, o2o_match_blocks(scoring.table), score_pair, &scoring);
	return (Datum) 0;
}

static void
put_candidate(void *argument, int rule, bool first, int32 a, int32 b)
{
	Scoring *scoring = argument;
	Datum values[3];
	bool nulls[3] = {false};

	if (!first)
		return;
	values[0] = Int64GetDatum(scoring->table->ids[a]);
	values[1] = Int64GetDatum(scoring->table->ids[b]);
	values[2] = Int32GetDatum(rule + 1);
	tuplestore_putvalues(scoring->result->setResult, scoring->result->setDesc, values, nulls);
}

/* match_candidates(records text, model jsonb) */
Datum
o2o_match_candidates(PG_FUNCTION_ARGS)
{
	Scoring scoring;
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(1));

	InitMaterializedSRF(fcinfo, 0);
	begin_scoring(&scoring, fcinfo,
				  o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), model, NULL, NULL));
	o2o_match_pairs(scoring.table, o2o_match_blocks(scoring.table), put_candidate, &scoring);
	return (Datum) 0;
}

/* match_blocking(records text, model jsonb): what each rule does */
Datum
o2o_match_blocking(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(1));
	O2OMatchTable *table;
	O2OMatchBlocks *blocks;

	InitMaterializedSRF(fcinfo, 0);
	table = o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), model, NULL, NULL);
	blocks = o2o_match_blocks(table);
	for (int r = 0; r < model->rule_count; r++)
	{
		Datum values[7];
		bool nulls[7] = {false};

		values[0] = Int32GetDatum(r + 1);
		values[1] = CStringGetTextDatum(model->rules[r].label);
		values[2] = Int64GetDatum(blocks[r].block_count);
		values[3] = Int64GetDatum(blocks[r].pair_count);
		values[4] = Int64GetDatum(blocks[r].largest);
		values[5] = Int64GetDatum(blocks[r].skipped_blocks);
		values[6] = Int64GetDatum(blocks[r].skipped_records);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The blocking keys of record 0 of a table, by all rules. */
static ArrayType *
keys_array(const O2OMatchTable *table)
{
	Datum all[O2O_MATCH_RULES * O2O_MATCH_KEYS];
	int count = 0;

	for (int r = 0; r < table->model->rule_count; r++)
	{
		uint64 keys[O2O_MATCH_KEYS];
		int found = o2o_match_record_keys(table, r, 0, keys);

		for (int k = 0; k < found; k++)
			all[count++] = Int64GetDatum((int64) keys[k]);
	}
	return construct_array(all, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* match_keys(record jsonb, model jsonb) */
Datum
o2o_match_keys(PG_FUNCTION_ARGS)
{
	Jsonb *record = PG_GETARG_JSONB_P(0);
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(1));

	PG_RETURN_ARRAYTYPE_P(keys_array(o2o_match_table_of_json(model, 1, &record)));
}

/* match_find(record jsonb, records text, model jsonb, min_probability double precision) */
Datum
o2o_match_find(PG_FUNCTION_ARGS)
{
	Scoring scoring;
	O2OMatchModel *model;
	Jsonb *record;
	double least;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the record, the records' query and the model must be given")));
	record = PG_GETARG_JSONB_P(0);
	model = o2o_match_model_read(PG_GETARG_JSONB_P(2));
	o2o_match_model_need_trained(model);
	least = least_weight(fcinfo, 3, model);
	InitMaterializedSRF(fcinfo, 0);
	begin_scoring(&scoring, fcinfo,
				  o2o_match_table_read(text_to_cstring(PG_GETARG_TEXT_PP(1)), model, record,
									   keys_array(o2o_match_table_of_json(model, 1, &record))));
	/* the record itself is the first */
	for (int32 i = 1; i < scoring.table->count; i++)
	{
		Datum values[6];
		bool nulls[6] = {false};
		uint64 pattern = o2o_match_pattern(scoring.table, 0, i);
		double weight = o2o_match_weight(scoring.table, &scoring.weights, pattern, 0, i);

		if (!(weight >= least))
			continue;
		values[0] = Int64GetDatum(scoring.table->ids[i]);
		score_columns(&scoring, pattern, 0, i, weight, values + 1);
		tuplestore_putvalues(scoring.result->setResult, scoring.result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
put_step(Scoring *scoring, int step, const char *name, int level, const O2OMatchLevel *known,
		 double weight, double term_weight, double total)
{
	Datum values[10];
	bool nulls[10] = {false};

	nulls[2] = level < 0;
	nulls[3] = nulls[4] = nulls[5] = known == NULL;
	values[0] = Int32GetDatum(step);
	values[1] = CStringGetTextDatum(name);
	values[2] = Int32GetDatum(level);
	if (known != NULL)
	{
		values[3] = CStringGetTextDatum(known->label);
		values[4] = Float8GetDatum(known->m);
		values[5] = Float8GetDatum(known->u);
	}
	values[6] = Float8GetDatum(weight);
	values[7] = Float8GetDatum(term_weight);
	values[8] = Float8GetDatum(total);
	values[9] = Float8GetDatum(o2o_match_probability(total));
	tuplestore_putvalues(scoring->result->setResult, scoring->result->setDesc, values, nulls);
}

/* match_score(a jsonb, b jsonb, model jsonb): the waterfall of one pair */
Datum
o2o_match_waterfall(PG_FUNCTION_ARGS)
{
	Jsonb *records[2] = {PG_GETARG_JSONB_P(0), PG_GETARG_JSONB_P(1)};
	O2OMatchModel *model = o2o_match_model_read(PG_GETARG_JSONB_P(2));
	Scoring scoring;
	uint64 pattern;
	double total;

	o2o_match_model_need_trained(model);
	InitMaterializedSRF(fcinfo, 0);
	begin_scoring(&scoring, fcinfo, o2o_match_table_of_json(model, 2, records));
	pattern = o2o_match_pattern(scoring.table, 0, 1);
	total = scoring.weights.prior;
	put_step(&scoring, 0, "prior", -1, NULL, total, 0, total);
	for (int c = 0; c < model->comparison_count; c++)
	{
		int level = o2o_match_level(pattern, c);
		double weight = level_weight(&scoring.weights, c, level);
		double term_weight = o2o_match_term_weight(scoring.table, c, level, 0, 1);

		total += weight + term_weight;
		put_step(&scoring, c + 1, model->comparisons[c].name, level == O2O_EM_NULL ? -1 : level,
				 level == O2O_EM_NULL ? NULL : &model->comparisons[c].levels[level], weight,
				 term_weight, total);
	}
	return (Datum) 0;
}
