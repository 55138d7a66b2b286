/*
 * resolve_conflict.c
 *		What may not be one customer: the rules of identifier_kind, the cap on a
 *		customer, and those kept apart. For events (resolve_judge.c), and for what
 *		imports, matches and identity_reconcile() ask in SQL. Which identifiers are
 *		admitted lives in resolve_rules.c.
 */
#include "identity/identity.h"

#include "identity/resolve.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_profiles_conflict);
PG_FUNCTION_INFO_V1(o2o_kinds_conflict);

/* One more profile of a kind and scope, of the side that is read. */
static void
tally(O2OUnion *all, const char *kind, const char *scope)
{
	for (int i = 0; i < all->tally_count; i++)
		if (strcmp(all->tallies[i].kind, kind) == 0 && strcmp(all->tallies[i].scope, scope) == 0)
		{
			all->tallies[i].count++;
			all->tallies[i].added += all->is_adding ? 1 : 0;
			return;
		}
	all->tallies = all->tally_count == 0
					   ? palloc(16 * sizeof(O2OTally))
					   : repalloc(all->tallies, (all->tally_count + 16) * sizeof(O2OTally));
	all->tallies[all->tally_count++] = (O2OTally){kind, scope, 1, all->is_adding ? 1 : 0};
}

/* Takes the profiles that a statement finds: profile_id, kind, scope. */
static void
read_profiles(O2OUnion *all, O2OModelStatement statement, Datum argument)
{
	O2OModelCall call = {0};
	int found;

	o2o_model_arg(&call, argument, false);
	found = (int) o2o_model_run(statement, &call, all->read_only);
	if (all->members == NULL)
		all->members = palloc(Max(found, 1) * sizeof(int64));
	else
		all->members = repalloc(all->members, (all->member_count + found + 1) * sizeof(int64));
	for (int i = 0; i < found; i++)
	{
		all->members[all->member_count++] = o2o_model_int64(i, 1);
		tally(all, o2o_model_text(i, 2), o2o_model_text(i, 3));
	}
	all->is_cannot_link_read = false;
}

/* Of a customer, whose lock is held. */
static void
read_members(O2OUnion *all, int64 customer_id)
{
	read_profiles(all, O2O_SELECT_MEMBERS, Int64GetDatum(customer_id));
}

/* What comes from now on is one side, what there is the other. */
static void
add_from_here(O2OUnion *all)
{
	all->is_adding = true;
	for (int i = 0; i < all->tally_count; i++)
		all->tallies[i].added = 0;
}

static void
read_cap(O2OUnion *all)
{
	O2OModelCall call = {0};
	char *value = NULL;

	o2o_model_arg(&call, CStringGetTextDatum("identity.customer_cap"), false);
	if (o2o_model_run(O2O_SELECT_SETTING, &call, true) > 0)
		value = o2o_model_text(0, 1);
	all->cap = value != NULL ? pg_strtoint32(value) : PG_INT32_MAX;
	all->is_cap_read = true;
}

static void
read_cannot_link(O2OUnion *all)
{
	O2OModelCall call = {0};

	all->has_cannot_link = false;
	if (all->member_count > 0)
	{
		o2o_model_arg(&call, PointerGetDatum(o2o_model_ids(all->members, all->member_count)),
					  false);
		all->has_cannot_link = o2o_model_run(O2O_SELECT_CANNOT_LINK, &call, all->read_only) > 0;
	}
	all->is_cannot_link_read = true;
}

/* Is the kind's rule violated? A side that has none of the kind does not make it worse. */
static bool
is_violated(const O2OUnion *all, const O2OKind *kind, bool *is_unique)
{
	int total = 0;
	int added = 0;

	*is_unique = false;
	for (int i = 0; i < all->tally_count; i++)
	{
		const O2OTally *tally = &all->tallies[i];

		if (strcmp(tally->kind, kind->kind) != 0)
			continue;
		total += tally->count;
		added += tally->added;
		if (kind->is_unique && tally->count > 1 &&
			(!all->is_adding || (tally->added > 0 && tally->added < tally->count)))
			*is_unique = true;
	}
	return *is_unique || (total > kind->limit && (!all->is_adding || (added > 0 && added < total)));
}

/*
 * The rule that is violated if both sides are one customer, or NULL for none: the
 * only place that knows the rules of kinds, the cap, and those kept apart.
 */
static char *
conflict(O2OUnion *all)
{
	const O2OKind *worst = NULL;
	bool worst_is_unique = false;

	if (!all->is_cap_read)
		read_cap(all);
	if (all->member_count + all->new_count > all->cap)
		return "customer_cap";
	if (!all->is_cannot_link_read)
		read_cannot_link(all);
	if (all->has_cannot_link)
		return "cannot_link";
	for (int i = 0; i < all->kinds->count; i++)
	{
		const O2OKind *kind = &all->kinds->rows[i];
		bool is_unique;

		if (is_violated(all, kind, &is_unique) &&
			(worst == NULL || kind->priority > worst->priority ||
			 (kind->priority == worst->priority && strcmp(kind->kind, worst->kind) < 0)))
		{
			worst = kind;
			worst_is_unique = is_unique;
		}
	}
	if (worst == NULL)
		return NULL;
	return psprintf("%s:%s", worst_is_unique ? "unique" : "limit", worst->kind);
}

