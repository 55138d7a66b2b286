/*
 * match_block.c
 *		Blocking: which pairs of records are compared at all. A rule gives each
 *		record its keys; records with a common key make a block, and its pairs.
 *		A pair that several rules find comes once, by the first of them.
 */
#include "identity/match.h"

#include "common/hashfn.h"
#include "identity/pinyin.h"
#include "miscadmin.h"

typedef struct Parts
{
	int count;
	uint64 hashes[O2O_MATCH_KEYS];
} Parts;

static inline uint64
hash_text(const char *s, int len)
{
	return DatumGetUInt64(hash_bytes_extended((const unsigned char *) s, len, 0));
}

static inline void
add_part(Parts *parts, const char *s, int len)
{
	uint64 hash = hash_text(s, len);

	if (len == 0 || parts->count == O2O_MATCH_KEYS)
		return;
	for (int i = 0; i < parts->count; i++)
		if (parts->hashes[i] == hash)
			return;
	parts->hashes[parts->count++] = hash;
}

/*
 * How a name sounds, roughly: its first letter, then the consonants by groups,
 * repeated ones once (the idea of Soundex, without its cut at four). Names that
 * are not in Latin letters sound as they are written.
 */
static int
sound_of(const O2OMatchValue *value, char *out)
{
	static const char groups[] = "01230120022455012623010202";
	char last = '0';
	int count = 0;

	for (int i = 0; i < value->len; i++)
	{
		char c = value->text[i];
		char group;

		if (IS_HIGHBIT_SET(c))
		{
			memcpy(out, value->text, value->len);
			return value->len;
		}
		if (c < 'a' || c > 'z')
			continue;
		group = groups[c - 'a'];
		if (count == 0)
			out[count++] = c;
		else if (group != '0' && group != last)
			out[count++] = group;
		if (c != 'h' && c != 'w')
			last = group;
	}
	return count;
}

static int
only_digits(const O2OMatchValue *value, char *out)
{
	int count = 0;

	for (int i = 0; i < value->len; i++)
		if (value->text[i] >= '0' && value->text[i] <= '9')
			out[count++] = value->text[i];
	return count;
}

/* The local part of an e-mail address without dots and tag. */
static int
email_local(const O2OMatchValue *value, char *out)
{
	int count = 0;

	for (int i = 0; i < value->len && value->text[i] != '@' && value->text[i] != '+'; i++)
		if (value->text[i] != '.')
			out[count++] = value->text[i];
	return count;
}

/* So that a name typed in pinyin, with spaces or without, meets its characters. */
static int
without_spaces(const char *text, char *out, int size)
{
	int count = 0;

	for (; *text != '\0' && count < size; text++)
		if (*text != ' ')
			out[count++] = *text;
	return count;
}

/* Words of two characters or more; what stands for itself in Chinese counts too. */
static void
word_parts(const O2OMatchValue *value, Parts *parts)
{
	int start = 0;

	for (int i = 0; i <= value->len; i++)
	{
		char c = value->text[i];

		if (i < value->len && (o2o_is_alnum(c) || IS_HIGHBIT_SET(c)))
			continue;
		if (i - start >= 2)
			add_part(parts, value->text + start, i - start);
		start = i + 1;
	}
}

/* What of a value makes keys; nothing where the value says nothing. */
static void
key_parts(const O2OMatchKey *key, const O2OMatchValue *value, Parts *parts)
{
	char out[4 * O2O_MATCH_CHARACTERS + 1];
	int date[3];
	int len;

	parts->count = 0;
	switch (key->by)
	{
		case O2O_KEY_VALUE:
			add_part(parts, value->text, value->len);
			break;
		case O2O_KEY_PREFIX:
			if (value->code_count >= key->length)
				parts->hashes[parts->count++] = DatumGetUInt64(hash_bytes_extended(
					(const unsigned char *) value->codes, key->length * (int) sizeof(uint32), 1));
			break;
		case O2O_KEY_SOUND:
			add_part(parts, out, sound_of(value, out));
			break;
		case O2O_KEY_YEAR:
			if (o2o_match_date_parts(value, date))
				add_part(parts, out, snprintf(out, sizeof(out), "%04d", date[0]));
			break;
		case O2O_KEY_DAY:
			if (o2o_match_date_parts(value, date))
				add_part(parts, out, snprintf(out, sizeof(out), "%02d%02d", date[1], date[2]));
			break;
		case O2O_KEY_PHONE:
			len = only_digits(value, out);
			add_part(parts, out + Max(len - 8, 0), len >= 5 ? Min(len, 8) : 0);
			break;
		case O2O_KEY_EMAIL_LOCAL:
			add_part(parts, out, email_local(value, out));
			break;
		case O2O_KEY_WORDS:
			word_parts(value, parts);
			break;
		case O2O_KEY_PINYIN:
			len = without_spaces(o2o_pinyin_of(value->text, value->len), out, sizeof(out));
			add_part(parts, out, len);
			break;
	}
}

