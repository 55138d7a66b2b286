/*
 * write.c
 *		The writer of postings over plain tables. Each account and lot is read
 *		once a call, changed in memory posting by posting, and written once at
 *		the end; postings go in by hundreds. points_write_sql() is its twin in
 *		SQL, with the same checks and errors.
 */
#include "points/write.h"
#include "points/chain.h"
#include "points/points.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static int64
add(int64 a, int64 b)
{
	int64 sum;

	if (pg_add_s64_overflow(a, b, &sum))
		o2o_points_error_range();
	return sum;
}

static int64
subtract(int64 a, int64 b)
{
	int64 difference;

	if (pg_sub_s64_overflow(a, b, &difference))
		o2o_points_error_range();
	return difference;
}

/* What the posting does to its lot. */
static void
apply_to_lot(o2o_points_writer *writer, o2o_points_account *account,
			 const o2o_points_instruction *instruction, o2o_points_effect effect)
{
	o2o_points_lot *lot = o2o_points_writer_lot(writer, account, instruction);
	int64 amount = instruction->amount;

	lot->remaining = add(lot->remaining, amount);
	switch (effect)
	{
		case POINTS_GRANTED:
			lot->granted = add(lot->granted, amount);
			break;
		case POINTS_CONSUMED:
			lot->consumed = subtract(lot->consumed, amount);
			break;
		case POINTS_EXPIRED:
			lot->expired = subtract(lot->expired, amount);
			break;
		case POINTS_CLAWED:
			lot->clawed = subtract(lot->clawed, amount);
			break;
		case POINTS_NO_LOT:
			break;
	}
	if (lot->remaining < lot->held || lot->consumed < 0 || lot->expired < 0 || lot->clawed < 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("lots of points account %lld do not hold what is taken from them",
							   (long long) account->account_id),
						errhint("See what points_verify() tells.")));
	if (!lot->is_changed)
	{
		MemoryContext before = MemoryContextSwitchTo(writer->context);

		lot->is_changed = true;
		writer->changed_lots = lappend(writer->changed_lots, lot);
		MemoryContextSwitchTo(before);
	}
}

static void
flush_postings(o2o_points_writer *writer)
{
	if (writer->postings > 0)
		o2o_ledger_insert(writer->ledger, LEDGER_POSTING, writer->posting, writer->postings);
	writer->postings = 0;
}

static void
put(TupleTableSlot *slot, int column, Datum value)
{
	AttrNumber attribute = o2o_ledger_column(LEDGER_POSTING, column) - 1;

	slot->tts_values[attribute] = value;
	slot->tts_isnull[attribute] = false;
}

static void
put_null(TupleTableSlot *slot, int column)
{
	slot->tts_isnull[o2o_ledger_column(LEDGER_POSTING, column) - 1] = true;
}

static void
put_text(TupleTableSlot *slot, int column, text *value)
{
	if (value == NULL)
		put_null(slot, column);
	else
		put(slot, column, PointerGetDatum(value));
}

/* The next link of the account's chain; as a Datum that stands until the postings are written. */
static Datum
next_link(o2o_points_writer *writer, o2o_points_account *account,
		  const o2o_points_instruction *instruction)
{
	o2o_points_chained posting = {0};
	uint8 link[O2O_POINTS_LINK_SIZE];
	bytea *value = MemoryContextAlloc(writer->context, VARHDRSZ + sizeof(link));

	if (writer->chain == NULL)
		writer->chain = o2o_points_chain_begin();
	posting.profile_id = account->profile_id;
	posting.account_id = account->account_id;
	posting.version = account->version;
	posting.transfer_id = instruction->transfer_id;
	posting.contra_account_id = instruction->contra_account_id;
	posting.operation = instruction->operation->name;
	posting.operation_length = strlen(instruction->operation->name);
	posting.amount = instruction->amount;
	posting.balance = account->balance;
	posting.has_lot = instruction->has_lot;
	if (instruction->has_lot)
	{
		posting.expires_at = instruction->expires_at;
		posting.grant_month = instruction->grant_month;
		posting.funding = VARDATA_ANY(instruction->funding);
		posting.funding_length = VARSIZE_ANY_EXHDR(instruction->funding);
	}
	posting.request_id = &instruction->request_id;
	posting.acting_profile_id = instruction->acting_profile_id;
	posting.customer_id = instruction->customer_id;
	if (instruction->reference != NULL)
	{
		posting.reference = VARDATA_ANY(instruction->reference);
		posting.reference_length = VARSIZE_ANY_EXHDR(instruction->reference);
	}
	posting.occurred_at = instruction->occurred_at;
	posting.posted_at = account->posted_at;
	posting.posted_by = VARDATA_ANY(writer->posted_by);
	posting.posted_by_length = VARSIZE_ANY_EXHDR(writer->posted_by);
	posting.is_reversing = instruction->is_reversing;
	posting.reverses_transfer_id = instruction->reverses_transfer_id;
	posting.seq = writer->seq;
	o2o_points_chain_link(writer->chain, account->has_link ? account->link : NULL, &posting, link);
	memcpy(account->link, link, sizeof(link));
	account->has_link = true;
	SET_VARSIZE(value, VARHDRSZ + sizeof(link));
	memcpy(VARDATA(value), link, sizeof(link));
	return PointerGetDatum(value);
}

