/*
 * party.c
 *		Who takes part in requests: profiles and the customers that they resolve
 *		to, the locks of customers, programs. Accounts and postings are in
 *		request.c.
 */
#include "points/party.h"
#include "points/points.h"

#include "identity/identity.h"

#include "base/subtransaction.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The customer that a profile resolves to now; 0 where there is no such profile. */
int64
o2o_points_customer_of(o2o_ledger *ledger, int64 profile_id)
{
	Datum key = Int64GetDatum(profile_id);
	TupleTableSlot *slot;

	o2o_ledger_find(ledger, LEDGER_PROFILE_KEY, &key, 1);
	slot = o2o_ledger_next(ledger, LEDGER_PROFILE_KEY);
	return slot == NULL ? 0 : ledger_get_int64(slot, LEDGER_PROFILE, PROFILE_CUSTOMER_ID);
}

/*
 * The same, with all profiles of the customer where the profile is its root, as nearly all are:
 * one lookup then tells both. *count is 0 where it is not.
 */
int64
o2o_points_customer_with(o2o_ledger *ledger, int64 profile_id, int64 **profiles, int *count)
{
	*count = o2o_points_profiles_of(ledger, profile_id, profiles);
	for (int i = 0; i < *count; i++)
	{
		if ((*profiles)[i] == profile_id)
			return profile_id;
	}
	*count = 0;
	return o2o_points_customer_of(ledger, profile_id);
}

/* The profiles of a customer. */
int
o2o_points_profiles_of(o2o_ledger *ledger, int64 customer_id, int64 **profiles)
{
	Datum key = Int64GetDatum(customer_id);
	TupleTableSlot *slot;
	int room = 4;
	int count = 0;

	*profiles = palloc(room * sizeof(int64));
	o2o_ledger_find(ledger, LEDGER_PROFILE_CUSTOMER, &key, 1);
	while ((slot = o2o_ledger_next(ledger, LEDGER_PROFILE_CUSTOMER)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (count == room)
			*profiles = repalloc(*profiles, (room *= 2) * sizeof(int64));
		(*profiles)[count++] = ledger_get_int64(slot, LEDGER_PROFILE, PROFILE_ID);
	}
	return count;
}

/* Programs that this session met, and where their rows were: a few rows are not worth an index each time. */
typedef struct points_memory
{
	char name[NAMEDATALEN];
	ItemPointerData program;
	ItemPointerData system[3];
} points_memory;

static points_memory *
memory_of(const text *name)
{
	static points_memory memories[16];
	int length = VARSIZE_ANY_EXHDR(name);
	points_memory *memory;

	if (length >= NAMEDATALEN)
		return NULL;
	memory = &memories[hash_bytes((const unsigned char *) VARDATA_ANY(name), length) %
					   lengthof(memories)];
	if (strlen(memory->name) != length || memcmp(memory->name, VARDATA_ANY(name), length) != 0)
	{
		memset(memory, 0, sizeof(*memory));
		memcpy(memory->name, VARDATA_ANY(name), length);
	}
	return memory;
}

static bool
is_text(TupleTableSlot *slot, o2o_ledger_table table, int column, const char *data, int length)
{
	bool is_null;
	text *value = DatumGetTextPP(ledger_get(slot, table, column, &is_null));

	return VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), data, length) == 0;
}

