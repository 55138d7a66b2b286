/*
 * request.h
 *		Requests: what callers ask of the ledger, as the fast path of single
 *		calls and points_post_many() takes them. Accounts of customers
 *		(party.c), lots that a debit takes (draw.c), what is posted (request.c),
 *		and one request with its key (post_one.c).
 */
#ifndef O2O_POINTS_REQUEST_H
#define O2O_POINTS_REQUEST_H

#include "points/write.h"

/* A program with its system accounts, as far as they are needed. */
typedef struct o2o_points_program
{
	text *name;
	bool exists;
	int scale;
	bool is_enforced; /* an issue needs its reserve */
	int64 issued;     /* by this call, where it does */
	Interval *expires_after;
	TimestampTz expires_at; /* the latest; DT_NOEND: none */
	bool may_lapse;         /* on inactivity, which SQL looks after */
	text *expires_round;
	text *time_zone;
	bool has_lot; /* it is known when points of this moment expire: */
	TimestampTz earned_at;
	TimestampTz lot_expires_at;
	DateADT lot_month;
	int64 system[3]; /* issuer, redeemed, in_transit */
} o2o_points_program;

/* A customer in a program: its accounts of kind member and debt. */
typedef struct o2o_points_party
{
	int64 customer_id;
	o2o_points_program *program;
	bool is_locked;   /* all of its accounts are, as debits need it */
	bool is_complete; /* all are known, for the balance */
	int64 *account_ids;
	bool *is_member;
	int64 *balances; /* of those that this call does not touch */
	int accounts;
	int room;
	struct o2o_points_party *next; /* in the same bucket */
} o2o_points_party;

/* The columns of a request, in the order of the arguments of o2o.points_execute(). */
enum
{
	R_OPERATION,
	R_PROFILE_ID,
	R_COUNTER_PROFILE_ID,
	R_PROGRAM,
	R_AMOUNT,
	R_REQUEST_ID,
	R_REFERENCE,
	R_REASON,
	R_OCCURRED_AT,
	R_COLUMNS
};

typedef enum o2o_points_outcome
{
	REQUEST_OPEN, /* not posted yet */
	REQUEST_DONE,
	REQUEST_REFUSED, /* sqlstate says why */
	REQUEST_LEFT     /* to the functions in SQL */
} o2o_points_outcome;

typedef struct o2o_points_request
{
	const o2o_points_operation *operation; /* earn, burn, pay, transfer_out */
	int64 profile_id;
	int64 counter_profile_id; /* who is paid or given to; 0: nobody */
	text *program_name;
	int64 amount;
	pg_uuid_t request_id;
	text *reference;
	text *reason;
	TimestampTz occurred_at;

	o2o_points_outcome outcome;
	int sqlstate;
	int64 transfer_id;
	int64 balance;

	/* found out on the way */
	int64 customer_id;
	int64 *members; /* profiles of the customer, where one lookup told them as well */
	int member_count;
	int64 counter_customer_id;
	int64 contra_account_id; /* of a payment: the seller's */
	o2o_points_program *program;
	o2o_points_party *party;
	o2o_points_account *account; /* where points come to: of an earn, and of who is given to */
} o2o_points_request;

/* An account to lock. */
typedef struct o2o_points_wanted
{
	int64 account_id;
	ItemPointerData tid;
	o2o_points_program *program;
} o2o_points_wanted;

/* What one call knows. */
typedef struct o2o_points_run
{
	o2o_ledger *ledger;
	o2o_points_writer *writer;
	List *programs;
	uint32 mask;
	o2o_points_party **parties; /* buckets */
	o2o_points_wanted *wanted;
	int wanted_count;
	int wanted_room;
	text *kind_seller;
	text *funding;
	TimestampTz now;
} o2o_points_run;

static inline bool
points_is_transfer(const o2o_points_request *request)
{
	return strcmp(request->operation->name, "transfer_out") == 0;
}

static inline bool
points_is_payment(const o2o_points_request *request)
{
	return strcmp(request->operation->name, "pay") == 0;
}

static inline bool
points_is_earn(const o2o_points_request *request)
{
	return request->operation->above_zero;
}

extern bool o2o_points_customers_lock(o2o_points_request *requests, int count);
extern void
o2o_points_request_of(o2o_points_request *request, const Datum *value, const bool *is_null);
extern void o2o_points_execute(o2o_points_request *requests, int count);

extern o2o_points_party *
o2o_points_party_of(o2o_points_run *run, int64 customer_id, o2o_points_program *program);
extern bool
o2o_points_gather(o2o_points_run *run, o2o_points_party *party, int64 profile_id, bool is_wanted);
extern void o2o_points_gather_all(o2o_points_run *run, o2o_points_request **requests, int count);
extern void o2o_points_lock_all(o2o_points_run *run);
extern o2o_points_account *
o2o_points_member_account(o2o_points_run *run, const o2o_points_party *party, int64 profile_id);
extern int
o2o_points_compare_key(const o2o_points_lot *lot, const o2o_points_instruction *instruction);
extern int64 o2o_points_owed(o2o_points_writer *writer, const o2o_points_party *party);
extern int64 o2o_points_party_balance(o2o_points_writer *writer, const o2o_points_party *party);
extern int
o2o_points_pick(o2o_points_writer *writer, const o2o_points_party *party, int64 acting_profile_id,
				int64 amount, TimestampTz now, o2o_points_lot ***lots, int64 **amounts);

#endif /* O2O_POINTS_REQUEST_H */
