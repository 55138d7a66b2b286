/*
 * request_account.c
 *		The accounts of those who take part in requests: found, opened where one
 *		is missing, locked in ascending order, with portions of holds closed that
 *		are over. The lock order of docs/locks.md is kept here.
 */
#include "points/party.h"
#include "points/points.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static void
want(o2o_points_run *run, o2o_points_program *program, TupleTableSlot *slot)
{
	if (run->wanted_count == run->wanted_room)
	{
		run->wanted_room = Max(16, 2 * run->wanted_room);
		run->wanted =
			run->wanted == NULL
				? palloc(run->wanted_room * sizeof(o2o_points_wanted))
				: repalloc_huge(run->wanted, run->wanted_room * sizeof(o2o_points_wanted));
	}
	run->wanted[run->wanted_count].account_id = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_ID);
	run->wanted[run->wanted_count].program = program;
	run->wanted[run->wanted_count++].tid = slot->tts_tid;
}

/* The accounts of a profile in a program, into the party; locked later where they are wanted. True: one is its member account. */
bool
o2o_points_gather(o2o_points_run *run, o2o_points_party *party, int64 profile_id, bool is_wanted)
{
	Datum key[2] = {Int64GetDatum(profile_id), PointerGetDatum(party->program->name)};
	TupleTableSlot *slot;
	bool has_member = false;

	o2o_ledger_find(run->ledger, LEDGER_ACCOUNT_OWNER, key, 2);
	while ((slot = o2o_ledger_next(run->ledger, LEDGER_ACCOUNT_OWNER)) != NULL)
	{
		bool is_null;
		text *kind = DatumGetTextPP(ledger_get(slot, LEDGER_ACCOUNT, ACCOUNT_KIND, &is_null));
		bool is_member =
			VARSIZE_ANY_EXHDR(kind) == 6 && memcmp(VARDATA_ANY(kind), "member", 6) == 0;
		int64 account_id;
		int place = 0;

		if (!is_member &&
			!(VARSIZE_ANY_EXHDR(kind) == 4 && memcmp(VARDATA_ANY(kind), "debt", 4) == 0))
			continue;
		has_member |= is_member;
		if (is_wanted)
			want(run, party->program, slot);
		account_id = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_ID);
		while (place < party->accounts && party->account_ids[place] != account_id)
			place++;
		if (place < party->accounts)
			continue;
		if (party->accounts == party->room)
		{
			party->room = Max(4, 2 * party->room);
			party->account_ids = party->accounts == 0
									 ? palloc(party->room * sizeof(int64))
									 : repalloc(party->account_ids, party->room * sizeof(int64));
			party->balances = party->accounts == 0
								  ? palloc(party->room * sizeof(int64))
								  : repalloc(party->balances, party->room * sizeof(int64));
			party->is_member = party->accounts == 0
								   ? palloc(party->room * sizeof(bool))
								   : repalloc(party->is_member, party->room * sizeof(bool));
		}
		party->account_ids[place] = account_id;
		party->balances[place] = ledger_get_int64(slot, LEDGER_ACCOUNT, ACCOUNT_BALANCE);
		party->is_member[place] = is_member;
		party->accounts++;
	}
	return has_member;
}

/* The customer in the program, as the call knows it. */
o2o_points_party *
o2o_points_party_of(o2o_points_run *run, int64 customer_id, o2o_points_program *program)
{
	o2o_points_party **bucket = &run->parties[murmurhash32((uint32) customer_id) & run->mask];
	o2o_points_party *party;

	for (party = *bucket; party != NULL; party = party->next)
	{
		if (party->customer_id == customer_id && party->program == program)
			return party;
	}
	party = palloc0(sizeof(o2o_points_party));
	party->customer_id = customer_id;
	party->program = program;
	party->next = *bucket;
	*bucket = party;
	return party;
}

