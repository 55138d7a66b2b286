/*
 * compare_string.c
 *		Jaro, Jaro-Winkler and Damerau-Levenshtein on letters. Pure, as its header
 *		says. What SQL sees of them lives in compare.c; phones, e-mail addresses
 *		and dates in compare_contact.c.
 *
 * Jaro's matching gives each letter of a, from left to right, the first free
 * equal letter of b at most `window` places away. For one letter the places that
 * are too far left for one letter of a are so for all later ones, so each letter
 * needs but one list of its places in b, read once: the whole is linear, short of
 * any bit-parallel form and symmetric in a and b.
 *
 * The distance is the unrestricted one (Lowrance and Wagner 1975): letters may be
 * added or dropped between two that are swapped, which makes it a metric; the
 * optimal string alignment distance is none. Of the swaps only those with nothing
 * dropped, or nothing added, between the two letters have to be looked at:
 * otherwise replacing letters is as cheap. So three rows and, for each column, the
 * last row that matched it are all that is kept.
 */
#include "identity/compare_string.h"

#include <string.h>

#define WINKLER_PREFIX_MAX 4
#define WINKLER_SCALE 0.1
#define WINKLER_THRESHOLD 0.7 /* below, equal beginnings are no evidence */

#define NOWHERE UINT16_MAX

/* Bytes of ASCII, or of an encoding with one byte a character, are letters. */
void
o2o_letters_from_bytes(const char *a, int a_len, const char *b, int b_len, O2OLetters *out)
{
	for (int i = 0; i < a_len; i++)
		out->a[i] = (unsigned char) a[i];
	for (int i = 0; i < b_len; i++)
		out->b[i] = (unsigned char) b[i];
	out->a_len = a_len;
	out->b_len = b_len;
}

typedef struct LetterTable
{
	uint32_t mask; /* number of slots, a power of two, less one */
	int count;
	uint16_t slots[4 * O2O_COMPARE_MAX]; /* positions in codes, NOWHERE when free */
	uint32_t codes[2 * O2O_COMPARE_MAX];
} LetterTable;

/* The letter of a character: itself, or its number in the order of appearance. */
static inline uint16_t
code_letter(LetterTable *table, uint32_t code)
{
	uint32_t at;

	if (code < O2O_LETTER_DIRECT)
		return (uint16_t) code;
	at = (code * UINT32_C(0x9E3779B1)) >> 16 & table->mask;
	while (table->slots[at] != NOWHERE)
	{
		if (table->codes[table->slots[at]] == code)
			return (uint16_t) (O2O_LETTER_DIRECT + table->slots[at]);
		at = (at + 1) & table->mask;
	}
	table->slots[at] = (uint16_t) table->count;
	table->codes[table->count] = code;
	return (uint16_t) (O2O_LETTER_DIRECT + table->count++);
}

/* Code points, or any other numbers of characters, as letters. */
void
o2o_letters_from_codes(const uint32_t *a, int a_len, const uint32_t *b, int b_len, O2OLetters *out)
{
	LetterTable table;
	uint32_t slots = 16;

	/* at most half full: 2 * O2O_COMPARE_MAX characters fill half of all slots */
	while (slots < 2 * (uint32_t) (a_len + b_len))
		slots *= 2;
	table.mask = slots - 1;
	table.count = 0;
	memset(table.slots, 0xFF, slots * sizeof(table.slots[0])); /* NOWHERE */
	for (int i = 0; i < a_len; i++)
		out->a[i] = code_letter(&table, a[i]);
	for (int i = 0; i < b_len; i++)
		out->b[i] = code_letter(&table, b[i]);
	out->a_len = a_len;
	out->b_len = b_len;
}