/* Begins with the first of the identifiers, which nothing can be wrong with. */
void
o2o_union_start(O2OUnion *all, const O2OKinds *kinds, const O2OShown *first)
{
	memset(all, 0, sizeof(O2OUnion));
	all->kinds = kinds;
	all->first_customer = first->customer_id;
	if (first->customer_id == 0)
	{
		all->new_count = 1;
		tally(all, first->kind->kind, first->scope);
	}
}

/*
 * Adds an identifier's customer, or its new profile, to the others; where a rule
 * does not allow that, all stays as it was, and the rule is returned.
 */
char *
o2o_union_add(O2OUnion *all, const O2OShown *shown)
{
	O2OUnion before;
	char *rule;

	if (all->first_customer != 0)
	{
		read_members(all, all->first_customer);
		all->first_customer = 0;
	}
	before = *all;
	if (all->tally_count > 0)
	{
		before.tallies = palloc((all->tally_count + 16) * sizeof(O2OTally));
		memcpy(before.tallies, all->tallies, all->tally_count * sizeof(O2OTally));
	}
	add_from_here(all);
	if (shown->customer_id != 0)
		read_members(all, shown->customer_id);
	else
	{
		all->new_count++;
		tally(all, shown->kind->kind, shown->scope);
	}
	rule = conflict(all);
	if (rule != NULL)
	{
		before.members = all->members; /* those added lie behind */
		before.is_cap_read = all->is_cap_read;
		before.cap = all->cap;
		*all = before;
	}
	return rule;
}

/*
 * May an identifier of the kind be holding several people together? They would be
 * told apart by two values of a kind of higher priority.
 */
bool
o2o_union_is_crowd(const O2OUnion *all, const O2OKind *kind)
{
	for (int i = 0; i < all->kinds->count && kind->may_be_shared; i++)
	{
		int total = 0;

		for (int j = 0; j < all->tally_count; j++)
			if (all->kinds->rows[i].priority > kind->priority &&
				strcmp(all->tallies[j].kind, all->kinds->rows[i].kind) == 0)
				total += all->tallies[j].count;
		if (total > 1)
			return true;
	}
	return false;
}

/* profiles_conflict(a bigint[], b bigint[]) */
Datum
o2o_profiles_conflict(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	O2OUnion all = {.read_only = true};
	O2OKinds kinds;
	char *rule;
	text *result = NULL;

	o2o_model_connect(InvalidOid);
	o2o_kinds_read(&kinds);
	all.kinds = &kinds;
	read_profiles(&all, O2O_SELECT_PROFILE_KINDS, PG_GETARG_DATUM(0));
	add_from_here(&all);
	read_profiles(&all, O2O_SELECT_PROFILE_KINDS, PG_GETARG_DATUM(1));
	rule = conflict(&all);
	MemoryContextSwitchTo(caller);
	if (rule != NULL)
		result = cstring_to_text(rule);
	SPI_finish();
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/* The rules, read once for all calls of a statement. */
static O2OUnion *
rules_of_statement(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		O2OUnion *rules = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(O2OUnion));
		O2OKinds *kinds = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(O2OKinds));
		O2OKinds read;

		o2o_model_connect(InvalidOid);
		o2o_kinds_read(&read);
		read_cap(rules);
		kinds->count = read.count;
		kinds->rows =
			MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, Max(read.count, 1) * sizeof(O2OKind));
		for (int i = 0; i < read.count; i++)
		{
			kinds->rows[i] = read.rows[i];
			kinds->rows[i].kind = MemoryContextStrdup(fcinfo->flinfo->fn_mcxt, read.rows[i].kind);
			kinds->rows[i].time_to_live = NULL; /* not asked here */
		}
		SPI_finish();
		rules->kinds = kinds;
		rules->is_cannot_link_read = true;
		fcinfo->flinfo->fn_extra = rules;
	}
	return fcinfo->flinfo->fn_extra;
}

/* kinds_conflict(kinds text[], scopes text[]) */
Datum
o2o_kinds_conflict(PG_FUNCTION_ARGS)
{
	O2OUnion all = *rules_of_statement(fcinfo);
	Datum *texts[2];
	int counts[2];
	char *rule;

	for (int i = 0; i < 2; i++)
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT, &texts[i],
						  NULL, &counts[i]);
	if (counts[0] != counts[1])
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("kinds and scopes must have the same length"),
				 errdetail("The first has %d elements, the second %d.", counts[0], counts[1])));
	for (int i = 0; i < counts[0]; i++)
		tally(&all, TextDatumGetCString(texts[0][i]), TextDatumGetCString(texts[1][i]));
	all.new_count = counts[0];
	rule = conflict(&all);
	if (rule == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(rule));
}
