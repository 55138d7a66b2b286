/*
 * write_state.c
 *		Accounts and lots as one call of the writer sees them: each is read once,
 *		with the account's lock, and stands in memory from then on. What is done
 *		to them is in write.c.
 */
#include "points/write.h"
#include "points/points.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

o2o_points_writer *
o2o_points_writer_begin(o2o_ledger *ledger, int expected)
{
	MemoryContext before = MemoryContextSwitchTo(ledger->context);
	o2o_points_writer *writer = palloc0(sizeof(o2o_points_writer));
	uint32 buckets = 8;

	while (buckets < (uint32) expected && buckets < (1 << 20))
		buckets *= 2;
	writer->ledger = ledger;
	writer->context = ledger->context;
	writer->mask = buckets - 1;
	writer->accounts = palloc0(buckets * sizeof(o2o_points_account *));
	writer->lots = palloc0(buckets * sizeof(o2o_points_lot *));
	writer->stamp = GetCurrentTimestamp();
	writer->seq = o2o_ledger_seq();
	writer->posted_by = cstring_to_text(GetUserNameFromId(GetSessionUserId(), false));
	MemoryContextSwitchTo(before);
	return writer;
}

static void
account_missing(int64 account_id)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("points account %lld does not exist", (long long) account_id)));
}

/* The account as this call has left it, or NULL where it has not met it. */
o2o_points_account *
o2o_points_writer_known(o2o_points_writer *writer, int64 account_id)
{
	o2o_points_account *account =
		writer->accounts[murmurhash32((uint32) account_id) & writer->mask];

	while (account != NULL && account->account_id != account_id)
		account = account->next;
	return account;
}

/* The account as this call has left it, with its lock. */
o2o_points_account *
o2o_points_writer_account(o2o_points_writer *writer, int64 profile_id, int64 account_id)
{
	o2o_points_account *account = o2o_points_writer_known(writer, account_id);
	Datum key[2] = {Int64GetDatum(profile_id), Int64GetDatum(account_id)};
	TupleTableSlot *slot;

	if (account != NULL && account->profile_id == profile_id)
		return account;
	o2o_ledger_find(writer->ledger, LEDGER_ACCOUNT_KEY, key, 2);
	slot = account == NULL ? o2o_ledger_next(writer->ledger, LEDGER_ACCOUNT_KEY) : NULL;
	if (slot == NULL)
		account_missing(account_id);
	return o2o_points_writer_take(writer, &slot->tts_tid);
}

/* Locks the account in this row and takes it up. */
o2o_points_account *
o2o_points_writer_take(o2o_points_writer *writer, ItemPointer tid)
{
	MemoryContext before = MemoryContextSwitchTo(writer->context);
	TupleTableSlot *slot = writer->ledger->found[LEDGER_ACCOUNT];
	ItemPointerData seen = *tid;
	o2o_points_account *account;
	o2o_points_account **bucket;
	bool is_null;
	Datum chain;
	int64 account_id;

	o2o_ledger_lock(writer->ledger, LEDGER_ACCOUNT, tid, slot);
	account_id = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_ID);
	bucket = &writer->accounts[murmurhash32((uint32) account_id) & writer->mask];
	account = palloc0(sizeof(o2o_points_account));
	account->account_id = account_id;
	account->profile_id = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_PROFILE_ID);
	account->kind_name =
		TextDatumGetCString(ledger_get(slot, LEDGER_ACCOUNT, ACCOUNT_KIND, &is_null));
	account->kind = strcmp(account->kind_name, "member") == 0 ? POINTS_MEMBER
					: strcmp(account->kind_name, "debt") == 0 ? POINTS_DEBT
															  : POINTS_OTHER_KIND;
	account->version = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_VERSION);
	account->balance = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_BALANCE);
	account->held = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_HELD);
	account->debt = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_DEBT);
	account->posted_at = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_POSTED_AT);
	(void) ledger_get(slot, LEDGER_ACCOUNT, ACCOUNT_CLOSED_AT, &is_null);
	account->is_closed = !is_null;
	chain = ledger_get(slot, LEDGER_ACCOUNT, ACCOUNT_CHAIN, &is_null);
	if (!is_null)
	{
		bytea *link = DatumGetByteaPP(chain);

		account->is_chained = true;
		account->has_link = VARSIZE_ANY_EXHDR(link) == sizeof(account->link);
		if (account->has_link)
			memcpy(account->link, VARDATA_ANY(link), sizeof(account->link));
	}
	account->row = ExecCopySlotHeapTuple(slot);
	account->row->t_self = slot->tts_tid;
	account->next = *bucket;
	*bucket = account;
	MemoryContextSwitchTo(before);
	/*
	 * Somebody posted since the caller looked, as where an account was opened after a debit had
	 * locked those that there were: then its lots are newer as well.
	 */
	if (!ItemPointerEquals(&seen, &account->row->t_self))
		o2o_ledger_look_again(writer->ledger);
	return account;
}