/* Makes the member account of a profile. */
static void
open_account(int64 profile_id, text *program)
{
	Oid types[2] = {INT8OID, TEXTOID};
	Datum values[2] = {Int64GetDatum(profile_id), PointerGetDatum(program)};

	SPI_connect();
	if (SPI_execute_with_args("SELECT o2o.points_account_open($1, $2)", 2, types, values, NULL,
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "o2o.points_account_open() cannot be called");
	SPI_finish();
}

/* Finds the accounts of all who take part, and makes those that are missing. */
void
o2o_points_gather_all(o2o_points_run *run, o2o_points_request **requests, int count)
{
	bool is_again = false;

	do
	{
		bool is_missing = false;

		run->wanted_count = 0;
		for (int i = 0; i < count; i++)
		{
			o2o_points_request *request = requests[i];
			int64 receiver = points_is_earn(request)       ? request->profile_id
							 : points_is_transfer(request) ? request->counter_profile_id
														   : 0;

			CHECK_FOR_INTERRUPTS();
			if (request->outcome != REQUEST_OPEN)
				continue;
			request->party = o2o_points_party_of(run, request->customer_id, request->program);
			if (!points_is_earn(request) && !request->party->is_locked)
			{
				int64 *profiles = request->members;
				int members = request->member_count;

				if (members == 0)
					members = o2o_points_profiles_of(run->ledger, request->customer_id, &profiles);
				request->party->is_locked = true;
				for (int j = 0; j < members; j++)
					o2o_points_gather(run, request->party, profiles[j], true);
			}
			if (receiver != 0)
			{
				o2o_points_party *party =
					points_is_earn(request)
						? request->party
						: o2o_points_party_of(run, request->counter_customer_id, request->program);

				if (!o2o_points_gather(run, party, receiver, true))
				{
					open_account(receiver, request->program_name);
					is_missing = true;
				}
			}
		}
		is_again = is_missing;
		if (is_again)
		{
			/* Everything is looked up once more, with the new accounts. */
			o2o_ledger_look_again(run->ledger);
			memset(run->parties, 0, (run->mask + 1) * sizeof(o2o_points_party *));
		}
	} while (is_again);
}

static int
compare_wanted(const void *left, const void *right)
{
	int64 a = ((const o2o_points_wanted *) left)->account_id;
	int64 b = ((const o2o_points_wanted *) right)->account_id;

	return (a > b) - (a < b);
}

/* Closes portions of holds that are over in the locked accounts of a program; true where there were any. */
static bool
close_holds(o2o_points_run *run, const o2o_points_program *program)
{
	Oid types[2] = {INT8ARRAYOID, TEXTOID};
	Datum *profiles = palloc(run->wanted_count * sizeof(Datum));
	Datum values[2];
	int count = 0;
	bool is_null;
	bool is_closed;

	for (int i = 0; i < run->wanted_count; i++)
	{
		o2o_points_account *account =
			o2o_points_writer_known(run->writer, run->wanted[i].account_id);

		if (run->wanted[i].program == program && account->held > 0)
			profiles[count++] = Int64GetDatum(account->profile_id);
	}
	if (count == 0)
		return false;
	values[0] = PointerGetDatum(
		construct_array(profiles, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[1] = PointerGetDatum(program->name);
	SPI_connect();
	if (SPI_execute_with_args("SELECT o2o.points_hold_close($1, $2)", 2, types, values, NULL, false,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "o2o.points_hold_close() cannot be called");
	is_closed =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null)) > 0;
	SPI_finish();
	return is_closed;
}

/* Locks the accounts, ascending; what is read afterwards is from after the locks. */
void
o2o_points_lock_all(o2o_points_run *run)
{
	bool has_holds = false;
	bool is_closed = false;
	ListCell *cell;
	int64 *profile_ids;

	run->writer = o2o_points_writer_begin(run->ledger, run->wanted_count);
	if (run->wanted_count > 1)
		qsort(run->wanted, run->wanted_count, sizeof(o2o_points_wanted), compare_wanted);
	for (int i = 0; i < run->wanted_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == 0 || run->wanted[i].account_id != run->wanted[i - 1].account_id)
			has_holds |= o2o_points_writer_take(run->writer, &run->wanted[i].tid)->held > 0;
	}
	if (has_holds)
	{
		foreach (cell, run->programs)
			is_closed |= close_holds(run, lfirst(cell));
	}
	o2o_ledger_look_again(run->ledger);
	if (!is_closed)
		return;
	/* Their rows are others now. */
	profile_ids = palloc(run->wanted_count * sizeof(int64));
	for (int i = 0; i < run->wanted_count; i++)
		profile_ids[i] =
			o2o_points_writer_known(run->writer, run->wanted[i].account_id)->profile_id;
	run->writer = o2o_points_writer_begin(run->ledger, run->wanted_count);
	for (int i = 0; i < run->wanted_count; i++)
		o2o_points_writer_account(run->writer, profile_ids[i], run->wanted[i].account_id);
}

/* Balance of the customer in the program: its member accounts, as this call leaves them. */
int64
o2o_points_party_balance(o2o_points_writer *writer, const o2o_points_party *party)
{
	int64 balance = 0;

	for (int i = 0; i < party->accounts; i++)
	{
		o2o_points_account *account = o2o_points_writer_known(writer, party->account_ids[i]);

		if (party->is_member[i] &&
			pg_add_s64_overflow(balance, account ? account->balance : party->balances[i], &balance))
			o2o_points_error_range();
	}
	return balance;
}

/* The member account of a profile in a program; all of them are locked. */
o2o_points_account *
o2o_points_member_account(o2o_points_run *run, const o2o_points_party *party, int64 profile_id)
{
	for (int i = 0; i < party->accounts; i++)
	{
		o2o_points_account *account =
			party->is_member[i] ? o2o_points_writer_known(run->writer, party->account_ids[i])
								: NULL;

		if (account != NULL && account->profile_id == profile_id)
			return account;
	}
	elog(ERROR, "points account of profile %lld is gone", (long long) profile_id);
	return NULL;
}
