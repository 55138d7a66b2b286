/*
 * resolve_judge.c
 *		Steps 6 and 7 of identity_resolve(): who of an event's identifiers belongs
 *		together by the rules, and the rows that say so. Runs under the locks that
 *		resolve.c took.
 */
#include "identity/identity.h"

#include "identity/resolve.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* A new profile id. */
int64
o2o_next_profile(void)
{
	(void) o2o_model_run(O2O_NEXT_PROFILE, NULL, false);
	return o2o_model_int64(0, 1);
}

/* The profiles of some of the people, ascending, each once. */
int64 *
o2o_sorted_profiles(const O2OPeople *people, const bool *chosen, int *count)
{
	int64 *ids = palloc(people->count * sizeof(int64));
	int n = 0;

	for (int i = 0; i < people->count; i++)
		if (chosen == NULL || chosen[i])
			ids[n++] = people->shown[i].profile_id;
	*count = o2o_ids_sort(ids, n);
	return ids;
}

/* What the rules say: who belongs together, and who was refused and why. */
typedef struct Verdict
{
	bool *accepted;
	char **refused; /* the rule; NULL: not refused */
	bool *suspect;  /* may turn out to be shared */
	int refused_count;
	int64 *roots; /* accepted customers, in the order of priority */
	int root_count;
	int64 *newcomers; /* accepted new profiles */
	int newcomer_count;
	int member_count; /* profiles of the roots, where a rule was asked */
} Verdict;

