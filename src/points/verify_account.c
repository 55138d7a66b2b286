/*
 * verify_account.c
 *		points_verify(), one account: its postings in the order of their versions,
 *		its lots, what is on hold, its hash chain. What is summed over accounts is
 *		in verify_total.c, what is read in verify.c.
 *
 * A posting is judged by the one before it, so that one wrong posting is told
 * once and not again with every posting after it.
 */
#include "points/verify.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static int find_lot(const o2o_verify *verify, TimestampTz expires_at, DateADT grant_month,
					const char *funding, int funding_length, bool *found);
static void check_contra(o2o_verify *verify, const o2o_verify_posting *posting,
						 const o2o_points_operation *operation, const o2o_verify_contra *contra);
static void check_use(o2o_verify *verify, const o2o_verify_posting *posting,
					  const o2o_points_operation *operation);
static void check_link(o2o_verify *verify, const o2o_verify_posting *posting);
static void check_last(o2o_verify *verify);
static void check_lots(o2o_verify *verify);

#define IS_KIND(kinds, kind) (((kinds) >> (kind)) & 1)

/* The account that comes next; what is known of it is still to come. */
void
o2o_verify_account_begin(o2o_verify *verify, int64 profile_id, int64 account_id)
{
	verify->is_open = true;
	verify->profile_id = profile_id;
	verify->account_id = account_id;
	verify->has_row = false;
	memset(&verify->row, 0, sizeof(verify->row));
	verify->row.program = -1;
	verify->base_version = 0;
	memset(&verify->running, 0, sizeof(verify->running));
	verify->running.posted_at = DT_NOBEGIN;
	verify->parts = 0;
	verify->lot_count = 0;
	verify->lot_rows = 0;
}

/* Order of the rows of points_lot in an account, as verify.c reads them. */
static int
compare_lot(const o2o_verify_lot *lot, TimestampTz expires_at, DateADT grant_month,
			const char *funding, int funding_length)
{
	int order;

	if (lot->expires_at != expires_at)
		return lot->expires_at < expires_at ? -1 : 1;
	if (lot->grant_month != grant_month)
		return lot->grant_month < grant_month ? -1 : 1;
	order = memcmp(lot->funding, funding, Min(lot->funding_length, funding_length));
	return order ? order : lot->funding_length - funding_length;
}

/* Place of a lot: among those with a row by halving, among the others one by one. */
static int
find_lot(const o2o_verify *verify, TimestampTz expires_at, DateADT grant_month, const char *funding,
		 int funding_length, bool *found)
{
	int low = 0;
	int high = verify->lot_rows;

	*found = true;
	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order =
			compare_lot(&verify->lots[middle], expires_at, grant_month, funding, funding_length);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (int i = verify->lot_rows; i < verify->lot_count; i++)
		if (compare_lot(&verify->lots[i], expires_at, grant_month, funding, funding_length) == 0)
			return i;
	*found = false;
	return verify->lot_count;
}

/* The lot with this key; it is added where it is the row of one, or has no row. */
o2o_verify_lot *
o2o_verify_lot_of(o2o_verify *verify, TimestampTz expires_at, DateADT grant_month,
				  const char *funding, int funding_length, bool is_row)
{
	o2o_verify_lot *lot;
	char *kept;

	if (!is_row)
	{
		bool found;
		int place = find_lot(verify, expires_at, grant_month, funding, funding_length, &found);

		if (found)
			return &verify->lots[place];
	}
	if (verify->lot_count == verify->lot_space)
	{
		verify->lot_space *= 2;
		verify->lots =
			repalloc_huge(verify->lots, sizeof(o2o_verify_lot) * (Size) verify->lot_space);
	}
	kept = MemoryContextAlloc(verify->account_context, funding_length);
	memcpy(kept, funding, funding_length);
	lot = &verify->lots[verify->lot_count++];
	memset(lot, 0, sizeof(*lot));
	lot->expires_at = expires_at;
	lot->grant_month = grant_month;
	lot->funding = kept;
	lot->funding_length = funding_length;
	lot->has_row = is_row;
	if (is_row)
		verify->lot_rows = verify->lot_count;
	return lot;
}

