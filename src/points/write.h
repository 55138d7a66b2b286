/*
 * write.h
 *		The writer of postings: accounts and lots as one call sees and changes
 *		them in memory, and the postings that it makes. Which postings these are
 *		decides who calls it.
 */
#ifndef O2O_POINTS_WRITE_H
#define O2O_POINTS_WRITE_H

#include "points/ledger.h"
#include "points/chain.h"
#include "points/operation.h"

#include "utils/uuid.h"

/* One posting to write; names as in points_posting. Texts are NULL where the column is. */
typedef struct o2o_points_instruction
{
	int64 profile_id;
	int64 account_id;
	int64 transfer_id;
	int64 contra_account_id;
	const o2o_points_operation *operation;
	bool has_lot; /* the next three are NULL otherwise */
	TimestampTz expires_at;
	DateADT grant_month;
	text *funding;
	int64 amount;
	pg_uuid_t request_id;
	int64 acting_profile_id;
	int64 customer_id;
	text *reference;
	text *reason;
	TimestampTz occurred_at;
	bool is_reversing; /* the next one is NULL otherwise */
	int64 reverses_transfer_id;
} o2o_points_instruction;

typedef enum o2o_points_kind
{
	POINTS_MEMBER,
	POINTS_DEBT,
	POINTS_OTHER_KIND
} o2o_points_kind;

typedef struct o2o_points_lot
{
	struct o2o_points_account *account;
	TimestampTz expires_at;
	DateADT grant_month;
	text *funding;
	int64 granted;
	int64 remaining;
	int64 consumed;
	int64 expired;
	int64 clawed;
	int64 held;
	HeapTuple row; /* NULL: not written yet */
	bool is_changed;
	bool is_walked;              /* stands in the lots of its account */
	struct o2o_points_lot *next; /* in the same bucket */
	uint32 hash;
} o2o_points_lot;

typedef struct o2o_points_account
{
	int64 account_id;
	int64 profile_id;
	o2o_points_kind kind;
	char *kind_name;
	int64 version;
	int64 balance;
	int64 held;
	int64 debt;
	TimestampTz posted_at;
	bool is_closed;
	bool is_chained;
	bool has_link;
	uint8 link[32];
	HeapTuple row;
	bool is_changed;
	List *new_lots;        /* lots that this call made */
	bool has_all_lots;     /* lots has all that have not expired */
	o2o_points_lot **lots; /* those that were walked through, in the order of their keys */
	int lot_count;
	int lot_room;
	struct o2o_points_account *next; /* in the same bucket */
} o2o_points_account;

#define O2O_POINTS_AT_ONCE 256

typedef struct o2o_points_writer
{
	o2o_ledger *ledger;
	MemoryContext context;
	uint32 mask;                   /* buckets of both tables, less one */
	o2o_points_account **accounts; /* buckets */
	o2o_points_lot **lots;
	List *changed_accounts;
	List *changed_lots;
	TimestampTz stamp;
	int64 seq;
	text *posted_by;
	text *operation_name; /* of the last posting */
	const o2o_points_operation *operation;
	o2o_points_chain *chain;
	TupleTableSlot *posting[O2O_POINTS_AT_ONCE];
	int postings;
} o2o_points_writer;


extern o2o_points_writer *o2o_points_writer_begin(o2o_ledger *ledger, int expected);
extern o2o_points_account *
o2o_points_writer_account(o2o_points_writer *writer, int64 profile_id, int64 account_id);
extern o2o_points_account *o2o_points_writer_known(o2o_points_writer *writer, int64 account_id);
extern o2o_points_account *o2o_points_writer_take(o2o_points_writer *writer, ItemPointer tid);
extern o2o_points_lot *o2o_points_writer_walked(o2o_points_writer *writer,
												o2o_points_account *account, TupleTableSlot *slot);
extern o2o_points_lot *o2o_points_writer_lot(o2o_points_writer *writer, o2o_points_account *account,
											 const o2o_points_instruction *instruction);
extern void
o2o_points_writer_post(o2o_points_writer *writer, const o2o_points_instruction *instruction);
extern void o2o_points_writer_end(o2o_points_writer *writer);
extern void o2o_points_write(const o2o_points_instruction *instructions, int count);

#endif /* O2O_POINTS_WRITE_H */
