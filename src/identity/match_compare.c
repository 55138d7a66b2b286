/*
 * match_compare.c
 *		The level that each comparison of a model gives a pair of records. How two
 *		values are compared lives in compare_string.c and compare_contact.c; what
 *		is evaluated here is evaluated once a pair, and kept for the same values.
 */
#include "identity/match.h"

#include "identity/compare_string.h"
#include "identity/pinyin.h"

#include "common/hashfn.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include <math.h>

#define WORDS_MAX 31
#define EARTH_RADIUS_M 6371008.8

/*
 * The words of a value as ascending hashes, each once, worked out once. Letters,
 * digits and whatever is not ASCII make words.
 */
static void
split_words(O2OMatchTable *table, O2OMatchValue *value)
{
	uint32 *words = MemoryContextAlloc(table->context, sizeof(uint32) * (WORDS_MAX + 1));
	int count = 0;
	int start = 0;

	for (int i = 0; i <= value->len && count < WORDS_MAX; i++)
	{
		char c = value->text[i];
		uint32 hash;
		int at;

		if (i < value->len && (o2o_is_alnum(c) || IS_HIGHBIT_SET(c)))
			continue;
		if (i > start)
		{
			hash = hash_bytes((const unsigned char *) value->text + start, i - start);
			for (at = count; at > 0 && words[at - 1] > hash; at--)
				;
			if (at == 0 || words[at - 1] != hash)
			{
				memmove(words + at + 1, words + at, sizeof(uint32) * (count - at));
				words[at] = hash;
				count++;
			}
		}
		start = i + 1;
	}
	value->words = words;
	value->word_count = count;
}

/* Words in both as a share of the words of either, or of the one that has fewer. */
static double
word_overlap(O2OMatchTable *table, O2OMatchValue *a, O2OMatchValue *b, bool inside)
{
	int common = 0;

	if (a->words == NULL)
		split_words(table, a);
	if (b->words == NULL)
		split_words(table, b);
	if (a->word_count == 0 || b->word_count == 0)
		return NAN;
	for (int i = 0, j = 0; i < a->word_count && j < b->word_count;)
	{
		common += a->words[i] == b->words[j];
		if (a->words[i] < b->words[j])
			i++;
		else if (a->words[i] > b->words[j])
			j++;
		else
			i++, j++;
	}
	if (inside)
		return (double) common / Min(a->word_count, b->word_count);
	return (double) common / (a->word_count + b->word_count - common);
}

/* Whether the shorter is the beginning of the longer, a point at its end apart. */
static double
is_beginning(const O2OMatchValue *a, const O2OMatchValue *b)
{
	const O2OMatchValue *shorter = a->len <= b->len ? a : b;
	const O2OMatchValue *longer = shorter == a ? b : a;
	int len = shorter->len;

	if (len > 1 && shorter->text[len - 1] == '.')
		len--;
	return memcmp(shorter->text, longer->text, len) == 0;
}

/* YYYY-MM-DD, YYYYMMDD, or day first where the year stands last; as written. */
bool
o2o_match_date_parts(const O2OMatchValue *value, int parts[3])
{
	int digits[3] = {0};
	int count = -1;
	bool inside = false;

	for (int i = 0; i < value->len; i++)
	{
		char c = value->text[i];

		if (c >= '0' && c <= '9')
		{
			if (!inside && ++count == 3)
				return false;
			if (!inside)
				parts[count] = 0;
			inside = true;
			if (++digits[count] > 8)
				return false;
			parts[count] = parts[count] * 10 + (c - '0');
		}
		else
			inside = false;
	}
	if (count == 0 && digits[0] == 8)
	{
		parts[2] = parts[0] % 100;
		parts[1] = parts[0] / 100 % 100;
		parts[0] /= 10000;
		return true;
	}
	if (count == 2 && digits[2] == 4 && digits[0] <= 2)
	{
		int year = parts[2];

		parts[2] = parts[0];
		parts[0] = year;
		return digits[1] <= 2;
	}
	return count == 2 && digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2;
}

static bool
is_date(const int parts[3])
{
	return parts[0] >= 1 && parts[1] >= 1 && parts[1] <= 12 && parts[2] >= 1 && parts[2] <= 31;
}

/* As o2o_date_agreement_level; dates that do not exist may still be one slip away. */
static double
date_level(const O2OMatchValue *a, const O2OMatchValue *b)
{
	int x[3];
	int y[3];
	int apart = PG_INT32_MAX;

	if (!o2o_match_date_parts(a, x) || !o2o_match_date_parts(b, y))
		return NAN;
	if (memcmp(x, y, sizeof(x)) == 0)
		apart = 0;
	else if (is_date(x) && is_date(y))
		apart = abs(date2j(x[0], x[1], x[2]) - date2j(y[0], y[1], y[2]));
	return o2o_date_agreement_level(apart, x, y);
}