/* The next posting of the account. */
void
o2o_verify_account_posting(o2o_verify *verify, const o2o_verify_posting *posting)
{
	const o2o_points_chained *columns = &posting->columns;
	o2o_verify_running *running = &verify->running;
	const o2o_points_operation *operation =
		o2o_points_operation_find(columns->operation, columns->operation_length);
	o2o_verify_contra *contra = o2o_verify_contra_of(verify, columns->contra_account_id);
	bool in_snapshot = columns->version <= verify->base_version;
	int64 balance;

	if (contra)
		o2o_verify_contra_post(verify, contra, columns->amount, columns->seq, in_snapshot);
	if (in_snapshot)
		return;
	if (verify->row.program < 0 && contra)
		verify->row.program =
			contra->program; /* the account has no row: tell of it with this program */

	if (columns->version != running->version + 1)
		o2o_verify_report(verify, "version", verify->row.program, true,
						  "version " INT64_FORMAT " follows " INT64_FORMAT, columns->version,
						  running->version);
	if (pg_add_s64_overflow(running->balance, columns->amount, &balance) ||
		balance != columns->balance)
		o2o_verify_report(verify, "running_balance", verify->row.program, true,
						  "version " INT64_FORMAT ": %s after %s and %s", columns->version,
						  o2o_verify_points(columns->balance), o2o_verify_points(running->balance),
						  o2o_verify_points(columns->amount));
	if (columns->posted_at <= running->posted_at)
		o2o_verify_report(verify, "posted_at", verify->row.program, true,
						  "version " INT64_FORMAT " was not posted after version " INT64_FORMAT,
						  columns->version, running->version);
	check_contra(verify, posting, operation, contra);
	check_use(verify, posting, operation);
	if (verify->has_row && IS_KIND(verify->kinds_that_owe, verify->row.kind) &&
		columns->balance < 0 && running->debt == 0)
		o2o_verify_report(verify, "negative_balance", verify->row.program, true,
						  "version " INT64_FORMAT ": balance %s", columns->version,
						  o2o_verify_points(columns->balance));
	if (verify->chain)
		check_link(verify, posting);
	running->version = columns->version;
	running->balance = columns->balance;
	running->posted_at = columns->posted_at;
}

/* The other side is of the same program, and of a kind that fits operation and sign. */
static void
check_contra(o2o_verify *verify, const o2o_verify_posting *posting,
			 const o2o_points_operation *operation, const o2o_verify_contra *contra)
{
	const o2o_points_chained *columns = &posting->columns;

	if (operation && contra && contra->program == verify->row.program &&
		IS_KIND(verify->contra_kinds[operation - o2o_points_operations], contra->kind) &&
		(columns->amount > 0 ? operation->above_zero
							 : columns->amount < 0 && operation->below_zero))
		return;
	o2o_verify_report(verify, "contra", verify->row.program, true,
					  "version " INT64_FORMAT ": %.*s of %s against account " INT64_FORMAT,
					  columns->version, columns->operation_length, columns->operation,
					  o2o_verify_points(columns->amount), columns->contra_account_id);
}

