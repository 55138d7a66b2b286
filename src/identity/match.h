/*
 * match.h
 *		What the files of probabilistic matching share: a model read from JSON,
 *		records read from a query, pairs that blocking finds, patterns of levels.
 *		The SQL of it is sql/install/26_identity_match.sql.
 */
#ifndef O2O_MATCH_H
#define O2O_MATCH_H

#include "identity/identity.h"

#include "identity/match_em.h"
#include "utils/array.h"
#include "utils/jsonb.h"

#define O2O_MATCH_COLUMNS 32     /* columns of a model */
#define O2O_MATCH_MEASURES 64    /* distinct measures of a model */
#define O2O_MATCH_RULES 32       /* blocking rules of a model */
#define O2O_MATCH_CHARACTERS 256 /* of a value that are looked at */
#define O2O_MATCH_KEYS 32        /* blocking keys of a record by one rule */
#define O2O_MATCH_INTERRUPT_EVERY 1024

/* How two values are compared. Each gives a number; a test compares it with its bound. */
typedef enum O2OMatchBy
{
	O2O_BY_EQUAL,
	O2O_BY_JARO_WINKLER,
	O2O_BY_DAMERAU_LEVENSHTEIN,
	O2O_BY_DATE,
	O2O_BY_YEAR,
	O2O_BY_DATE_PARTS,
	O2O_BY_PHONE,
	O2O_BY_EMAIL,
	O2O_BY_WORDS,
	O2O_BY_WORDS_INSIDE,
	O2O_BY_BEGINNING,
	O2O_BY_PLACE,
	O2O_BY_NUMBER,
	O2O_BY_PINYIN,
	O2O_BY_GIVEN_NAME
} O2OMatchBy;

/* What of a value makes a blocking key. */
typedef enum O2OMatchKeyBy
{
	O2O_KEY_VALUE,
	O2O_KEY_PREFIX,
	O2O_KEY_SOUND,
	O2O_KEY_YEAR,
	O2O_KEY_DAY,
	O2O_KEY_PHONE,
	O2O_KEY_EMAIL_LOCAL,
	O2O_KEY_WORDS,
	O2O_KEY_PINYIN
} O2OMatchKeyBy;

/* A distinct value of a column, in lower case, trimmed. */
typedef struct O2OMatchValue
{
	const char *text;
	int len;
	int count; /* records that have it */
	int code_count;
	const uint32 *codes; /* characters */
	uint32 hash;
	const char *pinyin; /* once asked for */
	uint32 *words;      /* the same: hashes, ascending */
	int word_count;
	double term_frequency; /* by the model; 0: it has none for the value */
} O2OMatchValue;

typedef struct O2OMatchCacheEntry
{
	uint64 key; /* both values, less one; 0: free */
	double number;
} O2OMatchCacheEntry;

/* A comparison of two columns that tests ask for, worked out once a pair. */
typedef struct O2OMatchMeasure
{
	O2OMatchBy by;
	int a_column;
	int b_column;
	O2OMatchCacheEntry *cache; /* by pair of values; NULL: not worth it */
	uint32 cache_mask;
} O2OMatchMeasure;

typedef struct O2OMatchTest
{
	int measure;
	int mirror; /* the same with the columns exchanged; -1: one column */
	double at;
	bool at_most; /* a distance: at most, else at least */
} O2OMatchTest;

/* All tests of one of its clauses hold; the last level has none, and takes the rest. */
typedef struct O2OMatchLevel
{
	const char *label;
	int clause_count;
	int *test_counts;
	O2OMatchTest **clauses;
	double m; /* NaN: not trained */
	double u;
} O2OMatchLevel;

typedef struct O2OMatchComparison
{
	const char *name;
	int level_count;
	O2OMatchLevel levels[O2O_EM_LEVELS];
	bool null_disagrees;
	int term_column;   /* -1: no term frequencies */
	double term_floor; /* frequency of values that the model does not know */
	JsonbContainer *terms;
	uint32 columns; /* bits of the columns that its tests read */
} O2OMatchComparison;

typedef struct O2OMatchKey
{
	O2OMatchKeyBy by;
	int column;
	int length; /* of a prefix */
} O2OMatchKey;

typedef struct O2OMatchRule
{
	const char *label;
	int key_count;
	O2OMatchKey *keys;
	int cap; /* blocks of more records are left out */
	uint32 columns;
} O2OMatchRule;

