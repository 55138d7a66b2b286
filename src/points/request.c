/*
 * request.c
 *		Requests, one or many, over plain tables: accounts found and locked in
 *		one order, then each request judged and posted in memory, in the order
 *		of the call. The rules are those of points_grant(), points_spend(),
 *		points_pay_once() and points_move() in SQL; what they refuse is refused
 *		here with the same SQLSTATE. What is rare is left to them.
 */
#include "points/request.h"
#include "points/moment.h"
#include "points/party.h"
#include "points/points.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"


static void
refuse(o2o_points_request *request, int sqlstate)
{
	request->outcome = REQUEST_REFUSED;
	request->sqlstate = sqlstate;
}

/* The account of a seller in a slot; a closed one is left to SQL, which says so. */
static int64
open_account(TupleTableSlot *slot, o2o_points_request *request)
{
	bool is_open;

	(void) ledger_get(slot, LEDGER_ACCOUNT, ACCOUNT_CLOSED_AT, &is_open);
	if (!is_open)
		request->outcome = REQUEST_LEFT;
	return ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_ID);
}

/* The seller's account: of this profile, else the first of the customer's. */
static int64
seller_account(o2o_points_run *run, o2o_points_request *request)
{
	Datum key[3] = {Int64GetDatum(request->counter_profile_id),
					PointerGetDatum(request->program_name), PointerGetDatum(run->kind_seller)};
	TupleTableSlot *slot;
	int64 *profiles;
	int count;
	int64 found = 0;

	o2o_ledger_find(run->ledger, LEDGER_ACCOUNT_OWNER, key, 3);
	slot = o2o_ledger_next(run->ledger, LEDGER_ACCOUNT_OWNER);
	if (slot != NULL)
		return open_account(slot, request);
	count = o2o_points_profiles_of(run->ledger, request->counter_customer_id, &profiles);
	for (int i = 0; i < count; i++)
	{
		int64 account_id;

		key[0] = Int64GetDatum(profiles[i]);
		o2o_ledger_find(run->ledger, LEDGER_ACCOUNT_OWNER, key, 3);
		slot = o2o_ledger_next(run->ledger, LEDGER_ACCOUNT_OWNER);
		if (slot == NULL)
			continue;
		account_id = open_account(slot, request);
		if (found == 0 || account_id < found)
			found = account_id;
	}
	return found;
}

/* Is the request right in itself, and who takes part in it? */
static void
judge(o2o_points_run *run, o2o_points_request *request)
{
	int64 unit = 1;

	request->program = o2o_points_program_of(run->ledger, &run->programs, request->program_name);
	if (!request->program->exists)
	{
		refuse(request, ERRCODE_O2O_NO_PROGRAM);
		return;
	}
	if (request->program->may_lapse)
	{
		request->outcome = REQUEST_LEFT;
		return;
	}
	for (int digits = request->program->scale; digits < 4; digits++)
		unit *= 10;
	if (request->amount <= 0)
		refuse(request, ERRCODE_O2O_AMOUNT);
	else if (request->amount % unit != 0)
		refuse(request, ERRCODE_O2O_AMOUNT_SCALE);
	else if (points_is_earn(request) && (TIMESTAMP_NOT_FINITE(request->occurred_at) ||
										 request->occurred_at > run->now + USECS_PER_DAY))
		refuse(request, ERRCODE_INVALID_PARAMETER_VALUE);
	else if ((request->customer_id =
				  o2o_points_customer_with(run->ledger, request->profile_id, &request->members,
										   &request->member_count)) == 0)
		refuse(request, ERRCODE_O2O_NOBODY);
	if (request->outcome != REQUEST_OPEN ||
		(!points_is_transfer(request) && !points_is_payment(request)))
		return;
	request->counter_customer_id = o2o_points_customer_of(run->ledger, request->counter_profile_id);
	if (request->counter_customer_id == 0)
		refuse(request, ERRCODE_O2O_NOBODY);
	else if (points_is_payment(request) &&
			 (request->contra_account_id = seller_account(run, request)) == 0)
		refuse(request, ERRCODE_O2O_NO_SELLER);
	else if (request->counter_customer_id == request->customer_id)
		refuse(request, ERRCODE_INVALID_PARAMETER_VALUE);
}

static void
fill(o2o_points_run *run, o2o_points_instruction *instruction, const o2o_points_request *request,
	 const char *operation, o2o_points_account *account, int64 contra_account_id, int64 amount)
{
	memset(instruction, 0, sizeof(*instruction));
	instruction->profile_id = account->profile_id;
	instruction->account_id = account->account_id;
	instruction->transfer_id = request->transfer_id;
	instruction->contra_account_id = contra_account_id;
	instruction->operation = o2o_points_operation_find(operation, strlen(operation));
	instruction->amount = amount;
	instruction->request_id = request->request_id;
	instruction->acting_profile_id = request->profile_id;
	instruction->customer_id = request->customer_id;
	instruction->reference = points_is_transfer(request) ? NULL : request->reference;
	instruction->reason = request->reason;
	instruction->occurred_at = points_is_earn(request) ? request->occurred_at : run->now;
}

