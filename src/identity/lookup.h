/*
 * lookup.h
 *		Rows of the model by the key of an index, without a plan; see lookup.c.
 */
#ifndef O2O_IDENTITY_LOOKUP_H
#define O2O_IDENTITY_LOOKUP_H

#include "postgres.h"

#include "access/attnum.h"
#include "base/relation.h"
#include "fmgr.h"

#define O2O_LOOKUP_KEYS 5
#define O2O_LOOKUP_COLUMNS 6

/* The same as a statement of model.c: columns of a table for given values of the keys. */
typedef struct O2OLookup
{
	const char *table;
	const char *index; /* NULL: all rows of a small table */
	int keys;
	const char *key[O2O_LOOKUP_KEYS]; /* columns of the index, from the first */
	bool is_any;                      /* the argument for the one key is an array */
	int columns;
	const char *column[O2O_LOOKUP_COLUMNS];

	/* found out once, and again after a change of the table */
	O2OLearned learned;
	Oid table_oid;
	Oid index_oid;
	AttrNumber number[O2O_LOOKUP_COLUMNS];
	FmgrInfo equal[O2O_LOOKUP_KEYS];
	Oid collation[O2O_LOOKUP_KEYS];
} O2OLookup;

/* Values of the rows found, row by row, in the memory context of the caller. */
typedef struct O2OFound
{
	int columns;
	uint64 count;
	uint64 room;
	Datum *values;
	bool *nulls;
} O2OFound;

extern bool o2o_lookup_run(O2OLookup *lookup, const Datum *arguments, const char *nulls,
						   bool read_only, O2OFound *found);

#endif /* O2O_IDENTITY_LOOKUP_H */