/* Adds one posting. The texts of the instruction stand until the writer ends. */
void
o2o_points_writer_post(o2o_points_writer *writer, const o2o_points_instruction *instruction)
{
	const o2o_points_operation *operation = instruction->operation;
	o2o_points_account *account =
		o2o_points_writer_account(writer, instruction->profile_id, instruction->account_id);
	int64 amount = instruction->amount;
	bool has_sign = amount > 0 ? operation->above_zero : amount < 0 && operation->below_zero;
	o2o_points_effect effect = amount > 0 ? operation->lot_above_zero : operation->lot_below_zero;
	bool is_debt = !instruction->has_lot && account->kind != POINTS_OTHER_KIND;
	TupleTableSlot *slot;

	if (account->is_closed)
		ereport(ERROR,
				(errcode(ERRCODE_O2O_ACCOUNT_CLOSED), errmsg("the points account is closed"),
				 errdetail("Account %lld.", (long long) account->account_id),
				 errhint("points_reopen() opens it again, of a seller points_seller_open(), of a "
						 "partner points_partner_reopen().")));
	if (!has_sign ||
		(instruction->has_lot ? account->kind != POINTS_MEMBER || effect == POINTS_NO_LOT
							  : is_debt && !operation->owes))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("points operation \"%s\" does not fit account %lld", operation->name,
							   (long long) account->account_id),
						errdetail("Amount %s, account of kind %s.", o2o_points_text(amount),
								  account->kind_name)));
	account->balance = add(account->balance, amount);
	if (is_debt)
	{
		account->debt = subtract(account->debt, amount);
		if (account->debt < 0)
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("points account %lld does not owe what is repaid",
								   (long long) account->account_id),
							errhint("See what points_verify() tells.")));
	}
	if (instruction->has_lot)
		apply_to_lot(writer, account, instruction, effect);
	account->version++;
	/* One microsecond later than the posting before, in this call and in the account. */
	account->posted_at = Max(writer->stamp, account->posted_at + 1);
	writer->stamp++;
	if (!account->is_changed)
	{
		MemoryContext before = MemoryContextSwitchTo(writer->context);

		account->is_changed = true;
		writer->changed_accounts = lappend(writer->changed_accounts, account);
		MemoryContextSwitchTo(before);
	}

	slot = writer->posting[writer->postings];
	if (slot == NULL)
		slot = writer->posting[writer->postings] = o2o_ledger_blank(writer->ledger, LEDGER_POSTING);
	else
		ExecClearTuple(slot);
	if (writer->operation != operation)
	{
		MemoryContext before = MemoryContextSwitchTo(writer->context);

		writer->operation = operation;
		writer->operation_name = cstring_to_text(operation->name);
		MemoryContextSwitchTo(before);
	}
	put(slot, POSTING_PROFILE_ID, Int64GetDatum(account->profile_id));
	put(slot, POSTING_ACCOUNT_ID, Int64GetDatum(account->account_id));
	put(slot, POSTING_VERSION, Int64GetDatum(account->version));
	put(slot, POSTING_TRANSFER_ID, Int64GetDatum(instruction->transfer_id));
	put(slot, POSTING_CONTRA_ACCOUNT_ID, Int64GetDatum(instruction->contra_account_id));
	put(slot, POSTING_OPERATION, PointerGetDatum(writer->operation_name));
	put(slot, POSTING_AMOUNT, PointsGetDatum(amount));
	put(slot, POSTING_BALANCE, PointsGetDatum(account->balance));
	if (instruction->has_lot)
	{
		put(slot, POSTING_EXPIRES_AT, TimestampTzGetDatum(instruction->expires_at));
		put(slot, POSTING_GRANT_MONTH, DateADTGetDatum(instruction->grant_month));
		put(slot, POSTING_FUNDING, PointerGetDatum(instruction->funding));
	}
	else
	{
		put_null(slot, POSTING_EXPIRES_AT);
		put_null(slot, POSTING_GRANT_MONTH);
		put_null(slot, POSTING_FUNDING);
	}
	{
		pg_uuid_t *request = MemoryContextAlloc(writer->context, sizeof(pg_uuid_t));

		*request = instruction->request_id;
		put(slot, POSTING_REQUEST_ID, UUIDPGetDatum(request));
	}
	put(slot, POSTING_ACTING_PROFILE_ID, Int64GetDatum(instruction->acting_profile_id));
	put(slot, POSTING_CUSTOMER_ID, Int64GetDatum(instruction->customer_id));
	put_text(slot, POSTING_REFERENCE, instruction->reference);
	put_text(slot, POSTING_REASON, instruction->reason);
	put(slot, POSTING_OCCURRED_AT, TimestampTzGetDatum(instruction->occurred_at));
	put(slot, POSTING_POSTED_AT, TimestampTzGetDatum(account->posted_at));
	put_text(slot, POSTING_POSTED_BY, writer->posted_by);
	if (instruction->is_reversing)
		put(slot, POSTING_REVERSES_TRANSFER_ID, Int64GetDatum(instruction->reverses_transfer_id));
	else
		put_null(slot, POSTING_REVERSES_TRANSFER_ID);
	put(slot, POSTING_SEQ, Int64GetDatum(writer->seq));
	if (account->is_chained)
		put(slot, POSTING_CHAIN, next_link(writer, account, instruction));
	else
		put_null(slot, POSTING_CHAIN);
	ExecStoreVirtualTuple(slot);
	if (++writer->postings == O2O_POINTS_AT_ONCE)
		flush_postings(writer);
}

