/*
 * identity_compare_check.c
 *		Holds the pure comparison functions against their definitions, written
 *		as plainly as can be, on seeded random strings: Jaro by scanning the
 *		window, Damerau-Levenshtein by the whole matrix of Lowrance and Wagner.
 *		Symmetry, range, identity, the triangle inequality; strings of the full
 *		length; rubbish for phones and e-mail addresses.
 *		Prints how much was compared and exits 1 on a violation.
 *		Usage: identity_compare_check [pairs [seed]]
 */
#include "identity/compare_string.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MAX 80

static long violations = 0;

static double
plain_jaro(const uint32_t *a, int m, const uint32_t *b, int n)
{
	static bool a_taken[O2O_COMPARE_MAX];
	static bool b_taken[O2O_COMPARE_MAX];
	int window = (m > n ? m : n) / 2 - 1;
	int matches = 0;
	int moved = 0;

	if (m == 0 && n == 0)
		return 1;
	memset(a_taken, 0, sizeof(a_taken));
	memset(b_taken, 0, sizeof(b_taken));
	if (window < 0)
		window = 0;
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n && !a_taken[i]; j++)
			if (abs(i - j) <= window && !b_taken[j] && a[i] == b[j])
			{
				a_taken[i] = b_taken[j] = true;
				matches++;
			}
	if (matches == 0)
		return 0;
	for (int i = 0, j = 0; i < m; i++)
	{
		if (!a_taken[i])
			continue;
		while (!b_taken[j])
			j++;
		moved += a[i] != b[j++];
	}
	return ((double) matches / m + (double) matches / n +
			(double) (matches - moved / 2) / matches) /
		   3;
}

