/*
 * relation.h
 *		Which tables C code may read without the executor.
 */
#ifndef O2O_RELATION_H
#define O2O_RELATION_H

#include "postgres.h"

#include "utils/relcache.h"

extern bool o2o_relation_is_plain(Relation relation);

#endif /* O2O_RELATION_H */
