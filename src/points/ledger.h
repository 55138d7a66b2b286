/*
 * ledger.h
 *		The tables of the ledger as C code reaches them: opened, checked, looked
 *		up by key, locked, updated. What is written into them is decided in
 *		write.c and request.c.
 */
#ifndef O2O_POINTS_LEDGER_H
#define O2O_POINTS_LEDGER_H

#include "o2o.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "storage/buf.h"
#include "utils/date.h"
#include "utils/relcache.h"

/* The tables, and below their columns in the order of the lists in ledger.c. */
typedef enum o2o_ledger_table
{
	LEDGER_ACCOUNT,
	LEDGER_LOT,
	LEDGER_POSTING,
	LEDGER_PROFILE,
	LEDGER_CUSTOMER,
	LEDGER_PROGRAM,
	LEDGER_SYSTEM,
	LEDGER_TABLES
} o2o_ledger_table;

enum
{
	ACCOUNT_PROFILE_ID,
	ACCOUNT_ID,
	ACCOUNT_PROGRAM,
	ACCOUNT_KIND,
	ACCOUNT_VERSION,
	ACCOUNT_BALANCE,
	ACCOUNT_HELD,
	ACCOUNT_DEBT,
	ACCOUNT_POSTED_AT,
	ACCOUNT_CHAIN,
	ACCOUNT_CLOSED_AT,
	ACCOUNT_COLUMNS
};

enum
{
	LOT_PROFILE_ID,
	LOT_ACCOUNT_ID,
	LOT_EXPIRES_AT,
	LOT_GRANT_MONTH,
	LOT_FUNDING,
	LOT_GRANTED,
	LOT_REMAINING,
	LOT_CONSUMED,
	LOT_EXPIRED,
	LOT_CLAWED,
	LOT_HELD,
	LOT_COLUMNS
};

enum
{
	POSTING_PROFILE_ID,
	POSTING_ACCOUNT_ID,
	POSTING_VERSION,
	POSTING_TRANSFER_ID,
	POSTING_CONTRA_ACCOUNT_ID,
	POSTING_OPERATION,
	POSTING_AMOUNT,
	POSTING_BALANCE,
	POSTING_EXPIRES_AT,
	POSTING_GRANT_MONTH,
	POSTING_FUNDING,
	POSTING_REQUEST_ID,
	POSTING_ACTING_PROFILE_ID,
	POSTING_CUSTOMER_ID,
	POSTING_REFERENCE,
	POSTING_REASON,
	POSTING_OCCURRED_AT,
	POSTING_POSTED_AT,
	POSTING_POSTED_BY,
	POSTING_REVERSES_TRANSFER_ID,
	POSTING_SEQ,
	POSTING_CHAIN,
	POSTING_COLUMNS
};

enum
{
	PROFILE_ID,
	PROFILE_CUSTOMER_ID,
	PROFILE_COLUMNS
};

enum
{
	CUSTOMER_ID,
	CUSTOMER_COLUMNS
};

enum
{
	PROGRAM_PROGRAM,
	PROGRAM_SCALE,
	PROGRAM_EXPIRES_AFTER,
	PROGRAM_EXPIRES_ROUND,
	PROGRAM_TIME_ZONE,
	PROGRAM_RESERVE_POLICY,
	PROGRAM_EXPIRES_AT,
	PROGRAM_INACTIVE_AFTER,
	PROGRAM_COLUMNS
};

enum
{
	SYSTEM_ACCOUNT_ID,
	SYSTEM_PROGRAM,
	SYSTEM_KIND,
	SYSTEM_COLUMNS
};

/* Indexes that lookups go through. */
typedef enum o2o_ledger_index
{
	LEDGER_ACCOUNT_KEY,      /* profile_id, account_id */
	LEDGER_ACCOUNT_OWNER,    /* profile_id, program, kind */
	LEDGER_LOT_KEY,          /* profile_id, account_id, expires_at, grant_month, funding */
	LEDGER_LOT_WALK,         /* profile_id, account_id, expires_at after a moment */
	LEDGER_PROFILE_KEY,      /* profile_id */
	LEDGER_PROFILE_CUSTOMER, /* customer_id */
	LEDGER_CUSTOMER_KEY,     /* customer_id */
	LEDGER_PROGRAM_KEY,      /* program */
	LEDGER_SYSTEM_KEY,       /* program, kind */
	LEDGER_INDEXES
} o2o_ledger_index;

/* An index that gets entries. */
typedef struct o2o_ledger_opened
{
	Relation index; /* NULL: not opened in this call */
	IndexInfo *info;
} o2o_ledger_opened;

/* More indexes than this are too many for a table of the ledger. */
#define LEDGER_ENTRIES 12

typedef struct o2o_ledger
{
	MemoryContext context; /* lives as long as the call */
	Relation table[LEDGER_TABLES];
	Relation index[LEDGER_INDEXES];
	IndexScanDesc scan[LEDGER_INDEXES];
	TupleTableSlot *found[LEDGER_TABLES]; /* what a lookup found */
	Buffer page[LEDGER_TABLES];           /* where it was found, pinned */
	Size prune_below; /* free bytes of a page below which old versions are taken out of it */
	o2o_ledger_opened entry[LEDGER_TABLES][LEDGER_ENTRIES];
} o2o_ledger;

/* The tables that a call needs. */
#define LEDGER_FOR_POSTINGS (1 << LEDGER_ACCOUNT | 1 << LEDGER_LOT | 1 << LEDGER_POSTING)
#define LEDGER_FOR_REQUESTS \
	(LEDGER_FOR_POSTINGS | 1 << LEDGER_PROFILE | 1 << LEDGER_PROGRAM | 1 << LEDGER_SYSTEM)
#define LEDGER_FOR_CUSTOMERS (1 << LEDGER_PROFILE | 1 << LEDGER_CUSTOMER)

extern o2o_ledger *o2o_ledger_open(int which);
extern void o2o_ledger_close(o2o_ledger *ledger);
extern void o2o_ledger_look_again(o2o_ledger *ledger);

extern AttrNumber o2o_ledger_column(o2o_ledger_table table, int column);
extern void o2o_ledger_find(o2o_ledger *ledger, o2o_ledger_index index, const Datum *key, int keys);
extern TupleTableSlot *o2o_ledger_next(o2o_ledger *ledger, o2o_ledger_index index);
extern ItemPointerData o2o_ledger_place(o2o_ledger *ledger, o2o_ledger_index index);
extern TupleTableSlot *o2o_ledger_at(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer place);
extern void
o2o_ledger_lock(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer tid, TupleTableSlot *slot);
extern TupleTableSlot *o2o_ledger_blank(o2o_ledger *ledger, o2o_ledger_table table);
extern void o2o_ledger_update(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer tid,
							  TupleTableSlot *slot);
extern void
o2o_ledger_insert(o2o_ledger *ledger, o2o_ledger_table table, TupleTableSlot **slots, int count);
extern int64 o2o_ledger_seq(void);
extern int64 o2o_ledger_transfer_id(void);

/* A column of a row that a lookup found. */
static inline Datum
ledger_get(TupleTableSlot *slot, o2o_ledger_table table, int column, bool *is_null)
{
	return slot_getattr(slot, o2o_ledger_column(table, column), is_null);
}

static inline int64
ledger_get_int64(TupleTableSlot *slot, o2o_ledger_table table, int column)
{
	bool is_null;
	Datum value = ledger_get(slot, table, column, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

#endif /* O2O_POINTS_LEDGER_H */