/* The matrix is static: at most SHORT_MAX characters. */
static int
plain_distance(const uint32_t *a, int m, const uint32_t *b, int n)
{
	static int d[SHORT_MAX + 1][SHORT_MAX + 1];

	for (int i = 0; i <= m; i++)
		for (int j = 0; j <= n; j++)
		{
			int best;

			if (i == 0 || j == 0)
			{
				d[i][j] = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			/* a[k] and a[i] become b[l] and b[j] in the other order */
			for (int k = 1; k < i; k++)
				for (int l = 1; l < j; l++)
					if (a[k - 1] == b[j - 1] && a[i - 1] == b[l - 1])
					{
						int swapped = d[k - 1][l - 1] + (i - k - 1) + 1 + (j - l - 1);

						if (swapped < best)
							best = swapped;
					}
			d[i][j] = best;
		}
	return d[m][n];
}

static void
violation(const char *what, const uint32_t *a, int m, const uint32_t *b, int n)
{
	violations++;
	fprintf(stderr, "%s:", what);
	for (int i = 0; i < m && i < SHORT_MAX; i++)
		fprintf(stderr, " %x", (unsigned) a[i]);
	fprintf(stderr, " |");
	for (int i = 0; i < n && i < SHORT_MAX; i++)
		fprintf(stderr, " %x", (unsigned) b[i]);
	fputc('\n', stderr);
}

/* A character of an alphabet of a few letters, of bytes, of code points, of all. */
static uint32_t
character(int alphabet)
{
	switch (alphabet)
	{
		case 0:
			return 'a' + next() % 3;
		case 1:
			return 'a' + next() % 20;
		case 2:
			return 0xF0 + next() % 32; /* on both sides of O2O_LETTER_DIRECT */
		case 3:
			return 0x4E00 + next() % 4 * 65536; /* far apart, alike in the low bits */
		default:
			return (uint32_t) next();
	}
}

static int
random_string(uint32_t *s, int alphabet, int max)
{
	int len = (int) (next() % (uint64_t) (max + 1));

	for (int i = 0; i < len; i++)
		s[i] = character(alphabet);
	return len;
}

/* A few slips in a. */
static int
slipped_string(const uint32_t *a, int m, uint32_t *s, int alphabet)
{
	int len = m;

	memcpy(s, a, sizeof(*s) * (size_t) m);
	for (uint64_t slips = next() % 5; slips > 0; slips--)
	{
		int at = len > 0 ? (int) (next() % (uint64_t) len) : 0;

		if (next() % 4 == 0 && len < SHORT_MAX)
		{
			memmove(s + at + 1, s + at, sizeof(*s) * (size_t) (len - at));
			s[at] = character(alphabet);
			len++;
		}
		else if (next() % 3 == 0 && len > 0)
		{
			memmove(s + at, s + at + 1, sizeof(*s) * (size_t) (len - at - 1));
			len--;
		}
		else if (at + 1 < len)
		{
			uint32_t c = s[at];

			s[at] = s[at + 1];
			s[at + 1] = c;
		}
	}
	return len;
}

static int
distance_of(const uint32_t *a, int m, const uint32_t *b, int n)
{
	static O2OLetters pair;

	o2o_letters_from_codes(a, m, b, n, &pair);
	return o2o_damerau_levenshtein_distance(&pair);
}

/* One pair of short strings, and a third for the triangle. */
static void
check_pair(void)
{
	static O2OLetters pair;
	static O2OLetters turned;
	uint32_t a[SHORT_MAX];
	uint32_t b[SHORT_MAX];
	uint32_t c[SHORT_MAX];
	int alphabet = (int) (next() % 5);
	int max = next() % 128 == 0 ? SHORT_MAX : next() % 4 == 0 ? 20 : 9;
	int m = random_string(a, alphabet, max);
	int n = next() % 2 == 0 ? slipped_string(a, m, b, alphabet) : random_string(b, alphabet, max);
	int o = slipped_string(b, n, c, alphabet);
	bool equal = m == n && memcmp(a, b, sizeof(*a) * (size_t) m) == 0;
	double jaro;
	double winkler;
	int distance;

	o2o_letters_from_codes(a, m, b, n, &pair);
	o2o_letters_from_codes(b, n, a, m, &turned);
	jaro = o2o_jaro_similarity(&pair);
	winkler = o2o_jaro_winkler_similarity(&pair);
	distance = o2o_damerau_levenshtein_distance(&pair);

	if (jaro != plain_jaro(a, m, b, n))
		violation("jaro differs", a, m, b, n);
	if (distance != plain_distance(a, m, b, n))
		violation("distance differs", a, m, b, n);
	if (jaro < 0 || jaro > 1 || winkler < jaro || winkler > 1 || distance > (m > n ? m : n) ||
		distance < abs(m - n))
		violation("range", a, m, b, n);
	if (equal != (jaro == 1) || equal != (winkler == 1) || equal != (distance == 0))
		violation("identity", a, m, b, n);
	if (jaro != o2o_jaro_similarity(&turned) || winkler != o2o_jaro_winkler_similarity(&turned) ||
		distance != o2o_damerau_levenshtein_distance(&turned))
		violation("symmetry", a, m, b, n);
	if (distance_of(a, m, c, o) > distance + distance_of(b, n, c, o))
		violation("triangle", a, m, b, n);

	if (alphabet < 2)
	{
		char x[SHORT_MAX];
		char y[SHORT_MAX];

		for (int i = 0; i < m; i++)
			x[i] = (char) a[i];
		for (int i = 0; i < n; i++)
			y[i] = (char) b[i];
		o2o_letters_from_bytes(x, m, y, n, &turned);
		if (jaro != o2o_jaro_similarity(&turned) ||
			distance != o2o_damerau_levenshtein_distance(&turned))
			violation("bytes and codes differ", a, m, b, n);
	}
}

/* The longest strings, all characters different or all the same. */
static void
check_long(void)
{
	static uint32_t a[O2O_COMPARE_MAX];
	static uint32_t b[O2O_COMPARE_MAX];
	static O2OLetters pair;
	const int n = O2O_COMPARE_MAX;

	for (int i = 0; i < n; i++)
		a[i] = 1000 + (uint32_t) i, b[i] = 1000 + (uint32_t) (n - 1 - i);
	o2o_letters_from_codes(a, n, b, n, &pair);
	/* the two in the middle are swapped, the others replaced */
	if (o2o_damerau_levenshtein_distance(&pair) != n - 1 ||
		o2o_jaro_similarity(&pair) != plain_jaro(a, n, b, n))
		violation("long and reversed", a, 0, b, 0);
	for (int i = 0; i < n; i++)
		b[i] = 100000 + (uint32_t) i;
	o2o_letters_from_codes(a, n, b, n, &pair);
	if (o2o_damerau_levenshtein_distance(&pair) != n || o2o_jaro_similarity(&pair) != 0)
		violation("long and different", a, 0, b, 0);
	for (int i = 0; i < n; i++)
		a[i] = 'a' + next() % 4, b[i] = 'a' + next() % 4;
	o2o_letters_from_codes(a, n, b, n, &pair);
	if (o2o_jaro_similarity(&pair) != plain_jaro(a, n, b, n))
		violation("long and random", a, 0, b, 0);
}

static const char *const pieces[] = {"138",
									 "0013",
									 "8000",
									 "+",
									 "+86",
									 "00",
									 "(0)",
									 "0",
									 " ",
									 "-",
									 "x12",
									 "#",
									 "ann",
									 ".",
									 "+shop",
									 "@",
									 "example.com",
									 "gmail.com",
									 "A",
									 "\xEF\xBC\x91",
									 "\xEF\xBC\x8B",
									 "\xE4\xB8\xAD",
									 "\xFF",
									 "\xE4"};

/* A block of its very size, so that a sanitizer sees its end. */
static char *
random_contact(size_t *len)
{
	char buffer[600];
	char *s;

	*len = 0;
	for (uint64_t n = next() % (next() % 16 == 0 ? 60 : 8); n > 0; n--)
	{
		const char *piece = pieces[next() % (sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(buffer + *len, piece, strlen(piece));
		*len += strlen(piece);
	}
	s = malloc(*len > 0 ? *len : 1);
	if (s == NULL)
		exit(2);
	memcpy(s, buffer, *len);
	return s;
}

/* The same contact, with a byte more in front, another inside, or one less. */
static char *
slipped_contact(const char *a, size_t m, size_t *len)
{
	char *s = malloc(m + 1);

	if (s == NULL)
		exit(2);
	memcpy(s + 1, a, m);
	s[0] = "+0186a"[next() % 6];
	*len = m + 1;
	if (next() % 3 != 0)
	{
		memmove(s, s + 1, m);
		*len = m;
		if (m > 0 && next() % 2 == 0)
			s[next() % m] = "0186a.@"[next() % 7];
		else if (m > 0)
			*len = m - 1;
	}
	return s;
}

static long
check_contact(void)
{
	size_t m;
	size_t n;
	char *a = random_contact(&m);
	char *b = next() % 2 == 0 ? slipped_contact(a, m, &n) : random_contact(&n);
	int phone = o2o_phone_agreement_level(a, m, b, n);
	int email = o2o_email_agreement_level(a, m, b, n);
	int phone_self = o2o_phone_agreement_level(a, m, a, m);
	int email_self = o2o_email_agreement_level(a, m, a, m);
	long found = (phone > 0) + (email > 0);

	if (phone < O2O_AGREEMENT_NONE || phone > 3 || email < O2O_AGREEMENT_NONE || email > 4)
		violation("range of levels", NULL, 0, NULL, 0);
	if (phone != o2o_phone_agreement_level(b, n, a, m) ||
		email != o2o_email_agreement_level(b, n, a, m))
		violation("symmetry of levels", NULL, 0, NULL, 0);
	if ((phone_self != 3 && phone_self != O2O_AGREEMENT_NONE) ||
		(email_self != 4 && email_self != O2O_AGREEMENT_NONE))
		violation("identity of levels", NULL, 0, NULL, 0);
	if ((phone_self == O2O_AGREEMENT_NONE && phone != O2O_AGREEMENT_NONE) ||
		(email_self == O2O_AGREEMENT_NONE && email != O2O_AGREEMENT_NONE))
		violation("evidence out of nothing", NULL, 0, NULL, 0);
	free(a);
	free(b);
	return found;
}

/* Numbers with their countries: one slip is what the distance says. */
static void
check_slip(void)
{
	char x[16] = "+1";
	char y[16] = "+1";
	uint32_t a[SHORT_MAX];
	uint32_t b[SHORT_MAX];
	int m = 7 + (int) (next() % 4);
	int n;
	int distance;
	int expected;

	for (int i = 0; i < m; i++)
		a[i] = '0' + next() % 3;
	do
		n = slipped_string(a, m, b, 0);
	while (n < 5 || n > 13);
	for (int i = 0; i < m; i++)
		x[2 + i] = (char) a[i];
	for (int i = 0; i < n; i++)
	{
		if (b[i] >= 'a')
			b[i] = b[i] - 'a' + '0';
		y[2 + i] = (char) b[i];
	}
	distance = plain_distance(a, m, b, n);
	expected = distance == 0 ? 3 : distance == 1 ? 1 : 0;
	if (o2o_phone_agreement_level(x, (size_t) m + 2, y, (size_t) n + 2) != expected)
		violation("slip", a, m, b, n);
}

int
main(int argc, char **argv)
{
	long pairs = argc > 1 ? atol(argv[1]) : 100000;
	long agreeing = 0;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	check_long();
	for (long i = 0; i < pairs; i++)
	{
		check_pair();
		check_slip();
		agreeing += check_contact();
	}
	printf("%ld pairs, %ld agreeing contacts, %ld violations\n", pairs, agreeing, violations);
	return violations > 0 || agreeing == 0;
}
