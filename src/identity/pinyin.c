/*
 * pinyin.c
 *		Pinyin of Chinese names: ICU reads the characters, in the module o2o_pinyin
 *		that is loaded at the first Chinese text; surnames with a reading of their
 *		own are set right here. Where a name's given part begins stands here too.
 */
#include "identity/identity.h"

#include "identity/pinyin.h"

#include "mb/pg_wchar.h"
#include "modules/pinyin/pinyin.h"
#include "utils/builtins.h"

#include <math.h>

PG_FUNCTION_INFO_V1(o2o_pinyin);

#define NAME_CHARACTERS_MAX 5 /* of a name with a surname of two characters */
#define TEXT_MAX 1024         /* bytes that are read */
#define PINYIN_MAX (TEXT_MAX * 4)

typedef struct Surname
{
	const char *characters;
	const char *reading; /* NULL: the usual one */
} Surname;

/* Surnames that are not read as the character usually is, and those of two characters. */
static const Surname surnames[] = {
	{"万俟", "mo qi"},   {"尉迟", "yu chi"},    {"尉遲", "yu chi"},    {"单于", "chan yu"},
	{"單于", "chan yu"}, {"长孙", "zhang sun"}, {"長孫", "zhang sun"}, {"澹台", "tan tai"},
	{"澹臺", "tan tai"}, {"宰父", "zai fu"},    {"令狐", "ling hu"},   {"欧阳", NULL},
	{"歐陽", NULL},      {"司马", NULL},        {"司馬", NULL},        {"上官", NULL},
	{"诸葛", NULL},      {"諸葛", NULL},        {"夏侯", NULL},        {"司徒", NULL},
	{"司空", NULL},      {"皇甫", NULL},        {"东方", NULL},        {"東方", NULL},
	{"公孙", NULL},      {"公孫", NULL},        {"慕容", NULL},        {"宇文", NULL},
	{"端木", NULL},      {"轩辕", NULL},        {"軒轅", NULL},        {"钟离", NULL},
	{"鍾離", NULL},      {"独孤", NULL},        {"獨孤", NULL},        {"南宫", NULL},
	{"南宮", NULL},      {"西门", NULL},        {"西門", NULL},        {"百里", NULL},
	{"呼延", NULL},      {"闻人", NULL},        {"聞人", NULL},        {"单", "shan"},
	{"單", "shan"},      {"曾", "zeng"},        {"仇", "qiu"},         {"解", "xie"},
	{"区", "ou"},        {"區", "ou"},          {"朴", "piao"},        {"查", "zha"},
	{"任", "ren"},       {"华", "hua"},         {"華", "hua"},         {"盖", "ge"},
	{"蓋", "ge"},        {"员", "yun"},         {"員", "yun"},         {"乐", "yue"},
	{"樂", "yue"},       {"尉", "wei"},         {"缪", "miao"},        {"繆", "miao"},
	{"种", "chong"},     {"秘", "bi"},          {"冼", "xian"},        {"洗", "xian"},
	{"折", "she"},       {"黑", "he"},          {"召", "shao"},        {"繁", "po"},
	{"翟", "zhai"},      {"覃", "qin"},         {"葛", "ge"},          {"隗", "wei"},
	{"祭", "zhai"},      {"藏", "zang"},        {"牟", "mu"},          {"句", "gou"},
	{"逄", "pang"},      {"晟", "cheng"},       {"宓", "mi"},          {"燕", "yan"},
	{"纪", "ji"},        {"紀", "ji"},          {"谌", "chen"},        {"諶", "chen"},
	{"郄", "qie"},       {"乜", "nie"},         {"佴", "nai"},         {"肖", "xiao"},
	{"盛", "sheng"},     {"车", "che"},         {"車", "che"},         {"瞿", "qu"},
	{"都", "du"},        {"过", "guo"},         {"過", "guo"},         {"宿", "su"},
	{"应", "ying"},      {"應", "ying"},        {"撒", "sa"},          {"沈", "shen"},
	{"费", "fei"},       {"費", "fei"},
};

static inline bool
is_han(uint32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
		   (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x323AF);
}

/* Number of characters if all are Chinese, 0 if none is, -1 if some are. */
static int
han_characters(const char *text, int len)
{
	int han = 0;
	int other = 0;
	size_t n;

	for (int at = 0; at < len; at += (int) n)
	{
		uint32_t c;

		n = o2o_utf8_decode(text + at, (size_t) (len - at), &c);
		if (n == 0)
			n = 1, c = 0;
		if (is_han(c))
			han++;
		else
			other++;
	}
	return han > 0 && other > 0 ? -1 : han;
}

