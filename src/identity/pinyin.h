/*
 * pinyin.h
 *		Chinese names: their pinyin, and where the given name begins.
 */
#ifndef O2O_PINYIN_H
#define O2O_PINYIN_H

#include <stdbool.h>

/* pinyin.c */
extern char *o2o_pinyin_of(const char *text, int len);
extern int o2o_given_name_start(const char *text, int len);
extern double o2o_given_name_overlap(const char *a, int a_len, const char *b, int b_len);

#endif /* O2O_PINYIN_H */