static bool
is_program(TupleTableSlot *slot, o2o_ledger_table table, int column, const text *name)
{
	return is_text(slot, table, column, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

static int64
system_account(o2o_ledger *ledger, text *program, const char *kind, int place)
{
	points_memory *memory = memory_of(program);
	Datum key[2];
	TupleTableSlot *slot = NULL;

	if (memory != NULL)
		slot = o2o_ledger_at(ledger, LEDGER_SYSTEM, &memory->system[place]);
	if (slot == NULL || !is_program(slot, LEDGER_SYSTEM, SYSTEM_PROGRAM, program) ||
		!is_text(slot, LEDGER_SYSTEM, SYSTEM_KIND, kind, strlen(kind)))
	{
		key[0] = PointerGetDatum(program);
		key[1] = CStringGetTextDatum(kind);
		o2o_ledger_find(ledger, LEDGER_SYSTEM_KEY, key, 2);
		slot = o2o_ledger_next(ledger, LEDGER_SYSTEM_KEY);
		if (slot != NULL && memory != NULL)
			memory->system[place] = o2o_ledger_place(ledger, LEDGER_SYSTEM_KEY);
	}
	return slot == NULL ? 0 : ledger_get_int64(slot, LEDGER_SYSTEM, SYSTEM_ACCOUNT_ID);
}

/* The system account of a program on the other side of an operation, looked up once. */
int64
o2o_points_contra(o2o_ledger *ledger, o2o_points_program *program,
				  const o2o_points_operation *operation)
{
	const char *kind = operation->contra_kinds[0];
	int place = strcmp(kind, "issuer") == 0 ? 0 : strcmp(kind, "redeemed") == 0 ? 1 : 2;

	if (program->system[place] == 0)
		program->system[place] = system_account(ledger, program->name, kind, place);
	return program->system[place];
}

static TupleTableSlot *
program_row(o2o_ledger *ledger, text *name)
{
	points_memory *memory = memory_of(name);
	Datum key = PointerGetDatum(name);
	TupleTableSlot *slot = NULL;

	if (memory != NULL)
		slot = o2o_ledger_at(ledger, LEDGER_PROGRAM, &memory->program);
	if (slot != NULL && is_program(slot, LEDGER_PROGRAM, PROGRAM_PROGRAM, name))
		return slot;
	o2o_ledger_find(ledger, LEDGER_PROGRAM_KEY, &key, 1);
	slot = o2o_ledger_next(ledger, LEDGER_PROGRAM_KEY);
	if (slot != NULL && memory != NULL)
		memory->program = o2o_ledger_place(ledger, LEDGER_PROGRAM_KEY);
	return slot;
}

/* A program by name; programs are those that the call met before. */
o2o_points_program *
o2o_points_program_of(o2o_ledger *ledger, List **programs, text *name)
{
	ListCell *cell;
	o2o_points_program *program;
	TupleTableSlot *slot;
	bool is_null;
	Datum value;

	foreach (cell, *programs)
	{
		program = lfirst(cell);
		if (VARSIZE_ANY_EXHDR(program->name) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(VARDATA_ANY(program->name), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return program;
	}
	program = palloc0(sizeof(o2o_points_program));
	program->name = name;
	slot = program_row(ledger, name);
	if (slot != NULL)
	{
		program->exists = true;
		program->scale = DatumGetInt16(ledger_get(slot, LEDGER_PROGRAM, PROGRAM_SCALE, &is_null));
		value = ledger_get(slot, LEDGER_PROGRAM, PROGRAM_EXPIRES_AFTER, &is_null);
		if (!is_null)
			program->expires_after = DatumGetIntervalP(datumCopy(value, false, sizeof(Interval)));
		value = ledger_get(slot, LEDGER_PROGRAM, PROGRAM_EXPIRES_AT, &is_null);
		program->expires_at = is_null ? DT_NOEND : DatumGetTimestampTz(value);
		(void) ledger_get(slot, LEDGER_PROGRAM, PROGRAM_INACTIVE_AFTER, &is_null);
		program->may_lapse = !is_null;
		program->expires_round =
			DatumGetTextPCopy(ledger_get(slot, LEDGER_PROGRAM, PROGRAM_EXPIRES_ROUND, &is_null));
		program->time_zone =
			DatumGetTextPCopy(ledger_get(slot, LEDGER_PROGRAM, PROGRAM_TIME_ZONE, &is_null));
		program->is_enforced = is_text(slot, LEDGER_PROGRAM, PROGRAM_RESERVE_POLICY, "enforce", 7);
	}
	*programs = lappend(*programs, program);
	return program;
}

/* Locks one customer in its table, which is a plain one; false where it is a customer no more. */
static bool
lock_in_place(void *argument, int64 customer_id)
{
	o2o_ledger *ledger = argument;
	Datum key = Int64GetDatum(customer_id);
	TupleTableSlot *slot;
	ItemPointerData tid;

	o2o_ledger_find(ledger, LEDGER_CUSTOMER_KEY, &key, 1);
	slot = o2o_ledger_next(ledger, LEDGER_CUSTOMER_KEY);
	if (slot == NULL)
		return false;
	tid = slot->tts_tid;
	o2o_ledger_lock(ledger, LEDGER_CUSTOMER, &tid, slot);
	o2o_ledger_look_again(ledger);
	return o2o_points_customer_of(ledger, customer_id) == customer_id;
}

/* Profiles of requests that take points from somebody, with those who get them. */
static int
debit_profiles(const o2o_points_request *requests, int count, int64 *profiles)
{
	int found = 0;

	for (int i = 0; i < count; i++)
	{
		if (requests[i].outcome != REQUEST_OPEN || !requests[i].operation->below_zero)
			continue;
		profiles[found++] = requests[i].profile_id;
		if (strcmp(requests[i].operation->name, "transfer_out") == 0)
			profiles[found++] = requests[i].counter_profile_id;
	}
	return found;
}

/* One attempt; false where customers changed meanwhile. */
static bool
lock_customers_of(o2o_ledger *ledger, const int64 *profiles, int count)
{
	int64 *before = palloc(count * sizeof(int64));
	int64 *roots = palloc(count * sizeof(int64));
	int known = 0;

	for (int i = 0; i < count; i++)
	{
		before[i] = o2o_points_customer_of(ledger, profiles[i]);
		if (before[i] != 0)
			roots[known++] = before[i];
	}
	if (!o2o_customers_lock_each(roots, known, lock_in_place, ledger))
		return false;
	o2o_ledger_look_again(ledger);
	for (int i = 0; i < count; i++)
	{
		if (o2o_points_customer_of(ledger, profiles[i]) != before[i])
			return false;
	}
	return true;
}

/*
 * Locks the customers of all debits, as o2o.customer_lock() does: ascending, and where one has
 * changed meanwhile all locks are given back, with the subtransaction, before it starts over.
 * False where the tables are not plain.
 */
bool
o2o_points_customers_lock(o2o_points_request *requests, int count)
{
	int64 *profiles = palloc((2 * count + 1) * sizeof(int64));
	int found = debit_profiles(requests, count, profiles);
	bool is_done = found == 0;

	while (!is_done)
	{
		O2OSubtransaction outer;
		volatile bool is_plain = false;
		volatile bool is_locked = false;

		CHECK_FOR_INTERRUPTS();
		o2o_subtransaction_begin(&outer);
		PG_TRY();
		{
			o2o_ledger *ledger = o2o_ledger_open(LEDGER_FOR_CUSTOMERS);

			if (ledger != NULL)
			{
				is_plain = true;
				is_locked = lock_customers_of(ledger, profiles, found);
				o2o_ledger_close(ledger);
			}
		}
		PG_CATCH();
		{
			o2o_subtransaction_rethrow(&outer);
		}
		PG_END_TRY();
		is_done = is_locked || !is_plain;
		o2o_subtransaction_end(&outer, is_done);
		if (!is_plain)
			return false;
	}
	return true;
}
