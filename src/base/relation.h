/*
 * relation.h
 *		Which tables C code may read and write without the executor, and for how
 *		long what it learned of them holds.
 */
#ifndef O2O_RELATION_H
#define O2O_RELATION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

/* What a room has learned of some relations: it holds until one of them changes. */
typedef struct O2OLearned
{
	/* Looks at the relations, watches each, and says whether they may be used. */
	bool (*learn)(struct O2OLearned *learned);

	/* kept by relation.c */
	bool is_known; /* nothing has changed since they were looked at */
	bool is_plain; /* what learn() said */
	List *watched; /* Oids */
	bool is_listed;
	struct O2OLearned *next;
} O2OLearned;

extern bool o2o_relation_is_plain(Relation relation);
extern Oid o2o_relation_of_model(const char *name);
extern bool o2o_learned_is_plain(O2OLearned *learned);
extern void o2o_learned_watch(O2OLearned *learned, Oid relation);

#endif /* O2O_RELATION_H */
