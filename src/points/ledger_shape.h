/*
 * ledger_shape.h
 *		What ledger.c and ledger_write.c know of the tables, found out by
 *		ledger_shape.c. For these three alone.
 */
#ifndef O2O_POINTS_LEDGER_SHAPE_H
#define O2O_POINTS_LEDGER_SHAPE_H

#include "points/ledger.h"

#include "base/relation.h"
#include "nodes/parsenodes.h"

typedef struct ledger_table_spec
{
	const char *name;
	int columns;
	const char *const column[POSTING_COLUMNS];
	AclMode reads;
	AclMode writes;
	int checks; /* CHECK constraints that setup() gives it, on columns that never change here */
} ledger_table_spec;

typedef struct ledger_index_spec
{
	o2o_ledger_table table;
	bool is_unique;
	int keys;
	int key[5]; /* columns of the table */
	RegProcedure equal[5];
} ledger_index_spec;

/* An index of a table that rows are inserted into. */
typedef struct ledger_entry
{
	Oid index;
	IndexInfo info;
	ExprState *predicate; /* NULL: none */
	bool is_seq_summary;  /* a BRIN index of seq alone */
} ledger_entry;

/* What was found out about the tables; a change of any of them makes it unknown again. */
typedef struct o2o_ledger_knowledge
{
	Oid user;                       /* who was asked last whether he may use them */
	int user_may;                   /* which of them he may, as bits */
	TupleDesc shape[LEDGER_TABLES]; /* of those that are written */
	Oid table[LEDGER_TABLES];
	Oid index[LEDGER_INDEXES];
	AttrNumber column[LEDGER_TABLES][POSTING_COLUMNS];
	int entries[LEDGER_TABLES];
	ledger_entry entry[LEDGER_TABLES][LEDGER_ENTRIES];
	Oid transfers;  /* sequence of their numbers */
	int64 seq_base; /* 1 + that of change_base, once it is committed; 0: not known */
} o2o_ledger_knowledge;

extern const ledger_table_spec o2o_ledger_tables[LEDGER_TABLES];
extern const ledger_index_spec o2o_ledger_indexes[LEDGER_INDEXES];
extern o2o_ledger_knowledge o2o_ledger_known;
extern O2OLearned o2o_ledger_learned;

extern void o2o_ledger_close_entries(o2o_ledger *ledger);
extern void o2o_ledger_serialization_failure(void);

#endif /* O2O_POINTS_LEDGER_SHAPE_H */
