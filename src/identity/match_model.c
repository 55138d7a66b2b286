/*
 * match_model.c
 *		Reading a model of probabilistic matching from its JSON, with every shape
 *		and bound checked once, here. What the parts mean is documented at
 *		o2o.match_train(); the defaults by meaning of a column live in SQL.
 */
#include "identity/match.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include <math.h>

#define BLOCK_CAP 1000
#define BLOCK_CAP_MAX 100000
#define CLUSTER_CAP_MAX 10000
#define SAMPLE_PAIRS 500000
#define SAMPLE_PAIRS_MAX 100000000

typedef struct Choice
{
	const char *name;
	int value;
	bool at_most; /* of a measure: a distance */
} Choice;

static const Choice measure_names[] = {
	{"equal", O2O_BY_EQUAL, false},
	{"jaro_winkler", O2O_BY_JARO_WINKLER, false},
	{"damerau_levenshtein", O2O_BY_DAMERAU_LEVENSHTEIN, true},
	{"date", O2O_BY_DATE, false},
	{"year", O2O_BY_YEAR, true},
	{"date_parts", O2O_BY_DATE_PARTS, false},
	{"phone", O2O_BY_PHONE, false},
	{"email", O2O_BY_EMAIL, false},
	{"words", O2O_BY_WORDS, false},
	{"words_inside", O2O_BY_WORDS_INSIDE, false},
	{"beginning", O2O_BY_BEGINNING, false},
	{"place", O2O_BY_PLACE, true},
	{"number", O2O_BY_NUMBER, true},
	{"pinyin", O2O_BY_PINYIN, false},
	{"given_name", O2O_BY_GIVEN_NAME, false},
	{NULL, 0, false},
};

static const Choice key_names[] = {
	{"value", O2O_KEY_VALUE, false},
	{"prefix", O2O_KEY_PREFIX, false},
	{"sound", O2O_KEY_SOUND, false},
	{"year", O2O_KEY_YEAR, false},
	{"day", O2O_KEY_DAY, false},
	{"phone", O2O_KEY_PHONE, false},
	{"email_local", O2O_KEY_EMAIL_LOCAL, false},
	{"words", O2O_KEY_WORDS, false},
	{"pinyin", O2O_KEY_PINYIN, false},
	{NULL, 0, false},
};

/* Whatever is wrong with a model is one error; the detail says what and where. */
static void
bad_model(const char *where, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid match model"),
					errdetail("%s: %s.", where, what),
					errhint("o2o.match_model_default() makes a model from the columns' meaning.")));
}

static JsonbValue *
field(JsonbContainer *object, const char *name)
{
	JsonbValue *found = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);

	return found == NULL || found->type == jbvNull ? NULL : found;
}