/* What the posting did to its lot, or to the debt where it has none. */
static void
check_use(o2o_verify *verify, const o2o_verify_posting *posting,
		  const o2o_points_operation *operation)
{
	const o2o_points_chained *columns = &posting->columns;
	bool has_lots = !verify->has_row || IS_KIND(verify->kinds_with_lots, verify->row.kind);
	bool owes = verify->has_row && IS_KIND(verify->kinds_that_owe, verify->row.kind);
	o2o_points_effect effect = POINTS_NO_LOT;
	bool fits;

	if (operation)
		effect = columns->amount > 0 ? operation->lot_above_zero : operation->lot_below_zero;
	if (posting->lot_nulls == 0)
	{
		o2o_verify_lot *lot = o2o_verify_lot_of(verify, columns->expires_at, columns->grant_month,
												columns->funding, columns->funding_length, false);

		fits = has_lots && effect != POINTS_NO_LOT;
		if (effect != POINTS_NO_LOT)
			lot->posted[effect] +=
				effect == POINTS_GRANTED ? columns->amount : -(o2o_int128) columns->amount;
	}
	else if (posting->lot_nulls == 3 && owes)
	{
		int64 debt;

		fits = operation && operation->owes;
		if (pg_sub_s64_overflow(verify->running.debt, columns->amount, &debt) || debt < 0)
			o2o_verify_report(verify, "debt", verify->row.program, true,
							  "version " INT64_FORMAT ": repaid %s of a debt of %s",
							  columns->version, o2o_verify_points(columns->amount),
							  o2o_verify_points(verify->running.debt));
		else
			verify->running.debt = debt;
	}
	else
		fits = posting->lot_nulls == 3;
	if (!fits)
		o2o_verify_report(verify, "lot_key", verify->row.program, true,
						  "version " INT64_FORMAT ": %.*s of %s %s", columns->version,
						  columns->operation_length, columns->operation,
						  o2o_verify_points(columns->amount),
						  posting->lot_nulls == 0   ? "with a lot"
						  : posting->lot_nulls == 3 ? "without a lot"
													: "with half a lot");
}

/* Its link continues the one before it. */
static void
check_link(o2o_verify *verify, const o2o_verify_posting *posting)
{
	o2o_verify_running *running = &verify->running;
	uint8 link[O2O_POINTS_LINK_SIZE];

	if (!posting->has_link)
	{
		/* Before the first link, and where chaining was off for a while. */
		if (verify->row.is_chained && running->has_link)
			o2o_verify_report(verify, "chain", verify->row.program, true,
							  "version " INT64_FORMAT " has no link", posting->columns.version);
		running->has_link = running->has_link && verify->row.is_chained;
		return;
	}
	o2o_points_chain_link(verify->chain, running->has_link ? running->link : NULL,
						  &posting->columns, link);
	if (!posting->is_link_sized || memcmp(link, posting->link, O2O_POINTS_LINK_SIZE) != 0)
		o2o_verify_report(verify, "chain", verify->row.program, true,
						  "version " INT64_FORMAT " is not what its link covers",
						  posting->columns.version);
	running->has_link = posting->is_link_sized;
	if (running->has_link)
		memcpy(running->link, posting->link, O2O_POINTS_LINK_SIZE);
}

/* All of the account has passed. */
void
o2o_verify_account_end(o2o_verify *verify)
{
	if (!verify->is_open)
		return;
	check_last(verify);
	check_lots(verify);
	if (verify->has_row)
		verify->programs[verify->row.program].balance += verify->row.balance;
	verify->is_open = false;
	MemoryContextReset(verify->account_context);
}

/* The row says what the postings came to, and what is on hold. */
static void
check_last(o2o_verify *verify)
{
	const o2o_verify_row *row = &verify->row;
	const o2o_verify_running *running = &verify->running;

	if (!verify->has_row)
	{
		if (running->version > 0)
			o2o_verify_report(verify, "account", row->program, true,
							  "last posting has version " INT64_FORMAT
							  " and balance %s, and there is no such account",
							  running->version, o2o_verify_points(running->balance));
	}
	else if (row->version != running->version || row->balance != running->balance ||
			 row->posted_at != running->posted_at)
		o2o_verify_report(verify, "account", row->program, true,
						  "last posting has version " INT64_FORMAT
						  " and balance %s, account has " INT64_FORMAT " and %s",
						  running->version, o2o_verify_points(running->balance), row->version,
						  o2o_verify_points(row->balance));
	if (verify->has_row && row->debt != running->debt)
		o2o_verify_report(verify, "debt", row->program, true,
						  "account owes %s, its postings came to %s", o2o_verify_points(row->debt),
						  o2o_verify_points(running->debt));
	if (row->held != verify->parts)
		o2o_verify_report(verify, "held", row->program, true, "held %s, open portions of holds %s",
						  o2o_verify_points(row->held), o2o_verify_points(verify->parts));
	if (verify->chain && row->is_chained &&
		(row->has_link != running->has_link ||
		 (row->has_link && memcmp(row->link, running->link, O2O_POINTS_LINK_SIZE) != 0)))
		o2o_verify_report(verify, "chain", row->program, true,
						  "account has another link than its last posting");
}

