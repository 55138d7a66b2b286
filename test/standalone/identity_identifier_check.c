/*
 * identity_identifier_check.c
 *		Feeds seeded random bytes and pieces of identifiers to the pure parser.
 *		What it accepts must have the shape of a normal form and read back as
 *		itself; no input may be read beyond its end (build with -fsanitize).
 *		Prints how many were accepted and exits 1 on a violation.
 *		Usage: identity_identifier_check [inputs [seed]]
 */
#include "identity/identifier_char.h"
#include "identity/identifier_parse.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 6000

static long violations = 0;

/* Starts of identifiers, then what may stand inside, then what is dubious. */
static const char *const heads[] = {
	"phone:", "email:", "card:", "device:", "openid:", "ref:crm/", "cookie:", "alipay:"};
static const char *const plain[] = {"a",           "B", "7", "abcdefghijklmnop", " ",
									"-",           ".", "/", "\xE4\xB8\xAD",     "\xF0\x9F\x98\x80",
									"\xE3\x80\x80"};
static const char *const dubious[] = {"+",
									  "8613800138000",
									  "@",
									  "example.com",
									  "gmail.com",
									  "googlemail.com",
									  "a.b@c.cn",
									  "+tag",
									  "(0)",
									  "(",
									  "_",
									  ":",
									  "\t",
									  "\x01",
									  "\x7F",
									  "\xC2\xA0",
									  "\xE2\x80\x8B",
									  "\xE2\x80\x93",
									  "\xF3\xA0\x81\x81",
									  "\xEF\xBC\x9A",
									  "\xFF",
									  "\xE4",
									  "\xF0\x9F"};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* An IDNA library that refuses, answers well, answers rubbish, fills the space. */
static bool
wild_idna(const char *domain, char *ascii, size_t size)
{
	size_t len = next() % size;

	(void) domain;
	switch (next() % 4)
	{
		case 0:
			return false;
		case 1:
			snprintf(ascii, size, "xn--%x.cn", (unsigned) next());
			return true;
		case 2:
			for (size_t i = 0; i < len; i++)
				ascii[i] = (char) (1 + next() % 255);
			ascii[len] = '\0';
			return true;
		default:
			memset(ascii, 'a', size - 1);
			ascii[size - 1] = '\0';
			return true;
	}
}

static size_t
append(char *input, size_t len, const char *piece)
{
	size_t n = strlen(piece);

	if (len + n > INPUT_MAX)
		return len;
	memcpy(input + len, piece, n);
	return len + n;
}

/* One input: random bytes, a few pieces, or very many of them. */
static size_t
make_input(char *input)
{
	size_t len = 0;
	uint64_t mode = next() % 8;
	uint64_t pieces = mode == 1 ? 400 : 12;

	if (mode == 0)
	{
		for (size_t n = next() % 64; len < n; len++)
			input[len] = (char) next();
		return len;
	}
	if (next() % 8 != 0)
		len = append(input, len, heads[next() % LENGTH(heads)]);
	for (uint64_t n = next() % pieces; n > 0; n--)
		len = append(input, len,
					 mode % 2 == 1 || next() % 2 == 0 ? plain[next() % LENGTH(plain)]
													  : dubious[next() % LENGTH(dubious)]);
	if (next() % 4 == 0)
		len = append(input, len, "@example.com");
	if (len > 0 && next() % 8 == 0)
		input[next() % len] = (char) next();
	return len;
}

static void
violation(const char *what, const char *input, size_t len)
{
	violations++;
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, " %02x", (unsigned char) input[i]);
	fputc('\n', stderr);
}

/* Does a normal form read back as itself, without any library? */
static bool
is_stable(const O2OIdentifierText *found)
{
	O2OIdentifierText again;

	return strlen(found->text) == (size_t) found->len &&
		   o2o_identifier_parse(found->text, (size_t) found->len, NULL, &again) ==
			   O2O_IDENTIFIER_OK &&
		   again.len == found->len && memcmp(again.text, found->text, (size_t) found->len) == 0;
}

/* Reads one input; true when it is an identifier. */
static bool
check(const char *input, size_t len)
{
	O2OIdentifierText found;
	O2OIdentifierText folded;
	O2OIdentifierStatus status;

	memset(&found, 0xAA, sizeof(found));
	status = o2o_identifier_parse(input, len, next() % 8 == 0 ? NULL : wild_idna, &found);
	if (memchr(found.tail, '\0', sizeof(found.tail)) == NULL)
		violation("tail without end", input, len);
	if (found.kind_len < 0 || found.kind_len > O2O_IDENTIFIER_KIND_MAX ||
		(found.kind_len == 0) != (status == O2O_IDENTIFIER_NO_KIND))
		violation("kind", input, len);
	if (o2o_after_colon(input, len) > len)
		violation("colon", input, len);
	(void) o2o_identifier_has_plus(input, len);
	if (status != O2O_IDENTIFIER_OK)
		return false;

	if (found.len > O2O_IDENTIFIER_MAX || found.text[found.kind_len] != ':' ||
		found.len <= found.kind_len + 1)
		violation("shape", input, len);
	else if (!is_stable(&found))
		violation("does not read back", input, len);
	else if (strncmp(found.text, "email:", 6) == 0)
	{
		o2o_identifier_fold_email(&found);
		folded = found;
		o2o_identifier_fold_email(&folded);
		if (!is_stable(&found) || strcmp(folded.text, found.text) != 0)
			violation("folds to no normal form", input, len);
	}
	return true;
}

int
main(int argc, char **argv)
{
	long inputs = argc > 1 ? atol(argv[1]) : 1000000;
	long accepted = 0;
	static char buffer[INPUT_MAX];

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	for (long i = 0; i < inputs; i++)
	{
		/* a block of its very size, so that a sanitizer sees its end */
		size_t len = make_input(buffer);
		char *input = malloc(len > 0 ? len : 1);

		if (input == NULL)
			return 2;
		memcpy(input, buffer, len);
		accepted += check(input, len);
		free(input);
	}
	printf("%ld inputs, %ld identifiers, %ld violations\n", inputs, accepted, violations);
	return violations > 0 || accepted == 0;
}
