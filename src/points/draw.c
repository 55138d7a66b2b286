/*
 * draw.c
 *		Which lots a debit takes: nearest expiry first over all accounts of the
 *		customer, those of the acting profile first among equals, nothing that is
 *		on hold. Lots are read in the order of their index until there are
 *		enough; what lies behind is not looked at.
 */
#include "points/request.h"
#include "points/points.h"

#include "catalog/pg_collation.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

static int64
free_of(const o2o_points_lot *lot)
{
	return lot->remaining - lot->held;
}

static int
compare_funding(const text *a, const text *b)
{
	return varstr_cmp(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b),
					  DEFAULT_COLLATION_OID);
}

/* A lot and the lot that a posting is for, in the order of expiry, month and funding. */
int
o2o_points_compare_key(const o2o_points_lot *lot, const o2o_points_instruction *instruction)
{
	if (lot->expires_at != instruction->expires_at)
		return lot->expires_at < instruction->expires_at ? -1 : 1;
	if (lot->grant_month != instruction->grant_month)
		return lot->grant_month < instruction->grant_month ? -1 : 1;
	return compare_funding(lot->funding, instruction->funding);
}

/* The order in which lots are taken; the profile is the one who acts. */
static int
compare_lots(const void *left, const void *right, void *profile)
{
	const o2o_points_lot *a = *(o2o_points_lot *const *) left;
	const o2o_points_lot *b = *(o2o_points_lot *const *) right;
	bool a_acts = a->account->profile_id == *(int64 *) profile;
	bool b_acts = b->account->profile_id == *(int64 *) profile;

	if (a->expires_at != b->expires_at)
		return a->expires_at < b->expires_at ? -1 : 1;
	if (a_acts != b_acts)
		return a_acts ? -1 : 1;
	if (a->grant_month != b->grant_month)
		return a->grant_month < b->grant_month ? -1 : 1;
	if (a->account->account_id != b->account->account_id)
		return a->account->account_id < b->account->account_id ? -1 : 1;
	return compare_funding(a->funding, b->funding);
}

static void
remember(o2o_points_writer *writer, o2o_points_account *account, o2o_points_lot *lot)
{
	if (lot->is_walked)
		return;
	lot->is_walked = true;
	if (account->lot_count == account->lot_room)
	{
		account->lot_room = Max(8, 2 * account->lot_room);
		account->lots =
			account->lots == NULL
				? MemoryContextAlloc(writer->context, account->lot_room * sizeof(o2o_points_lot *))
				: repalloc(account->lots, account->lot_room * sizeof(o2o_points_lot *));
	}
	account->lots[account->lot_count++] = lot;
}

/* Makes sure that the lots read of an account have so much to take, or that all are read. */
static void
read_lots(o2o_points_writer *writer, o2o_points_account *account, int64 needed, TimestampTz now)
{
	o2o_ledger *ledger = writer->ledger;
	int64 sum = 0;
	Datum key[3] = {Int64GetDatum(account->profile_id), Int64GetDatum(account->account_id),
					TimestampTzGetDatum(now)};
	TupleTableSlot *slot;
	ListCell *cell;

	foreach (cell, account->new_lots)
		remember(writer, account, lfirst(cell));
	if (account->has_all_lots)
		return;
	/* Lots that this call made lie somewhere among the others: then all are read. */
	for (int i = 0; i < account->lot_count && account->new_lots == NIL; i++)
	{
		sum += free_of(account->lots[i]);
		if (sum >= needed)
			return;
	}
	sum = 0;
	o2o_ledger_find(ledger, LEDGER_LOT_WALK, key, 3);
	while ((slot = o2o_ledger_next(ledger, LEDGER_LOT_WALK)) != NULL)
	{
		o2o_points_lot *lot = o2o_points_writer_walked(writer, account, slot);

		CHECK_FOR_INTERRUPTS();
		remember(writer, account, lot);
		sum += free_of(lot);
		if (sum >= needed && account->new_lots == NIL)
			return;
	}
	account->has_all_lots = true;
}

/* What the members owe. */
int64
o2o_points_owed(o2o_points_writer *writer, const o2o_points_party *party)
{
	int64 owed = 0;

	for (int i = 0; i < party->accounts; i++)
	{
		o2o_points_account *account = o2o_points_writer_known(writer, party->account_ids[i]);

		if (account != NULL && pg_add_s64_overflow(owed, account->debt, &owed))
			o2o_points_error_range();
	}
	return owed;
}

/*
 * The lots that an amount comes from, in the order in which they are taken, with the amount of
 * each; returns how many, 0 where there is not enough. Debts stay covered.
 */
int
o2o_points_pick(o2o_points_writer *writer, const o2o_points_party *party, int64 acting_profile_id,
				int64 amount, TimestampTz now, o2o_points_lot ***lots, int64 **amounts)
{
	int64 needed;
	int64 available = 0;
	int count = 0;
	int taken = 0;

	if (pg_add_s64_overflow(amount, o2o_points_owed(writer, party), &needed))
		return 0;
	for (int i = 0; i < party->accounts; i++)
	{
		o2o_points_account *account = o2o_points_writer_known(writer, party->account_ids[i]);

		if (!party->is_member[i])
			continue;
		read_lots(writer, account, needed, now);
		count += account->lot_count;
	}
	if (count == 0)
		return 0;
	*lots = palloc(count * sizeof(o2o_points_lot *));
	*amounts = palloc(count * sizeof(int64));
	count = 0;
	for (int i = 0; i < party->accounts; i++)
	{
		o2o_points_account *account = o2o_points_writer_known(writer, party->account_ids[i]);

		for (int j = 0; party->is_member[i] && j < account->lot_count; j++)
		{
			o2o_points_lot *lot = account->lots[j];

			if (lot->expires_at <= now || free_of(lot) <= 0)
				continue;
			(*lots)[count++] = lot;
			if (available < needed && pg_add_s64_overflow(available, free_of(lot), &available))
				available = needed;
		}
	}
	if (available < needed)
		return 0;
	qsort_arg(*lots, count, sizeof(o2o_points_lot *), compare_lots, &acting_profile_id);
	while (amount > 0)
	{
		int64 part = Min(amount, free_of((*lots)[taken]));

		(*amounts)[taken++] = part;
		amount -= part;
	}
	return taken;
}