static const char *
text_value(const JsonbValue *value, const char *where)
{
	if (value == NULL || value->type != jbvString)
		bad_model(where, "a text is missing");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static double
number_value(const JsonbValue *value, const char *where)
{
	if (value->type != jbvNumeric)
		bad_model(where, "is not a number");
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

static double
number_field(JsonbContainer *object, const char *name, double missing, double least, double most)
{
	JsonbValue *value = field(object, name);
	double number;

	if (value == NULL)
		return missing;
	number = number_value(value, name);
	if (!(number >= least && number <= most))
		bad_model(name, psprintf("%g is not between %g and %g", number, least, most));
	return number;
}

static bool
is_array(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary &&
		   JsonContainerIsArray(value->val.binary.data) &&
		   !JsonContainerIsScalar(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary &&
		   JsonContainerIsObject(value->val.binary.data);
}

/* The elements of an array, at least one and at most so many. */
static JsonbContainer *
array_field(JsonbContainer *object, const char *name, int most, int *count)
{
	JsonbValue *value = field(object, name);

	if (!is_array(value))
		bad_model(name, "an array is missing");
	*count = (int) JsonContainerSize(value->val.binary.data);
	if (*count < 1 || *count > most)
		bad_model(name, psprintf("has %d elements, and must have 1 to %d", *count, most));
	return value->val.binary.data;
}

static JsonbContainer *
element(JsonbContainer *array, int n, const char *where)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, n);

	if (!is_object(value))
		bad_model(where, "an element is not an object");
	return value->val.binary.data;
}

/* The number of a column; a new one is entered. */
static int
column_number(O2OMatchModel *model, const char *name)
{
	for (int c = 0; c < model->column_count; c++)
		if (strcmp(model->columns[c], name) == 0)
			return c;
	if (model->column_count == O2O_MATCH_COLUMNS)
		bad_model("column", psprintf("more than %d columns", O2O_MATCH_COLUMNS));
	model->columns[model->column_count] = name;
	return model->column_count++;
}

static const Choice *
find_name(const Choice *names, const char *name, const char *where)
{
	for (; names->name != NULL; names++)
		if (strcmp(names->name, name) == 0)
			return names;
	bad_model(where, psprintf("\"%s\" is unknown", name));
	return NULL;
}

static int
measure_number(O2OMatchModel *model, O2OMatchBy by, int a_column, int b_column)
{
	O2OMatchMeasure *measure = model->measures;

	for (int m = 0; m < model->measure_count; m++, measure++)
		if (measure->by == by && measure->a_column == a_column && measure->b_column == b_column)
			return m;
	if (model->measure_count == O2O_MATCH_MEASURES)
		bad_model("when", psprintf("more than %d different tests", O2O_MATCH_MEASURES));
	measure->by = by;
	measure->a_column = a_column;
	measure->b_column = b_column;
	return model->measure_count++;
}

/* {"column": "surname", "other": "forename", "by": "jaro_winkler", "at": 0.92} */
static void
read_test(O2OMatchModel *model, JsonbContainer *json, O2OMatchComparison *comparison,
		  O2OMatchTest *test)
{
	const Choice *by = find_name(measure_names, text_value(field(json, "by"), "by"), "by");
	int column = column_number(model, text_value(field(json, "column"), "column"));
	JsonbValue *other = field(json, "other");

	test->at_most = by->at_most;
	test->at = number_field(json, "at", by->at_most ? 0 : 1, 0, 1e9);
	comparison->columns |= (uint32) 1 << column;
	test->mirror = -1;
	if (other == NULL)
		test->measure = measure_number(model, by->value, column, column);
	else
	{
		int second = column_number(model, text_value(other, "other"));

		comparison->columns |= (uint32) 1 << second;
		test->measure = measure_number(model, by->value, column, second);
		if (second != column)
			test->mirror = measure_number(model, by->value, second, column);
	}
}

/* "when": one test, or an array of arrays: any of the clauses, of which all tests hold. */
static void
read_when(O2OMatchModel *model, JsonbContainer *json, O2OMatchComparison *comparison,
		  O2OMatchLevel *level)
{
	JsonbContainer *clauses = array_field(json, "when", 16, &level->clause_count);

	level->test_counts = palloc0(sizeof(int) * level->clause_count);
	level->clauses = palloc0(sizeof(O2OMatchTest *) * level->clause_count);
	for (int i = 0; i < level->clause_count; i++)
	{
		JsonbValue *clause = getIthJsonbValueFromContainer(clauses, i);
		int count;

		if (!is_array(clause) || JsonContainerSize(clause->val.binary.data) < 1 ||
			JsonContainerSize(clause->val.binary.data) > 16)
			bad_model("when", "a clause is not an array of 1 to 16 tests");
		count = (int) JsonContainerSize(clause->val.binary.data);
		level->test_counts[i] = count;
		level->clauses[i] = palloc0(sizeof(O2OMatchTest) * count);
		for (int t = 0; t < count; t++)
			read_test(model, element(clause->val.binary.data, t, "when"), comparison,
					  &level->clauses[i][t]);
	}
}

static void
read_comparison(O2OMatchModel *model, JsonbContainer *json, O2OMatchComparison *comparison)
{
	JsonbContainer *levels;
	JsonbValue *null_policy = field(json, "null");
	JsonbValue *term = field(json, "term_frequency");
	JsonbValue *terms = field(json, "terms");

	comparison->name = text_value(field(json, "name"), "name of a comparison");
	levels = array_field(json, "levels", O2O_EM_LEVELS, &comparison->level_count);
	if (comparison->level_count < 2)
		bad_model(comparison->name, "needs two levels or more");
	for (int l = 0; l < comparison->level_count; l++)
	{
		JsonbContainer *object = element(levels, l, "levels");
		O2OMatchLevel *level = &comparison->levels[l];

		level->label = text_value(field(object, "label"), "label of a level");
		level->m = number_field(object, "m", NAN, 0, 1);
		level->u = number_field(object, "u", NAN, 0, 1);
		if (l + 1 < comparison->level_count)
			read_when(model, object, comparison, level);
		else if (field(object, "when") != NULL)
			bad_model(comparison->name, "the last level takes the rest and has no \"when\"");
	}
	if (null_policy != NULL)
	{
		const char *policy = text_value(null_policy, "null");

		comparison->null_disagrees = strcmp(policy, "disagree") == 0;
		if (!comparison->null_disagrees && strcmp(policy, "no evidence") != 0)
			bad_model("null", "is neither \"no evidence\" nor \"disagree\"");
	}
	comparison->term_column = -1;
	if (term != NULL)
		comparison->term_column = column_number(model, text_value(term, "term_frequency"));
	comparison->term_floor = number_field(json, "term_floor", 0, 0, 1);
	if (terms != NULL && !is_object(terms))
		bad_model("terms", "is not an object");
	comparison->terms = terms == NULL ? NULL : terms->val.binary.data;
}

static void
read_rule(O2OMatchModel *model, JsonbContainer *json, O2OMatchRule *rule)
{
	JsonbContainer *keys = array_field(json, "keys", 8, &rule->key_count);

	rule->label = text_value(field(json, "label"), "label of a blocking rule");
	rule->cap = (int) number_field(json, "cap", BLOCK_CAP, 2, BLOCK_CAP_MAX);
	rule->keys = palloc0(sizeof(O2OMatchKey) * rule->key_count);
	for (int k = 0; k < rule->key_count; k++)
	{
		JsonbContainer *object = element(keys, k, "keys");
		O2OMatchKey *key = &rule->keys[k];

		key->by = find_name(key_names, text_value(field(object, "by"), "by"), "by")->value;
		key->column = column_number(model, text_value(field(object, "column"), "column"));
		key->length = (int) number_field(object, "length", 4, 1, O2O_MATCH_CHARACTERS);
		rule->columns |= (uint32) 1 << key->column;
	}
}

/* Reads a model; everything lives in the current memory context. */
O2OMatchModel *
o2o_match_model_read(Jsonb *json)
{
	O2OMatchModel *model = palloc0(sizeof(O2OMatchModel));
	JsonbContainer *root = &json->root;
	JsonbContainer *array;
	JsonbValue *one_per;

	if (!JsonContainerIsObject(root))
		bad_model("model", "is not an object");
	array = array_field(root, "comparisons", O2O_EM_COMPARISONS, &model->comparison_count);
	for (int c = 0; c < model->comparison_count; c++)
		read_comparison(model, element(array, c, "comparisons"), &model->comparisons[c]);
	array = array_field(root, "blocking", O2O_MATCH_RULES, &model->rule_count);
	for (int r = 0; r < model->rule_count; r++)
		read_rule(model, element(array, r, "blocking"), &model->rules[r]);
	model->prior = number_field(root, "prior", NAN, 0, 1);
	model->link = number_field(root, "link", 0.5, 0, 1);
	model->review = number_field(root, "review", model->link, 0, 1);
	if (model->review > model->link)
		bad_model("review", "is above link");
	model->cluster_cap = (int) number_field(root, "cluster_cap", 100, 1, CLUSTER_CAP_MAX);
	model->sample_pairs =
		(int64) number_field(root, "sample_pairs", SAMPLE_PAIRS, 1, SAMPLE_PAIRS_MAX);
	model->seed = (int64) number_field(root, "seed", 0, 0, PG_INT32_MAX);
	one_per = field(root, "one_per");
	model->one_per_column =
		one_per == NULL ? -1 : column_number(model, text_value(one_per, "one_per"));
	return model;
}

/* Refuses a model whose weights are not known. */
void
o2o_match_model_need_trained(const O2OMatchModel *model)
{
	bool trained = model->prior > 0 && model->prior < 1;

	for (int c = 0; c < model->comparison_count; c++)
		for (int l = 0; l < model->comparisons[c].level_count; l++)
			trained = trained && model->comparisons[c].levels[l].m > 0 &&
					  model->comparisons[c].levels[l].u > 0;
	if (!trained)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("match model is not trained"),
				 errdetail("The prior and every m and u must be above 0."),
				 errhint("Train it with o2o.match_train(), or give the numbers in the model.")));
}