static double
years_apart(const O2OMatchValue *a, const O2OMatchValue *b)
{
	int x[3];
	int y[3];

	if (!o2o_match_date_parts(a, x) || !o2o_match_date_parts(b, y))
		return NAN;
	return abs(x[0] - y[0]);
}

/* How many of year, month and day are the same. */
static double
equal_parts(const O2OMatchValue *a, const O2OMatchValue *b)
{
	int x[3];
	int y[3];

	if (!o2o_match_date_parts(a, x) || !o2o_match_date_parts(b, y))
		return NAN;
	return (x[0] == y[0]) + (x[1] == y[1]) + (x[2] == y[2]);
}

static double
number_of(const char *text, char **end)
{
	double number = strtod(text, end);

	return *end == text || !isfinite(number) ? NAN : number;
}

static double
numbers_apart(const O2OMatchValue *a, const O2OMatchValue *b)
{
	char *end;

	return fabs(number_of(a->text, &end) - number_of(b->text, &end));
}

/* "longitude,latitude" in degrees, as radians. */
static bool
place_of(const O2OMatchValue *value, double *longitude, double *latitude)
{
	char *end;

	*longitude = number_of(value->text, &end) * M_PI / 180;
	if (isnan(*longitude) || *end != ',')
		return false;
	*latitude = number_of(end + 1, &end) * M_PI / 180;
	return fabs(*longitude) <= M_PI && fabs(*latitude) <= M_PI / 2;
}

/* Metres on the sphere of mean radius (haversine): near enough for a level. */
static double
metres_apart(const O2OMatchValue *a, const O2OMatchValue *b)
{
	double x1;
	double y1;
	double x2;
	double y2;
	double h;

	if (!place_of(a, &x1, &y1) || !place_of(b, &x2, &y2))
		return NAN;
	h = pow(sin((y2 - y1) / 2), 2) + cos(y1) * cos(y2) * pow(sin((x2 - x1) / 2), 2);
	return 2 * EARTH_RADIUS_M * asin(fmin(1, sqrt(h)));
}

static double
agreement(int level)
{
	return level == O2O_AGREEMENT_NONE ? NAN : level;
}

/* The pinyin of a value, worked out once. */
static const char *
pinyin_of(O2OMatchTable *table, O2OMatchValue *value)
{
	if (value->pinyin == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(table->context);

		value->pinyin = o2o_pinyin_of(value->text, value->len);
		MemoryContextSwitchTo(before);
	}
	return value->pinyin;
}

/* Similarity of two names by their pinyin, spaces apart. */
static double
pinyin_similarity(const char *a, const char *b)
{
	uint32 codes[2][O2O_COMPARE_MAX];
	const char *texts[2] = {a, b};
	int counts[2] = {0, 0};
	O2OLetters letters;

	for (int i = 0; i < 2; i++)
		for (const char *c = texts[i]; *c != '\0' && counts[i] < O2O_COMPARE_MAX; c++)
			if (*c != ' ')
				codes[i][counts[i]++] = (unsigned char) *c;
	o2o_letters_from_codes(codes[0], counts[0], codes[1], counts[1], &letters);
	return o2o_jaro_winkler_similarity(&letters);
}