static void
set_column(TupleTableSlot *slot, o2o_ledger_table table, int column, Datum value)
{
	AttrNumber attribute = o2o_ledger_column(table, column) - 1;

	slot->tts_values[attribute] = value;
	slot->tts_isnull[attribute] = false;
}

/* Writes what is left: postings, then each changed account and lot once. */
void
o2o_points_writer_end(o2o_points_writer *writer)
{
	o2o_ledger *ledger = writer->ledger;
	MemoryContext before = MemoryContextSwitchTo(writer->context);
	TupleTableSlot *slot;
	ListCell *cell;

	flush_postings(writer);
	if (writer->chain != NULL)
		o2o_points_chain_end(writer->chain);
	slot = writer->changed_accounts == NIL ? NULL : o2o_ledger_blank(ledger, LEDGER_ACCOUNT);
	foreach (cell, writer->changed_accounts)
	{
		o2o_points_account *account = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		ExecClearTuple(slot);
		heap_deform_tuple(account->row, slot->tts_tupleDescriptor, slot->tts_values,
						  slot->tts_isnull);
		set_column(slot, LEDGER_ACCOUNT, ACCOUNT_VERSION, Int64GetDatum(account->version));
		set_column(slot, LEDGER_ACCOUNT, ACCOUNT_BALANCE, PointsGetDatum(account->balance));
		set_column(slot, LEDGER_ACCOUNT, ACCOUNT_DEBT, PointsGetDatum(account->debt));
		set_column(slot, LEDGER_ACCOUNT, ACCOUNT_POSTED_AT,
				   TimestampTzGetDatum(account->posted_at));
		if (account->is_chained)
		{
			bytea *link = palloc(VARHDRSZ + sizeof(account->link));

			SET_VARSIZE(link, VARHDRSZ + sizeof(account->link));
			memcpy(VARDATA(link), account->link, sizeof(account->link));
			set_column(slot, LEDGER_ACCOUNT, ACCOUNT_CHAIN, PointerGetDatum(link));
		}
		ExecStoreVirtualTuple(slot);
		o2o_ledger_update(ledger, LEDGER_ACCOUNT, &account->row->t_self, slot);
	}
	slot = writer->changed_lots == NIL ? NULL : o2o_ledger_blank(ledger, LEDGER_LOT);
	foreach (cell, writer->changed_lots)
	{
		o2o_points_lot *lot = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		ExecClearTuple(slot);
		if (lot->row != NULL)
			heap_deform_tuple(lot->row, slot->tts_tupleDescriptor, slot->tts_values,
							  slot->tts_isnull);
		else
		{
			memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
			set_column(slot, LEDGER_LOT, LOT_PROFILE_ID, Int64GetDatum(lot->account->profile_id));
			set_column(slot, LEDGER_LOT, LOT_ACCOUNT_ID, Int64GetDatum(lot->account->account_id));
			set_column(slot, LEDGER_LOT, LOT_EXPIRES_AT, TimestampTzGetDatum(lot->expires_at));
			set_column(slot, LEDGER_LOT, LOT_GRANT_MONTH, DateADTGetDatum(lot->grant_month));
			set_column(slot, LEDGER_LOT, LOT_FUNDING, PointerGetDatum(lot->funding));
			set_column(slot, LEDGER_LOT, LOT_HELD, PointsGetDatum(lot->held));
		}
		set_column(slot, LEDGER_LOT, LOT_GRANTED, PointsGetDatum(lot->granted));
		set_column(slot, LEDGER_LOT, LOT_REMAINING, PointsGetDatum(lot->remaining));
		set_column(slot, LEDGER_LOT, LOT_CONSUMED, PointsGetDatum(lot->consumed));
		set_column(slot, LEDGER_LOT, LOT_EXPIRED, PointsGetDatum(lot->expired));
		set_column(slot, LEDGER_LOT, LOT_CLAWED, PointsGetDatum(lot->clawed));
		ExecStoreVirtualTuple(slot);
		if (lot->row != NULL)
			o2o_ledger_update(ledger, LEDGER_LOT, &lot->row->t_self, slot);
		else
			o2o_ledger_insert(ledger, LEDGER_LOT, &slot, 1);
	}
	MemoryContextSwitchTo(before);
}