/* The name of a lot in a report. */
static char *
lot_name(const o2o_verify_lot *lot)
{
	return psprintf(
		"lot of %s, %.*s",
		DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(lot->grant_month))),
		lot->funding_length, lot->funding);
}

static void
check_lot(o2o_verify *verify, const o2o_verify_lot *lot)
{
	const int64 *row = lot->row;
	const o2o_int128 *posted = lot->posted;
	int program = verify->row.program;
	o2o_int128 accounted = lot->remaining;
	bool is_sound = lot->has_row && lot->remaining >= 0;
	bool is_posted = lot->has_row;

	for (int i = POINTS_GRANTED; i < O2O_EFFECTS; i++)
	{
		is_sound = is_sound && row[i] >= 0;
		is_posted = is_posted && row[i] == posted[i];
		if (i != POINTS_GRANTED)
			accounted += row[i];
	}
	if (!is_sound || accounted != row[POINTS_GRANTED])
		o2o_verify_report(
			verify, "lot", program, true,
			lot->has_row ? "%s: granted %s, remaining %s, consumed %s, expired %s, clawed %s"
						 : "%s: there is no such lot",
			lot_name(lot), o2o_verify_points(row[POINTS_GRANTED]),
			o2o_verify_points(lot->remaining), o2o_verify_points(row[POINTS_CONSUMED]),
			o2o_verify_points(row[POINTS_EXPIRED]), o2o_verify_points(row[POINTS_CLAWED]));
	if (lot->has_row && !is_posted)
		o2o_verify_report(
			verify, "lot_history", program, true,
			"%s: granted %s, consumed %s, expired %s, clawed %s; its postings granted %s, "
			"consumed %s, expired %s, clawed %s",
			lot_name(lot), o2o_verify_points(row[POINTS_GRANTED]),
			o2o_verify_points(row[POINTS_CONSUMED]), o2o_verify_points(row[POINTS_EXPIRED]),
			o2o_verify_points(row[POINTS_CLAWED]), o2o_verify_points(posted[POINTS_GRANTED]),
			o2o_verify_points(posted[POINTS_CONSUMED]), o2o_verify_points(posted[POINTS_EXPIRED]),
			o2o_verify_points(posted[POINTS_CLAWED]));
	if (lot->held != lot->parts || lot->held > lot->remaining)
		o2o_verify_report(verify, "held", program, true,
						  "%s: held %s of %s, open portions of holds %s", lot_name(lot),
						  o2o_verify_points(lot->held), o2o_verify_points(lot->remaining),
						  o2o_verify_points(lot->parts));
}

/* Each lot is what its postings made of it, and all of them come to the balance. */
static void
check_lots(o2o_verify *verify)
{
	const o2o_verify_row *row = &verify->row;
	o2o_int128 remaining = 0;

	for (int i = 0; i < verify->lot_count; i++)
	{
		check_lot(verify, &verify->lots[i]);
		remaining += verify->lots[i].remaining;
	}
	/* Sellers and partners have no lots and no debts: their points are their balance. */
	if (verify->has_row && !IS_KIND(verify->kinds_that_owe, row->kind)
			? verify->lot_rows > 0 || row->debt != 0
			: (o2o_int128) row->balance + row->debt != remaining || row->debt < 0)
		o2o_verify_report(verify, "lot_balance", row->program, true,
						  "balance %s, debt %s, remaining in lots %s",
						  o2o_verify_points(row->balance), o2o_verify_points(row->debt),
						  o2o_verify_points(remaining));
}