static bool
has_id(const int64 *ids, int count, int64 id)
{
	for (int i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Does the setting want a new anonymous profile where a rule is violated? */
static bool
conflict_is_anonymous(void)
{
	O2OModelCall call = {0};
	bool is_null;
	Datum value;

	o2o_model_arg(&call, CStringGetTextDatum("identity.on_conflict"), false);
	if (o2o_model_run(O2O_SELECT_SETTING, &call, false) == 0)
		return false;
	value = o2o_model_value(0, 1, &is_null);
	return !is_null && strcmp(TextDatumGetCString(value), "anonymous") == 0;
}

/* Asks the rules, from the highest priority down. */
static Verdict
judge(const O2OPeople *people, const O2OKinds *kinds)
{
	Verdict verdict = {0};
	O2OUnion all;

	verdict.accepted = palloc0(people->count * sizeof(bool));
	verdict.refused = palloc0(people->count * sizeof(char *));
	verdict.suspect = palloc0(people->count * sizeof(bool));
	verdict.roots = palloc(people->count * sizeof(int64));
	verdict.newcomers = palloc(people->count * sizeof(int64));
	o2o_union_start(&all, kinds, &people->shown[0]);
	for (int i = 0; i < people->count; i++)
	{
		const O2OShown *shown = &people->shown[i];
		bool is_root = has_id(verdict.roots, verdict.root_count, shown->customer_id);

		if (i > 0 && !is_root)
			verdict.refused[i] = o2o_union_add(&all, shown);
		if (verdict.refused[i] != NULL)
		{
			verdict.refused_count++;
			continue;
		}
		verdict.accepted[i] = true;
		if (shown->customer_id == 0)
			verdict.newcomers[verdict.newcomer_count++] = shown->profile_id;
		else if (!is_root)
			verdict.roots[verdict.root_count++] = shown->customer_id;
	}
	verdict.member_count = all.member_count;
	for (int i = 0; i < people->count; i++)
		verdict.suspect[i] =
			verdict.refused[i] != NULL || o2o_union_is_crowd(&all, people->shown[i].kind);
	if (verdict.refused_count > 0 && conflict_is_anonymous())
	{
		memset(verdict.accepted, 0, people->count * sizeof(bool));
		verdict.root_count = 0;
		verdict.newcomer_count = 0;
	}
	return verdict;
}

/* Rows for the new profiles, ascending, and for the customers of those that stay alone. */
static void
write_new(const O2OPeople *people, const Verdict *verdict, const O2OEvent *event)
{
	O2OModelCall profiles = {0};
	O2OModelCall customers = {0};
	int count;
	int64 *ids = o2o_sorted_profiles(people, NULL, &count);
	int64 *alone = palloc(people->count * sizeof(int64));
	Datum *columns[4];
	int alone_count = 0;
	int n = 0;
	int64 survivor = PG_INT64_MAX;

	for (int i = 0; i < verdict->root_count; i++)
		survivor = Min(survivor, verdict->roots[i]);
	for (int i = 0; i < verdict->newcomer_count; i++)
		survivor = Min(survivor, verdict->newcomers[i]);
	for (int column = 0; column < 4; column++)
		columns[column] = palloc(people->count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		const O2OShown *shown = people->shown;
		bool is_newcomer = has_id(verdict->newcomers, verdict->newcomer_count, ids[i]);

		while (shown->profile_id != ids[i])
			shown++;
		if (shown->customer_id != 0)
			continue;
		if (!is_newcomer)
			alone[alone_count++] = ids[i];
		columns[0][n] = Int64GetDatum(ids[i]);
		columns[1][n] = Int64GetDatum(is_newcomer ? survivor : ids[i]);
		columns[2][n] = CStringGetTextDatum(shown->kind->kind);
		columns[3][n] = CStringGetTextDatum(shown->scope);
		n++;
	}
	if (n == 0)
		return;
	for (int column = 0; column < 4; column++)
		o2o_model_arg(
			&profiles,
			PointerGetDatum(
				column < 2 ? construct_array(columns[column], n, INT8OID, sizeof(int64),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)
						   : construct_array(columns[column], n, TEXTOID, -1, false, TYPALIGN_INT)),
			false);
	o2o_model_arg(&profiles, event->source, event->is_source_null);
	o2o_model_arg(&profiles, TimestampTzGetDatum(event->moment), false);
	(void) o2o_model_run(O2O_INSERT_PROFILES, &profiles, false);
	if (alone_count == 0)
		return;
	o2o_model_arg(&customers, PointerGetDatum(o2o_model_ids(alone, alone_count)), false);
	o2o_model_arg(&customers, Int32GetDatum(1), false);
	o2o_model_arg(&customers, TimestampTzGetDatum(event->moment), false);
	(void) o2o_model_run(O2O_INSERT_CUSTOMERS, &customers, false);
}

/*
 * Makes one customer of those accepted, and returns its id. Without a merge that is
 * one row; merging, which logs every profile that moves, is customer_absorb()'s.
 */
static int64
write_customer(const Verdict *verdict, int64 evidence_profile_id, int64 evidence_id,
			   TimestampTz moment)
{
	O2OModelCall call = {0};
	int64 lowest = PG_INT64_MAX;

	for (int i = 0; i < verdict->newcomer_count; i++)
		lowest = Min(lowest, verdict->newcomers[i]);
	if (verdict->root_count == 0)
	{
		o2o_model_arg(&call, PointerGetDatum(o2o_model_ids(&lowest, 1)), false);
		o2o_model_arg(&call, Int32GetDatum(verdict->newcomer_count), false);
		o2o_model_arg(&call, TimestampTzGetDatum(moment), false);
		(void) o2o_model_run(O2O_INSERT_CUSTOMERS, &call, false);
		return lowest;
	}
	if (verdict->root_count == 1 && verdict->roots[0] < lowest)
	{
		o2o_model_arg(&call, Int64GetDatum(verdict->roots[0]), false);
		o2o_model_arg(&call, Int32GetDatum(verdict->member_count + verdict->newcomer_count), false);
		o2o_model_arg(&call, TimestampTzGetDatum(moment), false);
		(void) o2o_model_run(O2O_GROW_CUSTOMER, &call, false);
		return verdict->roots[0];
	}
	o2o_model_arg(&call, PointerGetDatum(o2o_model_ids(verdict->roots, verdict->root_count)),
				  false);
	o2o_model_arg(
		&call, PointerGetDatum(o2o_model_ids(verdict->newcomers, verdict->newcomer_count)), false);
	o2o_model_arg(&call, Int64GetDatum(evidence_profile_id), false);
	o2o_model_arg(&call, Int64GetDatum(evidence_id), false);
	o2o_model_arg(&call, TimestampTzGetDatum(moment), false);
	(void) o2o_model_run(O2O_ABSORB_CUSTOMERS, &call, false);
	return o2o_model_int64(0, 1);
}

/* The refused links, ascending by profile. */
static void
write_refused(const O2OPeople *people, const Verdict *verdict, const O2OEvent *event)
{
	int64 first = people->shown[0].profile_id;
	int count;
	int64 *ids = o2o_sorted_profiles(people, NULL, &count);

	for (int i = 0; i < count; i++)
		for (int j = 0; j < people->count; j++)
			if (people->shown[j].profile_id == ids[i] && verdict->refused[j] != NULL)
			{
				int64 pair[2] = {Min(first, ids[i]), Max(first, ids[i])};

				(void) o2o_evidence_of_event(event, pair, 2, "suppressed", verdict->refused[j]);
			}
}

/*
 * Marks the identifiers shared that were seen with too many people by now. Where one
 * of those accepted is among them, its customer was split, and the event is that of
 * the others: false.
 */
static bool
share_overused(const O2OPeople *people, const Verdict *verdict, const O2OEvent *event,
			   O2OResolved *resolved)
{
	bool *is_shared = palloc0(people->count * sizeof(bool));
	bool is_split = false;
	int i = 0;

	for (int j = 0; j < people->count; j++)
		if (verdict->suspect[j])
		{
			O2OModelCall call = {0};
			bool is_null;

			o2o_model_arg(&call, Int64GetDatum(people->shown[j].profile_id), false);
			o2o_model_arg(&call, TimestampTzGetDatum(event->moment), false);
			(void) o2o_model_run(O2O_SHARE_IDENTIFIER, &call, false);
			is_shared[j] = DatumGetBool(o2o_model_value(0, 1, &is_null));
			is_split = is_split || (is_shared[j] && verdict->accepted[j]);
		}
	if (!is_split)
		return true;
	while (i < people->count && (is_shared[i] || !verdict->accepted[i]))
		i++;
	if (i == people->count)
		resolved->profile_id = resolved->customer_id = o2o_next_profile();
	else
	{
		O2OModelCall call = {0};

		resolved->profile_id = people->shown[i].profile_id;
		o2o_model_arg(&call, Int64GetDatum(resolved->profile_id), false);
		if (o2o_model_run(O2O_SELECT_CUSTOMER, &call, false) != 1)
			elog(ERROR, "an accepted profile has no customer");
		resolved->customer_id = o2o_model_int64(0, 1);
	}
	return false;
}

/* Steps 6 and 7, under the locks. */
O2OResolved
o2o_judge_and_write(const O2OPeople *people, const O2OKinds *kinds, const O2OEvent *event)
{
	Verdict verdict = judge(people, kinds);
	O2OResolved resolved;
	int count;
	int64 *seen = o2o_sorted_profiles(people, verdict.accepted, &count);

	write_new(people, &verdict, event);
	if (count == 0)
		resolved.profile_id = resolved.customer_id = o2o_next_profile();
	else
	{
		int64 link = 0;

		resolved.profile_id = people->shown[0].profile_id;
		if (count > 1)
			link = o2o_evidence_of_event(event, seen, count, "link", NULL);
		if (verdict.root_count == 1 && verdict.newcomer_count == 0)
			resolved.customer_id = verdict.roots[0];
		else
			resolved.customer_id = write_customer(&verdict, seen[0], link, event->moment);
	}
	write_refused(people, &verdict, event);
	if (!share_overused(people, &verdict, event, &resolved))
		resolved.outcome = "suppressed";
	else
		resolved.outcome = verdict.refused_count > 0    ? "suppressed"
						   : verdict.root_count > 1     ? "merged"
						   : verdict.root_count == 0    ? "new"
						   : verdict.newcomer_count > 0 ? "attached"
														: "known";
	return resolved;
}