/* A measure of two values that are not the same one of the same column. */
static double
compare_values(O2OMatchTable *table, O2OMatchBy by, O2OMatchValue *a, O2OMatchValue *b)
{
	O2OLetters letters;

	switch (by)
	{
		case O2O_BY_JARO_WINKLER:
			o2o_letters_from_codes(a->codes, a->code_count, b->codes, b->code_count, &letters);
			return o2o_jaro_winkler_similarity(&letters);
		case O2O_BY_DAMERAU_LEVENSHTEIN:
			o2o_letters_from_codes(a->codes, a->code_count, b->codes, b->code_count, &letters);
			return o2o_damerau_levenshtein_distance(&letters);
		case O2O_BY_DATE:
			return date_level(a, b);
		case O2O_BY_YEAR:
			return years_apart(a, b);
		case O2O_BY_DATE_PARTS:
			return equal_parts(a, b);
		case O2O_BY_PHONE:
			return agreement(o2o_phone_agreement_level(a->text, a->len, b->text, b->len));
		case O2O_BY_EMAIL:
			return agreement(o2o_email_agreement_level(a->text, a->len, b->text, b->len));
		case O2O_BY_WORDS:
			return word_overlap(table, a, b, false);
		case O2O_BY_WORDS_INSIDE:
			return word_overlap(table, a, b, true);
		case O2O_BY_BEGINNING:
			return is_beginning(a, b);
		case O2O_BY_PLACE:
			return metres_apart(a, b);
		case O2O_BY_NUMBER:
			return numbers_apart(a, b);
		case O2O_BY_PINYIN:
			return pinyin_similarity(pinyin_of(table, a), pinyin_of(table, b));
		case O2O_BY_GIVEN_NAME:
			return o2o_given_name_overlap(a->text, a->len, b->text, b->len);
		case O2O_BY_EQUAL:
			break;
	}
	return a->hash == b->hash && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* A measure of a pair; NaN: a side says nothing. */
static double
measure_pair(O2OMatchTable *table, O2OMatchMeasure *measure, const int32 *a, const int32 *b)
{
	int32 x = a[measure->a_column];
	int32 y = b[measure->b_column];
	O2OMatchCacheEntry *entry;
	uint64 key;
	uint64 spread;

	if (x < 0 || y < 0)
		return NAN;
	if (measure->a_column == measure->b_column && measure->by == O2O_BY_EQUAL)
		return x == y;
	if (measure->cache == NULL || table->no_cache)
		return compare_values(table, measure->by, &table->values[measure->a_column][x],
							  &table->values[measure->b_column][y]);
	key = ((uint64) x << 32 | (uint32) y) + 1;
	spread = key * UINT64CONST(0x9E3779B97F4A7C15);
	entry = &measure->cache[(uint32) (spread >> 32) & measure->cache_mask];
	if (entry->key != key)
	{
		entry->number = compare_values(table, measure->by, &table->values[measure->a_column][x],
									   &table->values[measure->b_column][y]);
		entry->key = key;
	}
	return entry->number;
}

typedef struct Pair
{
	O2OMatchTable *table;
	const int32 *a;
	const int32 *b;
	uint64 known; /* bits of the measures below */
	double numbers[O2O_MATCH_MEASURES];
} Pair;

static inline double
pair_measure(Pair *pair, int measure)
{
	if ((pair->known >> measure & 1) == 0)
	{
		pair->numbers[measure] =
			measure_pair(pair->table, &pair->table->model->measures[measure], pair->a, pair->b);
		pair->known |= UINT64CONST(1) << measure;
	}
	return pair->numbers[measure];
}

/* 1 the test holds, 0 it does not, -1 a side says nothing. */
static inline int
test_pair(Pair *pair, const O2OMatchTest *test)
{
	double number = pair_measure(pair, test->measure);

	if (isnan(number))
		return -1;
	if (test->at_most ? number > test->at : number < test->at)
		return 0;
	if (test->mirror < 0)
		return 1;
	number = pair_measure(pair, test->mirror);
	if (isnan(number))
		return -1;
	return test->at_most ? number <= test->at : number >= test->at;
}

/*
 * The level of one comparison: the first of which a clause holds. Where none
 * does, the last, if any test could be made; else nothing is known. Only a test of
 * a column with itself speaks against: names that are not exchanged prove nothing.
 */
static int
comparison_level(Pair *pair, const O2OMatchComparison *comparison)
{
	bool tested = comparison->null_disagrees;

	for (int l = 0; l + 1 < comparison->level_count; l++)
	{
		const O2OMatchLevel *level = &comparison->levels[l];

		for (int c = 0; c < level->clause_count; c++)
		{
			int holds = 1;

			for (int t = 0; t < level->test_counts[c] && holds == 1; t++)
			{
				const O2OMatchTest *test = &level->clauses[c][t];

				holds = test_pair(pair, test);
				tested = tested || (holds >= 0 && test->mirror < 0);
			}
			if (holds == 1)
				return l;
		}
	}
	return tested ? comparison->level_count - 1 : O2O_EM_NULL;
}

/* The levels of all comparisons, four bits each. */
uint64
o2o_match_pattern(O2OMatchTable *table, int32 a, int32 b)
{
	const O2OMatchModel *model = table->model;
	uint64 pattern = 0;
	Pair pair;

	pair.table = table;
	pair.a = table->cells + (Size) a * model->column_count;
	pair.b = table->cells + (Size) b * model->column_count;
	pair.known = 0;
	for (int c = 0; c < model->comparison_count; c++)
		pattern |= (uint64) comparison_level(&pair, &model->comparisons[c]) << (4 * c);
	return pattern;
}