static void
in_lot(o2o_points_instruction *instruction, const o2o_points_lot *lot)
{
	instruction->has_lot = true;
	instruction->expires_at = lot->expires_at;
	instruction->grant_month = lot->grant_month;
	instruction->funding = lot->funding;
}

/* The lot of points earned; of a call mostly all are, at one moment. */
static void
in_earned_lot(o2o_points_run *run, o2o_points_instruction *instruction, o2o_points_program *program,
			  TimestampTz earned_at)
{
	if (!program->has_lot || program->earned_at != earned_at)
	{
		program->earned_at = earned_at;
		program->lot_expires_at =
			o2o_points_expiry(earned_at, program->expires_after, program->expires_round,
							  program->time_zone, program->expires_at);
		program->lot_month = o2o_points_month(earned_at, program->time_zone);
		program->has_lot = true;
	}
	instruction->has_lot = true;
	instruction->expires_at = program->lot_expires_at;
	instruction->grant_month = program->lot_month;
	instruction->funding = run->funding;
}

/* Points earned: debts of the profile are repaid first, the rest is a lot. */
static void
earn(o2o_points_run *run, o2o_points_request *request)
{
	o2o_points_account *account =
		o2o_points_member_account(run, request->party, request->profile_id);
	int64 contra = o2o_points_contra(run->ledger, request->program, request->operation);
	int64 amount = request->amount;
	int64 sum;
	o2o_points_instruction instruction;

	if (account->is_closed)
	{
		request->outcome = REQUEST_LEFT;
		return;
	}
	if (pg_add_s64_overflow(account->balance, amount, &sum))
	{
		refuse(request, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE);
		return;
	}
	request->transfer_id = o2o_ledger_transfer_id();
	for (int i = 0; i < request->party->accounts && amount > 0; i++)
	{
		o2o_points_account *owing =
			o2o_points_writer_known(run->writer, request->party->account_ids[i]);

		if (owing == NULL || owing->profile_id != request->profile_id || owing->debt == 0)
			continue;
		sum = Min(amount, owing->debt);
		fill(run, &instruction, request, "earn", owing, contra, sum);
		o2o_points_writer_post(run->writer, &instruction);
		amount -= sum;
	}
	if (amount > 0)
	{
		fill(run, &instruction, request, "earn", account, contra, amount);
		in_earned_lot(run, &instruction, request->program, request->occurred_at);
		o2o_points_writer_post(run->writer, &instruction);
		if (request->program->is_enforced &&
			pg_add_s64_overflow(request->program->issued, amount, &request->program->issued))
			o2o_points_error_range();
	}
	request->outcome = REQUEST_DONE;
}

/* Lots of several accounts that expire alike become one lot of the receiver. */
static void
give(o2o_points_run *run, const o2o_points_request *request, o2o_points_account *receiver,
	 int64 contra, o2o_points_lot **lots, const int64 *amounts, int count)
{
	o2o_points_instruction *given = palloc(count * sizeof(o2o_points_instruction));
	int found = 0;

	for (int i = 0; i < count; i++)
	{
		int place = found;

		/* They come by expiry; only those that expire at one moment can be out of order. */
		while (place > 0 && o2o_points_compare_key(lots[i], &given[place - 1]) < 0)
			place--;
		if (place > 0 && o2o_points_compare_key(lots[i], &given[place - 1]) == 0)
		{
			given[place - 1].amount += amounts[i];
			continue;
		}
		memmove(&given[place + 1], &given[place], (found - place) * sizeof(o2o_points_instruction));
		fill(run, &given[place], request, "transfer_in", receiver, contra, amounts[i]);
		in_lot(&given[place], lots[i]);
		found++;
	}
	for (int i = 0; i < found; i++)
		o2o_points_writer_post(run->writer, &given[i]);
	pfree(given);
}

