-- Identity: the resolver in C. Its functions work on the tables of the model with
-- the rights of whoever is current, so by themselves they open nothing: inside
-- the model's API functions that is the model's owner.

CREATE FUNCTION o2o.source_country(source text) RETURNS text
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_source_country';
COMMENT ON FUNCTION o2o.source_country(text) IS 'Default country of a source''s national phone numbers, or NULL. Error: O2101 the source is not registered.';

CREATE FUNCTION o2o.identifier_scope(identifier o2o.identifier) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_scope';
COMMENT ON FUNCTION o2o.identifier_scope(o2o.identifier) IS 'Within what a value of a unique kind is unique: the app of an openid, the source of a ref, else the whole kind ('''').';

CREATE FUNCTION o2o.identity_admit(identifiers o2o.identifier[]) RETURNS o2o.identifier[]
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_identity_admit';
COMMENT ON FUNCTION o2o.identity_admit(o2o.identifier[]) IS 'The identifiers that may identify somebody, highest priority first: blocked values are left out. Error: O2207 a kind has no row in identifier_kind.';

CREATE FUNCTION o2o.customer_lock_roots(roots bigint[]) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_customer_lock_roots';
COMMENT ON FUNCTION o2o.customer_lock_roots(bigint[]) IS 'The one loop that locks customers: ascending, each checked once it is locked (NULLs are passed over). Raises O2R01 when one is a customer no more; the caller answers it by leaving its subtransaction, which frees the locks, and looking again.';

CREATE FUNCTION o2o.evidence_record(profiles bigint[], status text, rule text, source text, reason text, event_id text, occurred_at timestamptz) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_evidence_record';
COMMENT ON FUNCTION o2o.evidence_record(bigint[], text, text, text, text, text, timestamptz) IS 'Writes a piece of evidence (profiles ascending) or, where the same is on record, moves its last_seen_at. Returns its id.';

CREATE FUNCTION o2o.profiles_conflict(a bigint[], b bigint[]) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_profiles_conflict';
COMMENT ON FUNCTION o2o.profiles_conflict(bigint[], bigint[]) IS 'The rule of today that a link between two sets of profiles would violate, as identity_evidence.reason has it: customer_cap, cannot_link, unique:<kind>, limit:<kind>, or NULL for none. What identify() asks, for links that come from elsewhere. A rule of a kind counts where both sets have that kind: who has none of it does not make it worse.';

CREATE FUNCTION o2o.kinds_conflict(kinds text[], scopes text[]) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_kinds_conflict';
COMMENT ON FUNCTION o2o.kinds_conflict(text[], text[]) IS 'The rule of today that a customer with profiles of these kinds, each within its scope, violates: customer_cap, unique:<kind>, limit:<kind>, or NULL for none. Rules are read once a statement. Error: 2202E the arrays differ in length.';

CREATE FUNCTION o2o.identity_resolve(identifiers o2o.identifier[], source text, event_id text, occurred_at timestamptz,
	OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_identity_resolve';
COMMENT ON FUNCTION o2o.identity_resolve(o2o.identifier[], text, text, timestamptz) IS 'The heart of identify(): finds or makes the profiles of the identifiers, links what the rules allow, keeps the rest as suppressed evidence. profile_id is that of the highest-priority identifier, or a new anonymous one where no identifier identifies anybody. Protocol: claim identifiers in order, read again, lock customers ascending, check that they are unchanged (else free the locks and repeat), apply the rules under the lock, write. Deterministic: customers = connected components of the links in force. Errors: O2207 a kind has no row in identifier_kind, 22023 occurred_at is NULL or not finite.';

CREATE FUNCTION o2o.identity_observe(identifiers jsonb, source text, event_id text, occurred_at timestamptz,
	OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'o2o_identity_observe';
COMMENT ON FUNCTION o2o.identity_observe(jsonb, text, text, timestamptz) IS 'identity_resolve() for identifiers as identifiers_from_json() reads them (NULL: none), with the default country of the source. Errors: as of these two, and O2101 the source is not registered.';