static int
compare_hashes(const void *x, const void *y)
{
	uint64 a = *(const uint64 *) x;
	uint64 b = *(const uint64 *) y;

	return a < b ? -1 : a > b;
}

/* The keys of a record by a rule: one part of each of its columns, ascending, distinct. */
int
o2o_match_record_keys(const O2OMatchTable *table, int rule_number, int32 record,
					  uint64 keys[O2O_MATCH_KEYS])
{
	const O2OMatchRule *rule = &table->model->rules[rule_number];
	const int32 *cells = table->cells + (Size) record * table->model->column_count;
	int count = 1;
	int distinct = 0;

	keys[0] = (uint64) rule_number;
	for (int k = 0; k < rule->key_count; k++)
	{
		uint64 before[O2O_MATCH_KEYS];
		int before_count = count;
		int32 value = cells[rule->keys[k].column];
		Parts parts;

		if (value < 0)
			return 0;
		key_parts(&rule->keys[k], &table->values[rule->keys[k].column][value], &parts);
		memcpy(before, keys, before_count * sizeof(uint64));
		count = 0;
		for (int i = 0; i < before_count; i++)
			for (int p = 0; p < parts.count && count < O2O_MATCH_KEYS; p++)
				keys[count++] = hash_combine64(before[i], parts.hashes[p]);
	}
	qsort(keys, count, sizeof(uint64), compare_hashes);
	for (int i = 0; i < count; i++)
		if (i == 0 || keys[i] != keys[distinct - 1])
			keys[distinct++] = keys[i];
	return distinct;
}