/* Points spent, paid or given: the lots they come from, and of a gift those they become. */
static void
debit(o2o_points_run *run, o2o_points_request *request)
{
	o2o_points_lot **lots;
	int64 *amounts;
	int count = o2o_points_pick(run->writer, request->party, request->profile_id, request->amount,
								run->now, &lots, &amounts);
	int64 contra = points_is_payment(request)
					   ? request->contra_account_id
					   : o2o_points_contra(run->ledger, request->program, request->operation);
	o2o_points_account *receiver = NULL;
	o2o_points_instruction instruction;
	int64 sum;

	if (count == 0)
	{
		refuse(request, ERRCODE_O2O_INSUFFICIENT_POINTS);
		return;
	}
	if (points_is_transfer(request))
	{
		receiver = o2o_points_member_account(
			run, o2o_points_party_of(run, request->counter_customer_id, request->program),
			request->counter_profile_id);
		if (receiver->is_closed)
		{
			request->outcome = REQUEST_LEFT;
			return;
		}
		if (pg_add_s64_overflow(receiver->balance, request->amount, &sum))
		{
			refuse(request, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE);
			return;
		}
	}
	request->transfer_id = o2o_ledger_transfer_id();
	for (int i = 0; i < count; i++)
	{
		fill(run, &instruction, request, request->operation->name, lots[i]->account, contra,
			 -amounts[i]);
		in_lot(&instruction, lots[i]);
		o2o_points_writer_post(run->writer, &instruction);
	}
	if (receiver != NULL)
		give(run, request, receiver, contra, lots, amounts, count);
	request->outcome = REQUEST_DONE;
}

static int
compare_profiles(const void *left, const void *right)
{
	const o2o_points_request *a = *(o2o_points_request *const *) left;
	const o2o_points_request *b = *(o2o_points_request *const *) right;

	if (a->profile_id != b->profile_id)
		return a->profile_id < b->profile_id ? -1 : 1;
	return (a > b) - (a < b);
}

static int
compare_customers(const void *left, const void *right)
{
	const o2o_points_request *a = *(o2o_points_request *const *) left;
	const o2o_points_request *b = *(o2o_points_request *const *) right;

	if (a->customer_id != b->customer_id)
		return a->customer_id < b->customer_id ? -1 : 1;
	return (a > b) - (a < b);
}

static int
compare_places(const void *left, const void *right)
{
	const o2o_points_request *a = *(o2o_points_request *const *) left;
	const o2o_points_request *b = *(o2o_points_request *const *) right;

	return (a > b) - (a < b);
}

/* Its balance is that of all profiles, of which an earn locks one alone. */
static void
complete(o2o_points_run *run, const o2o_points_request *request)
{
	o2o_points_party *party = request->party;
	int64 *profiles = request->members;
	int members = request->member_count;

	if (party->is_locked || party->is_complete)
		return;
	if (members == 0)
		members = o2o_points_profiles_of(run->ledger, request->customer_id, &profiles);
	for (int i = 0; i < members; i++)
	{
		if (profiles[i] != request->profile_id)
			o2o_points_gather(run, party, profiles[i], false);
	}
	party->is_complete = true;
}

/* Posts what is open and fits; the others are refused or left. */
void
o2o_points_execute(o2o_points_request *requests, int count)
{
	o2o_points_run run = {0};
	o2o_points_request **order =
		MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(o2o_points_request *));
	bool has_transfers = false;
	int open = 0;

	run.ledger =
		o2o_points_customers_lock(requests, count) ? o2o_ledger_open(LEDGER_FOR_REQUESTS) : NULL;
	if (run.ledger == NULL)
	{
		for (int i = 0; i < count; i++)
			requests[i].outcome = REQUEST_LEFT;
		return;
	}
	/* Of many requests several may want room on one page. */
	if (count > 8)
		run.ledger->prune_below = BLCKSZ / 4;
	run.mask = 7;
	while (run.mask < (uint32) count)
		run.mask = 2 * run.mask + 1;
	run.parties = palloc0((run.mask + 1) * sizeof(o2o_points_party *));
	run.kind_seller = cstring_to_text("seller");
	run.funding = cstring_to_text("program");
	run.now = GetCurrentTransactionStartTimestamp();

	/* Rows that lie side by side are looked up one after the other. */
	for (int i = 0; i < count; i++)
	{
		if (requests[i].outcome == REQUEST_OPEN)
			order[open++] = &requests[i];
	}
	qsort(order, open, sizeof(o2o_points_request *), compare_profiles);
	count = open;
	open = 0;
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		judge(&run, order[i]);
		if (order[i]->outcome != REQUEST_OPEN)
			continue;
		has_transfers |= points_is_transfer(order[i]);
		order[open++] = order[i];
	}
	if (open > 0)
	{
		o2o_points_gather_all(&run, order, open);
		o2o_points_lock_all(&run);
		/* Requests of a customer keep their order, and all do where points go from one to another. */
		qsort(order, open, sizeof(o2o_points_request *),
			  has_transfers ? compare_places : compare_customers);
		for (int i = 0; i < open; i++)
		{
			CHECK_FOR_INTERRUPTS();
			complete(&run, order[i]);
			if (points_is_earn(order[i]))
				earn(&run, order[i]);
			else
				debit(&run, order[i]);
			if (order[i]->outcome == REQUEST_DONE)
				order[i]->balance = o2o_points_party_balance(run.writer, order[i]->party);
		}
		o2o_points_writer_end(run.writer);
	}
	o2o_ledger_close(run.ledger);
	o2o_points_reserve_draw(run.programs);
}