static uint32
lot_hash(int64 account_id, TimestampTz expires_at, DateADT grant_month, text *funding)
{
	uint32 hash = murmurhash32((uint32) account_id);

	hash = hash_combine(hash, murmurhash32((uint32) (expires_at ^ (expires_at >> 32))));
	hash = hash_combine(hash, murmurhash32((uint32) grant_month));
	return hash_combine(
		hash, hash_bytes((unsigned char *) VARDATA_ANY(funding), VARSIZE_ANY_EXHDR(funding)));
}

static o2o_points_lot *
lot_known(o2o_points_writer *writer, int64 account_id, TimestampTz expires_at, DateADT grant_month,
		  text *funding, uint32 hash)
{
	o2o_points_lot *lot = writer->lots[hash & writer->mask];

	for (; lot != NULL; lot = lot->next)
	{
		if (lot->hash == hash && lot->account->account_id == account_id &&
			lot->expires_at == expires_at && lot->grant_month == grant_month &&
			VARSIZE_ANY_EXHDR(lot->funding) == VARSIZE_ANY_EXHDR(funding) &&
			memcmp(VARDATA_ANY(lot->funding), VARDATA_ANY(funding), VARSIZE_ANY_EXHDR(funding)) ==
				0)
			return lot;
	}
	return NULL;
}

static o2o_points_lot *
lot_add(o2o_points_writer *writer, o2o_points_account *account, TimestampTz expires_at,
		DateADT grant_month, text *funding, uint32 hash, TupleTableSlot *slot)
{
	MemoryContext before = MemoryContextSwitchTo(writer->context);
	o2o_points_lot *lot = palloc0(sizeof(o2o_points_lot));

	lot->account = account;
	lot->expires_at = expires_at;
	lot->grant_month = grant_month;
	lot->funding = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(funding));
	lot->hash = hash;
	if (slot != NULL)
	{
		lot->granted = ledger_get_int64(slot, LEDGER_LOT, LOT_GRANTED);
		lot->remaining = ledger_get_int64(slot, LEDGER_LOT, LOT_REMAINING);
		lot->consumed = ledger_get_int64(slot, LEDGER_LOT, LOT_CONSUMED);
		lot->expired = ledger_get_int64(slot, LEDGER_LOT, LOT_EXPIRED);
		lot->clawed = ledger_get_int64(slot, LEDGER_LOT, LOT_CLAWED);
		lot->held = ledger_get_int64(slot, LEDGER_LOT, LOT_HELD);
		lot->row = ExecCopySlotHeapTuple(slot);
		lot->row->t_self = slot->tts_tid;
	}
	else
		account->new_lots = lappend(account->new_lots, lot);
	lot->next = writer->lots[hash & writer->mask];
	writer->lots[hash & writer->mask] = lot;
	MemoryContextSwitchTo(before);
	return lot;
}

/* The lot as this call has left it; empty where there is none yet. */
o2o_points_lot *
o2o_points_writer_lot(o2o_points_writer *writer, o2o_points_account *account,
					  const o2o_points_instruction *instruction)
{
	uint32 hash = lot_hash(account->account_id, instruction->expires_at, instruction->grant_month,
						   instruction->funding);
	o2o_points_lot *lot = lot_known(writer, account->account_id, instruction->expires_at,
									instruction->grant_month, instruction->funding, hash);
	Datum key[5];
	TupleTableSlot *slot;

	if (lot != NULL)
		return lot;
	key[0] = Int64GetDatum(account->profile_id);
	key[1] = Int64GetDatum(account->account_id);
	key[2] = TimestampTzGetDatum(instruction->expires_at);
	key[3] = DateADTGetDatum(instruction->grant_month);
	key[4] = PointerGetDatum(instruction->funding);
	o2o_ledger_find(writer->ledger, LEDGER_LOT_KEY, key, 5);
	slot = o2o_ledger_next(writer->ledger, LEDGER_LOT_KEY);
	return lot_add(writer, account, instruction->expires_at, instruction->grant_month,
				   instruction->funding, hash, slot);
}

/* A lot that a walk came by. */
o2o_points_lot *
o2o_points_writer_walked(o2o_points_writer *writer, o2o_points_account *account,
						 TupleTableSlot *slot)
{
	bool is_null;
	TimestampTz expires_at = ledger_get_int64(slot, LEDGER_LOT, LOT_EXPIRES_AT);
	DateADT grant_month = DatumGetDateADT(ledger_get(slot, LEDGER_LOT, LOT_GRANT_MONTH, &is_null));
	text *funding = DatumGetTextPP(ledger_get(slot, LEDGER_LOT, LOT_FUNDING, &is_null));
	uint32 hash = lot_hash(account->account_id, expires_at, grant_month, funding);
	o2o_points_lot *lot =
		lot_known(writer, account->account_id, expires_at, grant_month, funding, hash);

	return lot != NULL ? lot
					   : lot_add(writer, account, expires_at, grant_month, funding, hash, slot);
}