static inline int
compare_entries(const O2OMatchEntry *x, const O2OMatchEntry *y)
{
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE O2OMatchEntry
#define ST_COMPARE(x, y) compare_entries(x, y)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* All keys of a rule, by key and record. */
static void
collect_entries(const O2OMatchTable *table, int rule, O2OMatchBlocks *blocks)
{
	int64 capacity = table->count + O2O_MATCH_KEYS;

	o2o_match_need_memory(table->context, capacity * sizeof(O2OMatchEntry), "Blocking keys");
	blocks->entries = MemoryContextAllocExtended(table->context, capacity * sizeof(O2OMatchEntry),
												 MCXT_ALLOC_HUGE);
	for (int32 i = 0; i < table->count; i++)
	{
		uint64 keys[O2O_MATCH_KEYS];
		int count = o2o_match_record_keys(table, rule, i, keys);

		if (i % O2O_MATCH_INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (blocks->count + count > capacity)
		{
			capacity *= 2;
			o2o_match_need_memory(table->context, capacity * sizeof(O2OMatchEntry),
								  "Blocking keys");
			blocks->entries = repalloc_huge(blocks->entries, capacity * sizeof(O2OMatchEntry));
		}
		for (int k = 0; k < count; k++)
			blocks->entries[blocks->count++] = (O2OMatchEntry){keys[k], i};
	}
	sort_entries(blocks->entries, blocks->count);
}

/* Leaves the blocks that are used: of two records or more, and not of too many. */
static void
choose_blocks(int cap, O2OMatchBlocks *blocks)
{
	int64 kept = 0;
	int64 end;

	for (int64 begin = 0; begin < blocks->count; begin = end)
	{
		int64 size;

		for (end = begin;
			 end < blocks->count && blocks->entries[end].key == blocks->entries[begin].key;)
			end++;
		size = end - begin;
		blocks->largest = Max(blocks->largest, size);
		if (size < 2)
			continue;
		if (size > cap)
		{
			blocks->skipped_blocks++;
			blocks->skipped_records += size;
			continue;
		}
		memmove(blocks->entries + kept, blocks->entries + begin, size * sizeof(O2OMatchEntry));
		kept += size;
		blocks->block_count++;
		blocks->pair_count += size * (size - 1) / 2;
	}
	blocks->count = kept;
}

/* The keys again, by record: entries come by key, so each record's are ascending. */
static void
index_keys(const O2OMatchTable *table, O2OMatchBlocks *blocks)
{
	Size bytes = (table->count + 2) * sizeof(int64) + blocks->count * sizeof(uint64);
	int64 sum = 0;

	o2o_match_need_memory(table->context, bytes, "Blocking keys");
	blocks->starts = MemoryContextAllocExtended(table->context, (table->count + 2) * sizeof(int64),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	blocks->keys = MemoryContextAllocExtended(
		table->context, Max(blocks->count, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	for (int64 e = 0; e < blocks->count; e++)
		blocks->starts[blocks->entries[e].record + 2]++;
	for (int32 i = 2; i < table->count + 2; i++)
	{
		sum += blocks->starts[i];
		blocks->starts[i] = sum;
	}
	/* starts[i + 1] moves to the end of record i while its keys are put down */
	for (int64 e = 0; e < blocks->count; e++)
		blocks->keys[blocks->starts[blocks->entries[e].record + 1]++] = blocks->entries[e].key;
}

/* The blocks of every rule of the model. */
O2OMatchBlocks *
o2o_match_blocks(const O2OMatchTable *table)
{
	O2OMatchBlocks *blocks = palloc0(sizeof(O2OMatchBlocks) * table->model->rule_count);

	for (int rule = 0; rule < table->model->rule_count; rule++)
	{
		collect_entries(table, rule, &blocks[rule]);
		choose_blocks(table->model->rules[rule].cap, &blocks[rule]);
		index_keys(table, &blocks[rule]);
		CHECK_FOR_INTERRUPTS();
	}
	return blocks;
}

/* The lowest key that two records have in common; false where there is none. */
static inline bool
common_key(const O2OMatchBlocks *blocks, int32 a, int32 b, uint64 *key)
{
	int64 i = blocks->starts[a];
	int64 j = blocks->starts[b];
	int64 i_end = blocks->starts[a + 1];
	int64 j_end = blocks->starts[b + 1];

	while (i < i_end && j < j_end)
	{
		if (blocks->keys[i] == blocks->keys[j])
		{
			*key = blocks->keys[i];
			return true;
		}
		if (blocks->keys[i] < blocks->keys[j])
			i++;
		else
			j++;
	}
	return false;
}

/* Calls the function for each pair of each rule, in the order of rule, key, records. */
void
o2o_match_pairs(const O2OMatchTable *table, const O2OMatchBlocks *blocks,
				O2OMatchPairFunction function, void *argument)
{
	uint64 seen = 0;
	uint64 key;

	for (int rule = 0; rule < table->model->rule_count; rule++)
	{
		const O2OMatchEntry *entries = blocks[rule].entries;
		int64 end;

		for (int64 begin = 0; begin < blocks[rule].count; begin = end)
		{
			for (end = begin; end < blocks[rule].count && entries[end].key == entries[begin].key;)
				end++;
			for (int64 i = begin; i < end; i++)
				for (int64 j = i + 1; j < end; j++)
				{
					int32 a = entries[i].record;
					int32 b = entries[j].record;
					bool first = true;

					if (seen++ % O2O_MATCH_INTERRUPT_EVERY == 0)
						CHECK_FOR_INTERRUPTS();
					if (blocks[rule].starts[a + 1] - blocks[rule].starts[a] > 1 &&
						common_key(&blocks[rule], a, b, &key) && key != entries[begin].key)
						continue;
					for (int r = 0; r < rule && first; r++)
						first = !common_key(&blocks[r], a, b, &key);
					function(argument, rule, first, a, b);
				}
		}
	}
}