/* The surname that a name begins with, of two characters before one. */
static const Surname *
find_surname(const char *text, int len)
{
	for (int i = 0; i < lengthof(surnames); i++)
	{
		int size = (int) strlen(surnames[i].characters);

		if (size <= len && memcmp(text, surnames[i].characters, size) == 0)
			return &surnames[i];
	}
	return NULL;
}

/* Byte at which the given name of a Chinese name begins; -1: it is none. */
int
o2o_given_name_start(const char *text, int len)
{
	int characters = GetDatabaseEncoding() == PG_UTF8 ? han_characters(text, len) : 0;
	const Surname *surname;

	if (characters < 2 || characters > NAME_CHARACTERS_MAX)
		return -1;
	surname = find_surname(text, len);
	if (surname != NULL)
		return (int) strlen(surname->characters) < len ? (int) strlen(surname->characters) : -1;
	return pg_utf_mblen((const unsigned char *) text);
}

/* Syllables of the module's answer, in one form: one space between them. */
static char *
convert(const char *text, int len)
{
	static O2OPinyinFunction module = NULL;
	char *out = palloc(PINYIN_MAX);
	int size;
	int count = 0;

	if (module == NULL)
		module = (O2OPinyinFunction) o2o_module_function("$libdir/o2o_pinyin", "o2o_pinyin_convert",
														 "ICU (libicu)");
	size = module(text, len, out, PINYIN_MAX);
	if (size < 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("ICU failed on a Chinese text")));
	for (int i = 0; i < size; i++)
		if (out[i] != ' ')
			out[count++] = out[i];
		else if (count > 0 && out[count - 1] != ' ')
			out[count++] = ' ';
	if (count > 0 && out[count - 1] == ' ')
		count--;
	out[count] = '\0';
	return out;
}

/* Where the syllables of so many characters end. */
static const char *
after_syllables(const char *pinyin, int syllables)
{
	for (; *pinyin != '\0'; pinyin++)
		if (*pinyin == ' ' && --syllables == 0)
			return pinyin;
	return pinyin;
}

/*
 * The pinyin of a text; a text without Chinese characters stays as it is, and needs
 * no module. A whole text of up to five Chinese characters is taken for a name.
 */
char *
o2o_pinyin_of(const char *text, int len)
{
	const Surname *surname = NULL;
	char *pinyin;
	int characters;

	if (GetDatabaseEncoding() != PG_UTF8 || han_characters(text, len) == 0)
		return pnstrdup(text, len);
	len = pg_mbcliplen(text, len, TEXT_MAX);
	pinyin = convert(text, len);
	characters = han_characters(text, len);
	if (characters > 0 && characters <= NAME_CHARACTERS_MAX)
		surname = find_surname(text, len);
	if (surname == NULL || surname->reading == NULL)
		return pinyin;
	return psprintf(
		"%s%s", surname->reading,
		after_syllables(pinyin, pg_utf_mblen((const unsigned char *) surname->characters) ==
										(int) strlen(surname->characters)
									? 1
									: 2));
}

/*
 * Characters that two Chinese given names have in common, as a share of the
 * characters of either; NaN where a side is no Chinese name.
 */
double
o2o_given_name_overlap(const char *a, int a_len, const char *b, int b_len)
{
	int a_at = o2o_given_name_start(a, a_len);
	int b_at = o2o_given_name_start(b, b_len);
	bool taken[NAME_CHARACTERS_MAX] = {false};
	int a_count = 0;
	int b_count = 0;
	int common = 0;

	if (a_at < 0 || b_at < 0)
		return NAN;
	for (int i = a_at; i < a_len; i += pg_utf_mblen((const unsigned char *) a + i))
	{
		int n = pg_utf_mblen((const unsigned char *) a + i);

		a_count++;
		b_count = 0;
		for (int j = b_at; j < b_len; j += pg_utf_mblen((const unsigned char *) b + j), b_count++)
			if (!taken[b_count] && n == pg_utf_mblen((const unsigned char *) b + j) &&
				memcmp(a + i, b + j, n) == 0)
			{
				taken[b_count] = true;
				common++;
				break;
			}
	}
	b_count = 0;
	for (int j = b_at; j < b_len; j += pg_utf_mblen((const unsigned char *) b + j))
		b_count++;
	return (double) common / (a_count + b_count - common);
}

/* pinyin(name text) */
Datum
o2o_pinyin(PG_FUNCTION_ARGS)
{
	text *name = PG_GETARG_TEXT_PP(0);

	if (VARSIZE_ANY_EXHDR(name) > TEXT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("text is too long for pinyin"),
				 errdetail("It has %zu bytes; at most %d are read.",
						   (size_t) VARSIZE_ANY_EXHDR(name), TEXT_MAX)));
	PG_RETURN_TEXT_P(
		cstring_to_text(o2o_pinyin_of(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name))));
}
