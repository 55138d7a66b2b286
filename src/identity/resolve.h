/*
 * resolve.h
 *		What the files of the resolver share: the identifiers of one event, and
 *		the rules of kinds. The protocol lives in resolve.c.
 */
#ifndef O2O_RESOLVE_H
#define O2O_RESOLVE_H

#include "identity/model.h"

#include "utils/timestamp.h"

/* A row of identifier_kind. */
typedef struct O2OKind
{
	char *kind;
	int32 priority;
	int32 limit; /* PG_INT32_MAX: any number */
	bool is_unique;
	Interval *time_to_live; /* NULL: for ever */
	bool may_be_shared;
} O2OKind;

typedef struct O2OKinds
{
	O2OKind *rows;
	int count;
} O2OKinds;

/* An identifier of the event and what it means. */
typedef struct O2OShown
{
	struct varlena *id;
	const O2OKind *kind;
	char *scope;
	/* as it stands in profile_identifier */
	bool is_there;
	bool is_shared;
	TimestampTz first_seen_at;
	TimestampTz last_seen_at;
	int64 row_profile_id;
	/* when the event happened */
	int64 profile_id;
	int64 customer_id; /* 0: a new profile, without a customer yet */
} O2OShown;

/* What an event says beside its identifiers. */
typedef struct O2OEvent
{
	Datum source;
	bool is_source_null;
	Datum event_id;
	bool is_event_id_null;
	TimestampTz occurred_at;
	TimestampTz seen_at; /* not after now: a clock that is ahead keeps no identifier alive */
	TimestampTz moment;  /* start of the transaction */
} O2OEvent;

/* What the rules say of the identifiers of an event. */
typedef struct O2OAdmission
{
	int count; /* of the identifiers that are admitted */
	O2OKinds kinds;
} O2OAdmission;

/* resolve_rules.c */
extern void o2o_kinds_read(O2OKinds *kinds);
extern O2OShown *
o2o_identifiers_admit(ArrayType *identifiers, const O2OEvent *event, O2OAdmission *admission);

/*
 * The customers and new profiles that an event has put together so far. What the
 * rules ask of them is read when the first one is asked.
 */
typedef struct O2OTally
{
	const char *kind;
	const char *scope;
	int count;
	int added; /* of these, of the side that is added */
} O2OTally;

typedef struct O2OUnion
{
	const O2OKinds *kinds;
	bool read_only;       /* for a function that sees what its caller sees */
	bool is_adding;       /* to what was there before; else all count alike */
	int64 first_customer; /* not read yet; 0: none */
	bool is_cap_read;
	int32 cap;      /* PG_INT32_MAX: none */
	int64 *members; /* of the customers */
	int member_count;
	int new_count;
	bool is_cannot_link_read;
	bool has_cannot_link; /* among the members */
	O2OTally *tallies;    /* of members and new ones */
	int tally_count;
} O2OUnion;

/* resolve_conflict.c */
extern void o2o_union_start(O2OUnion *all, const O2OKinds *kinds, const O2OShown *first);
extern char *o2o_union_add(O2OUnion *all, const O2OShown *shown);
extern bool o2o_union_is_crowd(const O2OUnion *all, const O2OKind *kind);

/* The identifiers of the event that are not shared, by priority. */
typedef struct O2OPeople
{
	O2OShown *shown;
	int count;
} O2OPeople;

/* What identify() returns. */
typedef struct O2OResolved
{
	int64 profile_id;
	int64 customer_id;
	const char *outcome;
} O2OResolved;

/* resolve_judge.c */
extern int64 o2o_next_profile(void);
extern int64 *o2o_sorted_profiles(const O2OPeople *people, const bool *chosen, int *count);
extern O2OResolved
o2o_judge_and_write(const O2OPeople *people, const O2OKinds *kinds, const O2OEvent *event);

/* resolve_write.c */
pg_noreturn extern void o2o_source_error(Datum source, bool is_null);
extern int o2o_ids_sort(int64 *ids, int count);
extern bool o2o_customers_lock(int64 *roots, int count);
extern int64 o2o_evidence_of_event(const O2OEvent *event, const int64 *profiles, int count,
								   const char *status, const char *reason);

#endif /* O2O_RESOLVE_H */
