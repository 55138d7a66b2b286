/*
 * pinyin.h
 *		The one function of the module o2o_pinyin. No ICU here: o2o.so and the
 *		module both include it.
 */
#ifndef O2O_MODULE_PINYIN_H
#define O2O_MODULE_PINYIN_H

#include <stddef.h>

/*
 * Writes the pinyin of Chinese text (UTF-8) into out, syllables between spaces,
 * without tones, in ASCII; what is not Chinese stays, without accents. Returns its
 * length, -1 where it does not fit, -2 where ICU fails.
 */
typedef int (*O2OPinyinFunction)(const char *text, int len, char *out, int size);

#endif /* O2O_MODULE_PINYIN_H */
