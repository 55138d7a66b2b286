/*
 * verify.h
 *		What the files of points_verify() share: what is known of the ledger
 *		while its postings pass by. verify.c reads and decodes, verify_account.c
 *		judges an account, verify_total.c the sums over all of them, and
 *		verify_report.c writes the answer.
 */
#ifndef O2O_POINTS_VERIFY_H
#define O2O_POINTS_VERIFY_H

#include "points/points.h"
#include "points/chain.h"
#include "points/operation.h"

#include "utils/hsearch.h"
#include "utils/tuplestore.h"

/* Sums of many amounts; palloc aligns to 8 bytes. */
typedef __int128 o2o_int128 __attribute__((aligned(8)));

/* Places of the columns of points_lot that a posting counts in: POINTS_GRANTED and up. */
#define O2O_EFFECTS (POINTS_CLAWED + 1)

typedef struct o2o_verify_program
{
	o2o_int128 balance; /* of its accounts' rows */
	o2o_int128 contra;  /* of its accounts without a row, as points_system_balance() has them */
} o2o_verify_program;

/* An account as the other side of postings. */
typedef struct o2o_verify_contra
{
	int64 account_id; /* hash key */
	int program;
	int kind;
	o2o_int128 total; /* of all postings */
	o2o_int128 above; /* of those at or above the horizon of the rollup */
	o2o_int128 rollup;
} o2o_verify_contra;

/* A lot: its row, and what its postings and the portions of holds come to. */
typedef struct o2o_verify_lot
{
	TimestampTz expires_at;
	DateADT grant_month;
	const char *funding;
	int funding_length;
	bool has_row;
	int64 row[O2O_EFFECTS];
	int64 remaining;
	int64 held;
	o2o_int128 posted[O2O_EFFECTS];
	o2o_int128 parts;
} o2o_verify_lot;

/* A row of points_account; the columns that verify looks at. */
typedef struct o2o_verify_row
{
	int program;
	int kind;
	int64 version;
	int64 balance;
	int64 debt;
	int64 held;
	TimestampTz posted_at;
	bool is_chained;
	bool has_link;
	uint8 link[O2O_POINTS_LINK_SIZE];
} o2o_verify_row;

/* What came of an account's postings so far. */
typedef struct o2o_verify_running
{
	int64 version;
	int64 balance;
	int64 debt;
	TimestampTz posted_at;
	bool has_link;
	uint8 link[O2O_POINTS_LINK_SIZE];
} o2o_verify_running;

/* A posting, its texts as they lie in the row. */
typedef struct o2o_verify_posting
{
	o2o_points_chained columns;
	int lot_nulls; /* of expires_at, grant_month and funding */
	bool has_link;
	bool is_link_sized;
	const uint8 *link;
} o2o_verify_posting;

typedef struct o2o_verify
{
	Tuplestorestate *found;
	TupleDesc found_desc;
	MemoryContext context;
	int wanted; /* program to tell of, -1: all */

	char **program_names;
	o2o_verify_program *programs;
	int program_count;
	int program_space;
	char *kinds[32]; /* sets of them are bits by place */
	int kind_count;
	uint32 kinds_with_lots;
	uint32 kinds_that_owe;
	uint32 *contra_kinds; /* of each operation */
	HTAB *contras;
	o2o_verify_contra *last_contra;
	int64 horizon; /* of the rollup */

	o2o_points_chain *chain; /* NULL: no account is chained */

	/* The account that passes by. */
	bool is_open;
	int64 profile_id;
	int64 account_id;
	bool has_row;
	o2o_verify_row row;
	int64 base_version; /* of the snapshot, 0 without one */
	o2o_verify_running running;
	o2o_int128 parts;
	o2o_verify_lot *lots;
	int lot_count;
	int lot_rows; /* the first ones have rows and are in order */
	int lot_space;
	MemoryContext account_context;
} o2o_verify;

extern void o2o_verify_report(o2o_verify *verify, const char *check, int program, bool has_account,
							  const char *format, ...) pg_attribute_printf(5, 6);
extern const char *o2o_verify_points(o2o_int128 units);
extern int o2o_verify_program_of(o2o_verify *verify, const char *name, int length);
extern int o2o_verify_kind_of(o2o_verify *verify, const char *name, int length);
extern void o2o_verify_set_kinds(o2o_verify *verify);

extern void o2o_verify_account_begin(o2o_verify *verify, int64 profile_id, int64 account_id);
extern o2o_verify_lot *
o2o_verify_lot_of(o2o_verify *verify, TimestampTz expires_at, DateADT grant_month,
				  const char *funding, int funding_length, bool is_row);
extern void o2o_verify_account_posting(o2o_verify *verify, const o2o_verify_posting *posting);
extern void o2o_verify_account_end(o2o_verify *verify);

extern o2o_verify_contra *o2o_verify_contra_of(o2o_verify *verify, int64 account_id);
extern void o2o_verify_contra_post(o2o_verify *verify, o2o_verify_contra *contra, int64 amount,
								   int64 seq, bool in_snapshot);
extern void o2o_verify_totals(o2o_verify *verify);

#endif /* O2O_POINTS_VERIFY_H */