/* Jaro's similarity: 1 for equal strings (two empty ones too), 0 without a match. */
double
o2o_jaro_similarity(const O2OLetters *pair)
{
	const uint16_t *a = pair->a;
	const uint16_t *b = pair->b;
	int longer = pair->a_len > pair->b_len ? pair->a_len : pair->b_len;
	int window = longer / 2 - 1;
	int matches = 0;
	int moved = 0;
	uint16_t first[O2O_LETTER_MAX]; /* place in b of a letter; set where it is read */
	uint16_t after[O2O_COMPARE_MAX];
	uint16_t matched[O2O_COMPARE_MAX];
	bool taken[O2O_COMPARE_MAX];

	if (longer == 0)
		return 1;
	if (window < 0)
		window = 0;

	for (int i = 0; i < pair->a_len; i++)
		first[a[i]] = NOWHERE;
	for (int j = 0; j < pair->b_len; j++)
		first[b[j]] = NOWHERE;
	for (int j = pair->b_len - 1; j >= 0; j--)
	{
		after[j] = first[b[j]];
		first[b[j]] = (uint16_t) j;
		taken[j] = false;
	}

	for (int i = 0; i < pair->a_len; i++)
	{
		uint16_t j = first[a[i]];

		while (j != NOWHERE && j + window < i)
			j = after[j];
		if (j != NOWHERE && j <= i + window)
		{
			taken[j] = true;
			matched[matches++] = a[i];
			j = after[j];
		}
		first[a[i]] = j;
	}
	if (matches == 0)
		return 0;

	for (int j = 0, k = 0; k < matches; j++)
		if (taken[j])
			moved += matched[k++] != b[j];

	/* two letters in each other's place are one transposition; half ones are dropped */
	return ((double) matches / pair->a_len + (double) matches / pair->b_len +
			(double) (matches - moved / 2) / matches) /
		   3;
}

/* Jaro's similarity, raised for strings that begin alike. */
double
o2o_jaro_winkler_similarity(const O2OLetters *pair)
{
	double jaro = o2o_jaro_similarity(pair);
	int shorter = pair->a_len < pair->b_len ? pair->a_len : pair->b_len;
	int prefix = 0;

	if (jaro <= WINKLER_THRESHOLD)
		return jaro;
	while (prefix < shorter && prefix < WINKLER_PREFIX_MAX && pair->a[prefix] == pair->b[prefix])
		prefix++;
	return jaro + prefix * WINKLER_SCALE * (1 - jaro);
}

static inline int
least(int x, int y)
{
	return x < y ? x : y;
}

/* The columns of the matrix of distances, for one row each, from column -1. */
typedef struct DistanceRow
{
	int cell[O2O_COMPARE_MAX + 2];
} DistanceRow;

/*
 * Damerau-Levenshtein distance of a[0..m) and b[0..n). In row i and column j the
 * candidates are: one letter added, dropped, replaced or kept; a[i-1] and a[i]
 * swapped with letters added between (from the row before the last one, left of
 * the last column where a[i] stood); b[j-1] and b[j] swapped with letters dropped
 * between (from above the last row where b[j] stood).
 */
static int
distance(const uint16_t *a, int m, const uint16_t *b, int n)
{
	const int far = 4 * O2O_COMPARE_MAX;
	DistanceRow rows[3];
	int *below_last = rows[0].cell; /* row i - 2 */
	int *last = rows[1].cell;
	int *row = rows[2].cell;
	int above_match[O2O_COMPARE_MAX +
					1]; /* cell from which b[j-1], b[j] are swapped, less its row */

	for (int j = 0; j <= n; j++)
	{
		below_last[j] = far;
		last[j] = j;
		above_match[j] = far;
	}
	for (int i = 1; i <= m; i++)
	{
		int *spare = below_last;
		int letter = a[i - 1];
		int letter_before = i > 1 ? a[i - 2] : -1;
		int b_before = -1;
		int left_of_match = far; /* cell from which a[i-1], a[i] are swapped, less its column */
		int cell = i;

		row[0] = i;
		for (int j = 1; j <= n; j++)
		{
			int b_letter = b[j - 1];
			int diagonal = last[j - 1];

			if (letter == b_letter)
			{
				/* nothing is cheaper than a letter kept */
				left_of_match = below_last[j - 1] - j;
				above_match[j] = (j > 1 ? last[j - 2] : far) - i;
				cell = diagonal;
			}
			else
			{
				int swapped_a = letter_before == b_letter ? left_of_match + j : far;
				int swapped_b = b_before == letter ? above_match[j] + i : far;

				cell = 1 + least(least(diagonal, cell), last[j]);
				cell = least(cell, least(swapped_a, swapped_b));
			}
			row[j] = cell;
			b_before = b_letter;
		}
		below_last = last;
		last = row;
		row = spare;
	}
	return last[n];
}

/* Fewest letters added, dropped, replaced or swapped with a neighbour. */
int
o2o_damerau_levenshtein_distance(const O2OLetters *pair)
{
	const uint16_t *a = pair->a;
	const uint16_t *b = pair->b;
	int m = pair->a_len;
	int n = pair->b_len;

	/* equal beginnings and ends cost nothing */
	while (m > 0 && n > 0 && a[m - 1] == b[n - 1])
		m--, n--;
	while (m > 0 && n > 0 && *a == *b)
		a++, b++, m--, n--;
	if (m == 0 || n == 0)
		return m + n;
	return distance(a, m, b, n);
}