typedef struct O2OMatchModel
{
	int column_count;
	const char *columns[O2O_MATCH_COLUMNS];
	int measure_count;
	O2OMatchMeasure measures[O2O_MATCH_MEASURES];
	int comparison_count;
	O2OMatchComparison comparisons[O2O_EM_COMPARISONS];
	int rule_count;
	O2OMatchRule rules[O2O_MATCH_RULES];
	double prior; /* NaN: not trained */
	double link;
	double review;
	int cluster_cap;
	int64 sample_pairs;
	int64 seed;
	int one_per_column; /* -1: none */
} O2OMatchModel;

/* Records of a query, ascending by id; the values of a column are numbered. */
typedef struct O2OMatchTable
{
	O2OMatchModel *model;
	MemoryContext context;
	int count;
	int64 *ids;
	bool no_cache; /* while pairs come at random */
	int32 *cells;  /* value of column c of record i: cells[i * column_count + c]; -1: NULL */
	int32 value_counts[O2O_MATCH_COLUMNS];
	O2OMatchValue *values[O2O_MATCH_COLUMNS];
} O2OMatchTable;

/* One blocking rule over a table. */
typedef struct O2OMatchEntry
{
	uint64 key;
	int32 record;
} O2OMatchEntry;

typedef struct O2OMatchBlocks
{
	int64 count;
	O2OMatchEntry *entries; /* of blocks that are used, by key and record */
	int64 *starts;          /* where the keys of a record begin, count + 1 of them */
	uint64 *keys;           /* of each record, ascending */
	int64 block_count;
	int64 pair_count;
	int64 largest;
	int64 skipped_blocks; /* of more records than the cap */
	int64 skipped_records;
} O2OMatchBlocks;

/* What is asked about each pair of records that blocking finds: a < b. */
typedef void (*O2OMatchPairFunction)(void *argument, int rule, bool first, int32 a, int32 b);

/* match_model.c */
extern O2OMatchModel *o2o_match_model_read(Jsonb *json);
extern void o2o_match_model_need_trained(const O2OMatchModel *model);

/* match_value.c */
typedef struct O2OMatchDictionary
{
	int32 *slots; /* numbers of values, -1: free */
	uint32 slot_count;
	int32 capacity;
} O2OMatchDictionary;

extern char *o2o_match_clean(const char *s, int *len);
extern int32 o2o_match_value_number(O2OMatchTable *table, O2OMatchDictionary *dictionary,
									int column, const char *text, int len);

/* match_record.c */
extern O2OMatchTable *
o2o_match_table_read(const char *query, O2OMatchModel *model, Jsonb *first, ArrayType *keys);
extern O2OMatchTable *o2o_match_table_of_json(O2OMatchModel *model, int count, Jsonb **records);
extern void o2o_match_need_memory(MemoryContext context, Size more, const char *what);

/* match_compare.c */
extern bool o2o_match_date_parts(const O2OMatchValue *value, int parts[3]);
extern uint64 o2o_match_pattern(O2OMatchTable *table, int32 a, int32 b);

/* match_block.c */
extern O2OMatchBlocks *o2o_match_blocks(const O2OMatchTable *table);
extern void o2o_match_pairs(const O2OMatchTable *table, const O2OMatchBlocks *blocks,
							O2OMatchPairFunction function, void *argument);
extern int o2o_match_record_keys(const O2OMatchTable *table, int rule, int32 record,
								 uint64 keys[O2O_MATCH_KEYS]);

/* match_score.c */
typedef struct O2OMatchWeights
{
	double levels[O2O_EM_COMPARISONS][O2O_EM_LEVELS + 1]; /* the last: no evidence */
	double prior;
} O2OMatchWeights;

extern void o2o_match_weights(const O2OMatchModel *model, O2OMatchWeights *weights);
extern double
o2o_match_term_weight(const O2OMatchTable *table, int comparison, int level, int32 a, int32 b);
extern double o2o_match_weight(const O2OMatchTable *table, const O2OMatchWeights *weights,
							   uint64 pattern, int32 a, int32 b);
extern double o2o_match_probability(double weight);

/* Spreads the bits of a number (the finisher of MurmurHash3, a bijection). */
static inline uint64
o2o_match_mix(uint64 x)
{
	x ^= x >> 33;
	x *= UINT64CONST(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64CONST(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static inline int
o2o_match_level(uint64 pattern, int comparison)
{
	return (int) (pattern >> (4 * comparison) & 15);
}

#endif /* O2O_MATCH_H */
